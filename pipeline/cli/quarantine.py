"""`leadline quarantine`: deliveries that could not become events, and what to do about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.ingest.quarantine import Entry, Quarantine
from pipeline.log.protocol import EventLog

app = typer.Typer(no_args_is_help=True, help="Deliveries that could not become events: nothing is lost in silence.")

_COLUMNS = ("delivery", "state", "connector", "kind", "reason", "detail", "recorded", "note")
_EXCERPT = 2_000
_FINDINGS = 1

_Connector = Annotated[str | None, typer.Option("--connector", help="Only of this connector.")]
_Reason = Annotated[str | None, typer.Option("--reason", help="Only with this reason.")]
_Output = Annotated[Format, typer.Option("--output", "-o")]


@contextmanager
def _opened() -> Iterator[EventLog]:
    from pipeline.wiring import wire

    wiring = wire()
    try:
        yield wiring.log()
    finally:
        wiring.close()


@app.command(name="list")
def list_entries(
    connector: _Connector = None,
    reason: _Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Resolved and dropped ones, too.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only how many, by connector and reason.")] = False,
    output: _Output = Format.TABLE,
) -> None:
    """Print the entries, by number of the delivery. Exit 1 if any is open."""
    with _opened() as log:
        entries = Quarantine(log).entries(None if everything else "open", connector, reason)
    if count:
        found = Counter((entry.state, entry.failure.connector, entry.failure.reason) for entry in entries)
        columns = ("state", "connector", "reason", "count")
        print_rows((dict(zip(columns, (*key, n), strict=True)) for key, n in sorted(found.items())), columns, output)
    else:
        print_rows(map(_row, entries), _COLUMNS, output)
    if any(entry.state == "open" for entry in entries):
        raise typer.Exit(_FINDINGS)


@app.command()
def show(delivery: Annotated[int, typer.Argument(help="Number of the delivery.")]) -> None:
    """Print one entry with the beginning of what was delivered."""
    from pipeline.ingest.deliveries import at, from_stored

    with _opened() as log:
        entry = Quarantine(log).entry(delivery)
        if entry is None:
            raise ConfigError(f"delivery {delivery} was never quarantined; see `leadline quarantine list --all`")
        stored = at(log, delivery)
    for name, value in _row(entry).items():
        if value:
            typer.echo(f"{name}: {value}")
    try:
        found = from_stored(stored)
    except Quarantined:
        body = stored.value
    else:
        typer.echo(f"id: {found.id}\nreceived: {found.received_at.isoformat()}\nheaders: {found.headers}")
        body = found.body
    shown = body[:_EXCERPT].decode("utf-8", "backslashreplace")
    typer.echo(f"body ({len(body)} bytes):\n{_printable(shown)}{' ...' if len(body) > _EXCERPT else ''}")


@app.command()
def replay(
    delivery: Annotated[list[int] | None, typer.Argument(help="Numbers of deliveries; default: all open ones.")] = None,
    connector: _Connector = None,
    reason: _Reason = None,
) -> None:
    """Translate deliveries again after a fix. Those that succeed are resolved. Exit 1 if some still fail."""
    from pipeline.wiring import clock, wire

    wiring = wire()
    try:
        translator = wiring.translator()
        open_ones = translator.quarantine.entries("open", connector, reason)
        report = translator.replay(delivery or [entry.failure.delivery for entry in open_ones], clock())
    finally:
        wiring.close()
    say(f"{report.deliveries} deliveries: {report.resolved} resolved with {report.events} new events")
    for why, number in sorted(report.quarantined.items()):
        say(f"  {number} still {why}")
    if report.quarantined:
        raise typer.Exit(_FINDINGS)


@app.command()
def drop(
    delivery: Annotated[list[int], typer.Argument(help="Numbers of deliveries.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the entry.")],
) -> None:
    """Settle deliveries that are not worth translating. They stay in the log, marked, and can still be replayed."""
    from pipeline.wiring import clock

    with _opened() as log:
        dropped = Quarantine(log).drop(delivery, reason, clock())
    say(f"{dropped} dropped: {reason}")


def _row(entry: Entry) -> dict[str, object]:
    failure = entry.failure
    return {
        "delivery": failure.delivery,
        "state": entry.state,
        "connector": failure.connector,
        "kind": failure.kind,
        "reason": failure.reason,
        "detail": failure.detail,
        "recorded": entry.recorded,
        "note": entry.note,
    }


def _printable(text: str) -> str:
    """Replace control characters: what a stranger sent must not drive the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
