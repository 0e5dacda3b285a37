"""`leadline initiative`: gates, confidence, claims, journeys, and what was changed after the commitment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.cli.standing import AsOf, Output, Standing, standing
from pipeline.contract.durations import parse_duration
from pipeline.events.coordination import DecisionEvent, GateEvaluated
from pipeline.events.errors import ConfigError
from pipeline.events.times import from_us
from pipeline.facts.rows import WaitFact
from pipeline.governance.claims import claims as claims_of
from pipeline.governance.confidence import confidence as confidence_in
from pipeline.governance.couplings import couplings as couplings_of
from pipeline.governance.couplings import cycles
from pipeline.governance.declared import held, initiatives
from pipeline.governance.gate import GATE, RULE, Gate, due, due_day, evaluate
from pipeline.governance.journey import journeys, legs
from pipeline.governance.progress import progress
from pipeline.governance.scope import scope_changes

app = typer.Typer(no_args_is_help=True, help="Initiatives: what they lack, how sure they are, where they stand still.")

_NOT_PASSED = 1
_LIST = ("initiative", "title", "stage", "owner", "gate", "missing", "due", "progress", "confidence", "stalled")
_GATES = ("initiative", "stage", "passed", "missing", "why", "due", "exempt_until", "exemption")
_DUE = ("due", "initiative", "what", "overdue", "missing")
_CLAIMS = ("ticket", "title", "status", "state", "missing", "since", "until", "initiative", "team")
_JOURNEY = ("initiative", "signal", "decision", "scoped", "shipped", "outcome read", "open leg", "age")
_LEGS = ("leg", "n", "p50", "p85", "p95", "open", "open_p50", "open_p85")
_CHANGES = ("initiative", "at", "fields", "controlled", "decision", "event")
_COUPLINGS = ("pair", "mode", "waits", "open", "seconds", "initiatives")

_Name = Annotated[str | None, typer.Argument(metavar="[INITIATIVE]", help="Its name or an alias. Default: all.")]


def parse_span(text: str) -> int:
    """Read a duration such as `14d`; returns microseconds."""
    try:
        return int(parse_duration(text).total_seconds()) * 1_000_000
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


_Due = Annotated[
    int | None, typer.Option("--due", parser=parse_span, metavar="SPAN", help="List what is due within, such as 14d.")
]


@app.command(name="list")
def list_initiatives(due_within: _Due = None, as_of: AsOf = None, output: Output = Format.TABLE) -> None:
    """Print all initiatives; with --due what is due, with what is missing."""
    with standing(as_of, calendar=due_within is not None) as known:
        if due_within is not None:
            _print_due(known, due_within, output)
            return
        samples, shares, stalled = known.samples(), progress(known.known), _stalled(known)
        rows = []
        for name in initiatives(known.contract, known.as_of):
            gate = _gate(known, name)
            sure = confidence_in(known.contract, known.known, name, known.as_of, samples)
            found = held(known.contract, name, known.as_of)
            rows.append(
                {
                    **_gate_row(gate),
                    "title": found and found.version.metadata.get("displayName"),
                    "owner": found and found.intent.owner,
                    "gate": "passes" if gate.passed else "does not pass",
                    "progress": None if name not in shares else shares[name].share,
                    "confidence": None if sure is None else round(sure.share, 9),
                    "stalled": stalled.get(name),
                }
            )
        print_rows(rows, _LIST, output)
        known.warn_if_behind()


@app.command()
def gate(
    name: _Name = None,
    due_within: _Due = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the result, and record nothing.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Try the gate from bet to commit, now, and record the result as an event. Exit 1 if it does not pass."""
    with standing(as_of, calendar=True) as known:
        if due_within is not None:
            _print_due(known, due_within, output)
            return
        found = [_gate(known, each) for each in _chosen(known, name)]
        if not dry_run:
            for each in found:
                _record(known, each)
        print_rows([_gate_row(each) for each in found], _GATES, output)
        known.warn_if_behind()
    if not all(each.passed for each in found):
        raise typer.Exit(_NOT_PASSED)


@app.command()
def confidence(name: _Name = None, as_of: AsOf = None, output: Output = Format.TABLE) -> None:
    """Print the checks behind the confidence in an initiative, each with what decides it."""
    with standing(as_of) as known:
        samples = known.samples()
        rows = [
            {
                "initiative": each,
                "confidence": round(found.share, 9),
                "check": check.name,
                "holds": check.holds,
                "evidence": check.evidence,
            }
            for each in _chosen(known, name)
            if (found := confidence_in(known.contract, known.known, each, known.as_of, samples)) is not None
            for check in found.checks
        ]
        print_rows(rows, ("initiative", "confidence", "check", "holds", "evidence"), output)
        known.warn_if_behind()


@app.command()
def claims(
    name: _Name = None,
    every: Annotated[bool, typer.Option("--all", help="Also those whose evidence was seen.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print statuses that demand evidence, beside what was seen; and initiatives that are said to be nearly done."""
    with standing(as_of) as known:
        chosen = None if name is None else known.initiative(name)
        found = claims_of(known.contract, known.known, known.as_of, known.samples(), chosen)
        rows = [
            {**msgspec.structs.asdict(each), "since": from_us(each.since), "until": from_us(each.until)}
            for each in found
            if every or each.state != "evidenced"
        ]
        print_rows(rows, _CLAIMS, output)
        for initiative, snapshots in _stalled(known).items():
            if chosen in (None, initiative):
                say(f"stalled claim: {initiative} was at 80 % or more, without new evidence, in snapshots {snapshots}")
        known.warn_if_behind()


@app.command()
def journey(
    name: _Name = None,
    by_leg: Annotated[bool, typer.Option("--legs", help="Percentiles of each leg over all, in seconds.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print when each initiative was first heard of, decided, begun, shipped and read; and which leg is under way."""
    with standing(as_of) as known:
        chosen = set(_chosen(known, name))
        every = journeys(known.contract, known.known, known.as_of, known.samples())
        found = [each for each in every if each.initiative in chosen]
        if by_leg:
            rows: list[dict[str, Any]] = [
                {**msgspec.structs.asdict(leg), "leg": leg.name, **leg.percentiles} for leg in legs(found, known.as_of)
            ]
            print_rows(rows, _LEGS, output)
        else:
            rows = []
            for each in found:
                leg, age = each.open_leg(known.as_of) or (None, None)
                stops = {stop.name: None if stop.at is None else from_us(stop.at) for stop in each.stops}
                rows.append({"initiative": each.initiative, **stops, "open leg": leg, "age": age})
            print_rows(rows, _JOURNEY, output)
        known.warn_if_behind()


@app.command()
def changes(
    name: _Name = None,
    uncontrolled: Annotated[bool, typer.Option("--uncontrolled", help="Only those without a decision.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print what was changed of initiatives after they were committed to, and the decision behind it, if any."""
    with standing(as_of) as known:
        rows = [
            {**msgspec.structs.asdict(change), "controlled": change.controlled, "at": from_us(change.at)}
            for each in _chosen(known, name)
            for change in scope_changes(known.contract, known.known, each, known.as_of)
            if not (uncontrolled and change.controlled)
        ]
        print_rows(rows, _CHANGES, output)
        known.warn_if_behind()


@app.command()
def couplings(
    name: _Name = None,
    implicit: Annotated[bool, typer.Option("--implicit", help="Only pairs that agreed nothing.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print which teams wait for which, the longest waits first, and the circles of open dependencies."""
    with standing(as_of) as known:
        chosen = None if name is None else known.initiative(name)
        rows = [
            {**msgspec.structs.asdict(each), "pair": each.pair, "initiatives": sorted(each.initiatives)}
            for each in couplings_of(known.known, known.as_of, chosen)
            if each.mode == "implicit" or not implicit
        ]
        print_rows(rows, _COUPLINGS, output)
        for cycle in cycles(known.known.of(WaitFact), known.as_of):
            say(f"circle: {' > '.join([*cycle.tickets, cycle.tickets[0]])}: each waits for the next")
        known.warn_if_behind()


def _chosen(known: Standing, name: str | None) -> Iterable[str]:
    return initiatives(known.contract, known.as_of) if name is None else [known.initiative(name)]


def _gate(known: Standing, name: str) -> Gate:
    found = evaluate(known.contract, known.known, name, known.as_of)
    if found is None:
        raise ConfigError(f"Initiative {name!r} was not declared as of {from_us(known.as_of).isoformat()}")
    return found


def _gate_row(found: Gate) -> dict[str, Any]:
    until = None if found.exempt_until is None else from_us(found.exempt_until)
    why = "; ".join(f"{part}: {reason}" for part, reason in found.why.items())
    return {**msgspec.structs.asdict(found), "due": due_day(found), "exempt_until": until, "why": why}


def _record(known: Standing, found: Gate) -> None:
    """Append the result, with the ids of the events that it rests on."""
    evidence = list(found.declarations)
    if found.decision is not None:
        with known.archive() as events:
            evidence += [each.id for each in events.find(DecisionEvent.TYPES, [found.decision])]
    data = GateEvaluated(
        gate=GATE,
        initiative=found.initiative,
        passed=found.passed,
        missing=found.missing,
        rule=RULE,
        evidence=evidence,
        exempt_until=None if found.exempt_until is None else from_us(found.exempt_until),
    )
    known.tell(GateEvaluated.TYPES[0], f"{found.initiative}/{GATE}", data, from_us(known.as_of))


def _print_due(known: Standing, within: int, output: Format) -> None:
    found = due(known.contract, known.known, known.as_of, known.as_of + within, known.samples())
    print_rows([{**msgspec.structs.asdict(each), "due": due_day(each)} for each in found], _DUE, output)
    known.warn_if_behind()


def _stalled(known: Standing) -> dict[str, str]:
    """Return initiative -> the numbers of the snapshots in which its claim to be nearly done stood still."""
    import queries
    from pipeline.snapshots.manifest import current
    from pipeline.snapshots.reading import reading

    directory = known.wiring.settings.snapshots
    if current(directory) is None:
        return {}
    query = queries.load("stalled_claims")
    with reading(directory) as library, library.ask(query.sql, query.with_defaults({})) as answer:
        return {row["initiative"]: ", ".join(map(str, row["snapshots"])) for row in answer.rows}
