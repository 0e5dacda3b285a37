"""`leadline simulate`: a made-up organisation, the same one for the same options, in the log or in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console

from pipeline.cli.output import say
from pipeline.events.errors import ConfigError
from pipeline.log.protocol import EVENTS, Appended, EventLog, Record
from pipeline.simulate.chance import Chance
from pipeline.simulate.organisation import Entry, entries, everything
from pipeline.simulate.plan import Plan
from pipeline.simulate.scramble import scramble

app = typer.Typer()

_BATCH = 5_000


@app.command()
def simulate(
    *,
    seed: Annotated[int, typer.Option(help="Another seed, another organisation.")] = 7,
    days: Annotated[int, typer.Option(help="How long it is watched.")] = 120,
    teams: Annotated[int, typer.Option(help="How many teams it has; each owns two services.")] = 6,
    events: Annotated[
        int | None, typer.Option(help="About how many events; default: what days and teams yield.")
    ] = None,
    chaos: Annotated[bool, typer.Option("--chaos", help="Deliver out of order, late, and some events twice.")] = False,
    into_log: Annotated[bool, typer.Option("--into-log", help="Append to the log; the default without --out.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write NDJSON to this file instead (`-`: standard output).")] = None,
) -> None:
    """Simulate an organisation: its contract, tickets, changes, deployments and incidents."""
    if into_log and out is not None:
        raise typer.BadParameter("choose --into-log or --out FILE, not both")
    plan = Plan(seed=seed, days=days, teams=teams, events=events)
    told = scramble(everything(plan), Chance(seed)) if chaos else everything(plan)
    with Console(stderr=True).status("simulating"):
        if out is None:
            appended = _into_log(entries(told))
            say(f"{appended.new} events appended, {appended.duplicates} were in the log already")
        else:
            with _opened(out) as file:
                written = write_lines(file, entries(told))
            say(f"{written} events written to {out}")


def append(log: EventLog, simulated: Iterator[Entry], batch: int = _BATCH) -> Appended:
    """Append entries in batches, each recorded at the latest event time so far, as if the log had been there."""
    new = duplicates = 0
    latest = None
    while taken := list(islice(simulated, batch)):
        latest = max(entry.time for entry in taken) if latest is None else max(latest, *(entry.time for entry in taken))
        appended = log.append(EVENTS, [Record(**entry._asdict()) for entry in taken], latest)
        new += appended.new
        duplicates += appended.duplicates
    return Appended(new=new, duplicates=duplicates)


def write_lines(file: BinaryIO, simulated: Iterator[Entry]) -> int:
    """Write one event a line; returns how many."""
    count = 0
    for entry in simulated:
        file.write(entry.value + b"\n")
        count += 1
    return count


def _into_log(simulated: Iterator[Entry]) -> Appended:
    from pipeline.wiring import wire

    wiring = wire()
    try:
        return append(wiring.log(), simulated)
    finally:
        wiring.close()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path == Path("-"):
        yield sys.stdout.buffer
        return
    try:
        file = path.open("wb")
    except OSError as error:
        raise ConfigError(f"--out {path}: {error.strerror}; name a file that can be written") from error
    with file:
        yield file
