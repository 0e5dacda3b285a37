"""`leadline export`: what other systems take in as a file."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.output import say
from pipeline.contract.durations import parse_duration

if TYPE_CHECKING:
    from pipeline.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="Files that other systems take in.")

_LABEL = re.compile(r"([a-zA-Z][a-zA-Z0-9_]*)=(.*)", re.DOTALL)
_OWN_LABELS = {"scope", "scope_kind", "stat", "window"}
_DAY = timedelta(days=1)


@app.callback()
def root() -> None:
    """Files that other systems take in."""


def parse_day(text: str) -> date:
    """Read an ISO 8601 date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 date; such as 2026-03-01") from error


def parse_step(text: str) -> timedelta:
    """Read a duration that divides a day, or is of whole days."""
    try:
        step = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if _DAY % step and step % _DAY:
        raise typer.BadParameter(f"{text!r} neither divides a day nor is of whole days; such as 1h, 1d or 7d")
    return step


def parse_labels(texts: list[str]) -> dict[str, str]:
    """Read labels as `name=value`."""
    found = {}
    for text in texts:
        label = _LABEL.fullmatch(text)
        if label is None:
            raise typer.BadParameter(f"--label {text!r}: write name=value; a name has letters, digits and underscores")
        if label[1] in _OWN_LABELS:
            raise typer.BadParameter(f"--label {text!r}: the series have a label {label[1]!r} of their own")
        found[label[1]] = label[2]
    return found


@app.command()
def openmetrics(
    since: Annotated[
        date | None, typer.Option(parser=parse_day, metavar="DATE", help="First UTC day; default: the first with data.")
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(parser=parse_day, metavar="DATE", help="Last UTC day; default: the last that the log is past."),
    ] = None,
    step: Annotated[
        timedelta, typer.Option(parser=parse_step, metavar="DURATION", help="Time between two samples.")
    ] = "1d",  # type: ignore[assignment] # the parser reads it
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Label of every series, such as job=leadline.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """Write what each day ended with, by all that is known now, for `promtool tsdb create-blocks-from openmetrics`."""
    from pipeline.exporter.history import LEFT_OUT, Days, write_history
    from pipeline.wiring import wire

    labels = parse_labels(label or [])
    wiring = wire().existing()
    try:
        latest = wiring.engine().as_of()
        span = _span(wiring, since, until)
        if latest is None or span is None:
            say("No day with data is over; there is nothing to export.")
            return
        with ExitStack() as stack:
            target = sys.stdout if out is None else stack.enter_context(out.open("w", encoding="utf-8"))
            days = Days(since=span[0], until=span[1], step=step)
            written = write_history(target, wiring.metrics, days, latest, labels=labels)
        behind = wiring.behind()
    finally:
        wiring.close()
    say(f"{written.samples} samples of {written.series} series, {span[0]} to {span[1]}, {written.days} days with data")
    say(f"Left out, since what was open is known as of now alone: {', '.join(LEFT_OUT)}.")
    if written.dropped:
        say(f"{written.dropped} scopes are left out, being beyond the limit of /metrics.")
    if behind:
        say("The log holds more than these numbers do: `leadline run --once` takes it in.")


def _span(wiring: Wiring, since: date | None, until: date | None) -> tuple[date, date] | None:
    """Return the first and the last day to export; None if there is none. Raises `BadParameter` for days to come."""
    from pipeline.exporter.history import first_day, last_whole_day

    latest, first = wiring.engine().as_of(), first_day(wiring.engine().state)
    if latest is None or first is None:
        return None
    last = last_whole_day(latest)
    if until is not None and until > last:
        raise typer.BadParameter(f"--until {until}: the numbers are as of {latest.isoformat()}; give {last} or earlier")
    begin, end = max(first, since or first), until or last
    return (begin, end) if begin <= end else None
