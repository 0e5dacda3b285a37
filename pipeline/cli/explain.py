"""`leadline explain`: what lies behind a number, an initiative, a deployment, a pair of teams or a single fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.cli.standing import AsOf, Output, Standing, standing
from pipeline.contract.problems import did_you_mean
from pipeline.events.times import from_us
from pipeline.facts.rows import DeploymentFact, Fact
from pipeline.governance.declared import held, initiatives
from pipeline.governance.origins import own, wanted
from pipeline.governance.pages.initiative import initiative_page
from pipeline.governance.pages.line import Line
from pipeline.governance.pages.metric import metric_page
from pipeline.governance.pages.single import as_row, deployment_page, fact_page, find, pair_page
from pipeline.metrics.catalogue import BY_NAME, SCOPE_KINDS, WINDOWS, MetricPoint
from pipeline.metrics.cells import ORG, Scope
from pipeline.metrics.windows import read_metrics

if TYPE_CHECKING:
    from pipeline.snapshots.archive import Archive

app = typer.Typer()

_COLUMNS = ("section", "item", "value", "at", "detail", "events")
_SHOWN_IDS = 2
_DEFAULT_WINDOW = 28


@app.command()
def explain(
    subject: Annotated[
        str,
        typer.Argument(
            help="A metric, an initiative, a deployment, a pair 'consumer > provider', or the id of any fact."
        ),
    ],
    *,
    scope: Annotated[str, typer.Option(help="Of a metric: KIND/NAME, such as team/growth.")] = "/".join(ORG),
    window: Annotated[int, typer.Option(help="Of a metric: days.")] = _DEFAULT_WINDOW,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of a kind to list.")] = 20,
    no_events: Annotated[bool, typer.Option("--no-events", help="Do not look for the events of the facts.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Print what something is made of, down to the ids of the events. From an initiative to its deployments, waits and
    decisions and back.

    The ids come from the latest snapshot and, for what is younger, from the log; without a snapshot all of the log is
    read, which takes seconds for a million events.
    """
    chosen = _scope(scope, window)
    with standing(as_of) as known, known.archive() as events:
        lines = list(_page(known, events, subject, chosen, window, limit))
        if not lines:
            raise typer.BadParameter(f"there is nothing called {subject!r}{_hint(known, subject)}")
        if not no_events:
            _add_events(known, events, lines)
            if not events.after and known.wiring.log().end("events"):
                say("No snapshot of this log: all of it was read. `leadline snapshot build` makes this quick.")
        known.warn_if_behind()
    show(lines, output)


def show(lines: Iterable[Line], output: Format) -> None:
    """Print an explanation: for people a table a section, with the first ids of the events and how many there are."""
    rows = [as_row(line) for line in lines]
    if output is not Format.TABLE:
        print_rows(rows, _COLUMNS, output)
        return
    for section, found in groupby(rows, key=lambda row: row["section"]):
        shown = [{**row, "events": _shortened(row["events"])} for row in found]
        print_rows(shown, _COLUMNS[1:], output, title=f"\n{section}")


def _page(known: Standing, events: Archive, subject: str, scope: Scope, window: int, limit: int) -> Iterator[Line]:
    consumer, arrow, provider = (part.strip() for part in subject.partition(">"))
    contract, as_of = known.contract, known.as_of
    if subject in BY_NAME:
        points = _points(known, scope, window)
        yield from metric_page(
            known.known, subject, scope, window, as_of, points=points, derivation=_derivation(), limit=limit
        )
    elif arrow:
        pair = (consumer, provider)
        points = _points(known, ("pair", f"{consumer} > {provider}"), window)
        names = {name for kind, name in contract.objects(as_of) if kind == "Team"}
        if points or set(pair) <= names:
            yield from pair_page(contract, known.known, pair, as_of, points, limit=limit)
    elif len(named := contract.initiatives_named(subject)) == 1:
        (name,) = named
        wanted_samples = _outcome_metrics(known, name)
        samples = known.samples_in(events, wanted_samples)
        yield from initiative_page(contract, known.known, name, as_of, samples, limit=limit)
    else:
        for fact in find(known.known, subject):
            yield from _of_fact(known, fact, limit)


def _of_fact(known: Standing, fact: Fact, limit: int) -> Iterator[Line]:
    if isinstance(fact, DeploymentFact):
        yield from deployment_page(known.known, fact, limit=limit)
    else:
        yield from fact_page(fact)


def _outcome_metrics(known: Standing, name: str) -> set[str]:
    found = held(known.contract, name, known.as_of)
    return set() if found is None else {outcome.metric for outcome in found.intent.outcomes}


def _points(known: Standing, scope: Scope, window: int) -> list[MetricPoint]:
    return read_metrics(known.state, from_us(known.as_of), latest=known.latest, windows=(window,), scopes=(scope,))


def _derivation() -> str:
    from pipeline.engine.core import DERIVATION

    return DERIVATION


def _add_events(known: Standing, events: Archive, lines: list[Line]) -> None:
    wants = {id(line): wanted(line.fact, known.state) for line in lines if line.fact is not None}
    all_wants = [want for each in wants.values() for want in each]
    subjects = {subject for want in all_wants for subject in want.subjects}
    found = events.find({name for want in all_wants for name in want.types}, subjects)
    by_subject: dict[str, list[int]] = {}
    for number, each in enumerate(found):
        by_subject.setdefault(each.subject, []).append(number)
    for line in lines:
        mine = wants.get(id(line), [])
        numbers = sorted(
            {number for want in mine for subject in want.subjects for number in by_subject.get(subject, ())}
        )
        line.events = [*line.events, *own(mine, [found[number] for number in numbers])]


def _scope(scope: str, window: int) -> Scope:
    kind, slash, name = scope.partition("/")
    if kind not in SCOPE_KINDS or not slash:
        raise typer.BadParameter(f"--scope {scope}: write KIND/NAME; kinds are {', '.join(SCOPE_KINDS)}")
    if window not in WINDOWS:
        raise typer.BadParameter(f"--window {window}: there are {', '.join(map(str, WINDOWS))}")
    return next((each, name) for each in SCOPE_KINDS if each == kind)


def _hint(known: Standing, subject: str) -> str:
    near = did_you_mean(subject, [*BY_NAME, *initiatives(known.contract, known.as_of)])
    return near or "; name a metric, an initiative, a deployment, 'team > team' or the id of a fact"


def _shortened(ids: object) -> str:
    known = ids if isinstance(ids, list) else []
    more = f" +{len(known) - _SHOWN_IDS}" if len(known) > _SHOWN_IDS else ""
    return " ".join(known[:_SHOWN_IDS]) + more
