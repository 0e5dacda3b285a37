"""`leadline doctor`: why is this metric empty, and what is wrong with what feeds it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.contract.durations import parse_duration
from pipeline.events.errors import ConfigError
from pipeline.facts.rows import FACTS
from pipeline.ingest.checkpoints import Checkpoints
from pipeline.ingest.deliveries import connector_named
from pipeline.ingest.quarantine import Quarantine
from pipeline.ingest.translate import CURSOR
from pipeline.log.protocol import DELIVERIES, EVENTS
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE
from pipeline.metrics.census import census_of
from pipeline.metrics.diagnosis import Finding, gaps, why_absent
from pipeline.metrics.windows import human_seconds

if TYPE_CHECKING:
    from pipeline.ingest.observation_store import Series
    from pipeline.wiring import Wiring

app = typer.Typer()

_COLUMNS = tuple(Finding.__struct_fields__)
_FINDINGS = 1
_ORG = ("org", "all")


@app.command()
def doctor(
    metric: Annotated[
        str | None, typer.Argument(metavar="METRIC", help="Only why this metric is empty (default: everything).")
    ] = None,
    silent_after: Annotated[
        str, typer.Option(metavar="DURATION", help="A source that told nothing for so long is silent.")
    ] = "3d",
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """Say which metrics are empty and why, which source is silent, and what is missing, with the fix. Exit 1 if any."""
    from pipeline.wiring import clock, wire

    if metric is not None and metric not in BY_NAME:
        raise ConfigError(f"{metric!r} is no metric; there are {', '.join(BY_NAME)}")
    try:
        silence = parse_duration(silent_after)
    except ValueError as error:
        raise typer.BadParameter(f"--silent-after: {error}") from error
    wiring = wire()
    try:
        wiring.existing()
        about = () if metric is not None else _feeding(wiring, clock(), silence)
        found = [*about, *_metrics(wiring, metric)]
    finally:
        wiring.close()
    print_rows((msgspec.structs.asdict(each) for each in found), _COLUMNS, output)
    if found:
        raise typer.Exit(_FINDINGS)
    say("Nothing is missing." if metric is None else f"{metric} has a value: `leadline metrics show {metric}`")


def _feeding(wiring: Wiring, now: datetime, silence: timedelta) -> Iterator[Finding]:
    """Yield what is wrong between the sources and the facts."""
    yield from _sources(wiring, now, silence)
    yield from _polls(wiring, now, silence)
    yield from _outcomes(wiring)
    log = wiring.log()
    for (connector, reason), count in sorted(Quarantine(log).counts().items()):
        yield Finding(
            check="quarantine",
            subject=connector,
            finding=f"{count} deliveries could not be read: {reason}",
            fix=f"leadline quarantine list --connector {connector} --reason {reason}",
        )
    waiting = log.end(DELIVERIES) - log.cursor(CURSOR)
    if waiting > 0:
        yield Finding(check="lag", subject="translate", finding=f"{waiting} deliveries wait", fix="leadline run --once")
    unfolded = log.end(EVENTS) - wiring.engine().position
    if unfolded > 0:
        yield Finding(check="lag", subject="fold", finding=f"{unfolded} events wait", fix="leadline run --once")


def _sources(wiring: Wiring, now: datetime, silence: timedelta) -> Iterator[Finding]:
    """Yield which of the sources that ever told something, or are configured to, tell nothing now."""
    stats = {connector_named(each.source): each for each in wiring.log().sources(DELIVERIES)}
    for name in sorted(set(wiring.settings.connectors) - stats.keys()):
        yield Finding(
            check="source",
            subject=name,
            finding="is configured and never told anything",
            fix=f"leadline connector show {name} --readme, section `Set it up`",
        )
    for name, stat in stats.items():
        quiet = now - stat.last_recorded
        if quiet > silence:
            yield Finding(
                check="source",
                subject=name,
                finding=f"silent for {human_seconds(quiet.total_seconds())}, after {stat.records} deliveries",
                fix="see whether its hook is still there and answers 202, or poll it",
            )


def _polls(wiring: Wiring, now: datetime, silence: timedelta) -> Iterator[Finding]:
    checkpoints = Checkpoints(wiring.log())
    for job in wiring.jobs():
        mark = checkpoints.mark(job.connector, job.scope)
        name = f"{job.connector} {job.scope}".rstrip()
        if mark is None:
            yield Finding(check="poll", subject=name, finding="was never polled to its end", fix="leadline run --once")
        elif now - mark > max(silence, 2 * job.every):
            yield Finding(
                check="poll",
                subject=name,
                finding=f"last polled to its end {human_seconds((now - mark).total_seconds())} ago",
                fix="leadline run --once tells the error",
            )


def _outcomes(wiring: Wiring) -> Iterator[Finding]:
    """Yield which declared metrics of outcomes get no samples, or not all that was told."""
    observations = wiring.translator().observations
    told: dict[str, list[Series]] = {}
    for series in observations.series():
        told.setdefault(series.metric, []).append(series)
    for name, measure in sorted(observations.measures().items()):
        found = told.get(name, [])
        if not any(each.accepted for each in found):
            sources = ", ".join(measure.sources) or "any analytics tool"
            yield Finding(
                check="outcome",
                subject=name,
                finding=f"no event {' or '.join(map(repr, measure.entries.events))} of {sources} was counted",
                fix="compare the name, letter by letter, with what `leadline connector try NAME FILE` shows",
            )
        for each in found:
            yield from _left_out(each)
            if each.measure != measure:
                yield Finding(
                    check="outcome",
                    subject=name,
                    finding=f"{each.connector}: measured as it was declared before",
                    fix="leadline rebuild --retranslate",
                )


def _left_out(series: Series) -> Iterator[Finding]:
    counts = {"late": series.late, **series.rejected}
    if any(counts.values()):
        words = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()) if count)
        yield Finding(
            check="outcome",
            subject=series.metric,
            finding=f"{series.connector}: {series.accepted} events counted, left out: {words}",
            fix="docs/outcomes.md says what each word means",
        )


def _metrics(wiring: Wiring, metric: str | None) -> Iterable[Finding]:
    """Yield why metrics are empty for the whole organisation, and what the contract does not know."""
    known = {point.metric for point in wiring.metrics() if (point.scope_kind, point.scope) == _ORG}
    wanted = [each.name for each in CATALOGUE if metric in (None, each.name)]
    absent = [name for name in wanted if name not in known]
    if metric is not None and not absent:
        return
    census = census_of(chain.from_iterable(wiring.facts(kind) for kind in FACTS))
    yield from (why_absent(name, census) for name in absent)
    if metric is None:
        yield from gaps(census)
