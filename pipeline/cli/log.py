"""`leadline log`: look at the log, copy it, check it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console

from pipeline.cli.output import Format, print_rows, say
from pipeline.events.errors import ConfigError
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog, Stored
from pipeline.log.transfer import Copied, Progress

app = typer.Typer(no_args_is_help=True, help="The log: what has arrived, in order, for good.")

_STDIO = Path("-")
_FOLLOW_SECONDS = 0.5
_DAMAGED = 5


class Stream(StrEnum):
    """The streams a person looks at."""

    DELIVERIES = DELIVERIES
    EVENTS = EVENTS


class Kind(StrEnum):
    """How a copy is written."""

    NDJSON = "ndjson"
    PARQUET = "parquet"


_StreamOption = Annotated[Stream, typer.Option("--stream", help="Raw deliveries, or the events made of them.")]


@contextmanager
def _opened() -> Iterator[EventLog]:
    from pipeline.wiring import open_log

    with closing(open_log()) as log:
        yield log


@app.command()
def stat(output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE) -> None:
    """Print how much each stream holds, and up to when."""
    with _opened() as log:
        rows = [{**msgspec.structs.asdict(log.stat(stream)), "generation": log.generation(stream)} for stream in Stream]
    columns = ("stream", "records", "bytes", "partitions", "generation", "first_time", "last_time", "last_recorded")
    print_rows(rows, columns, output)


@app.command()
def tail(
    stream: _StreamOption = Stream.EVENTS,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only this event type or kind of delivery; may hold *.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of the last records to print.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then print what arrives, until interrupted.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="Print whole records as JSON lines.")] = False,
) -> None:
    """Print the latest records."""
    from pipeline.log.view import latest, type_filter

    wanted = type_filter(stream, kind)
    with _opened() as log:
        after = log.end(stream)
        _print(latest(log, stream, after, limit, wanted), stream, ndjson=ndjson)
        idle = threading.Event()
        while follow:
            for batch in log.iterate(stream, after):
                _print(filter(wanted, batch), stream, ndjson=ndjson)
                after = batch[-1].offset
            idle.wait(_FOLLOW_SECONDS)


def _print(records: Iterable[Stored], stream: str, *, ndjson: bool) -> None:
    from pipeline.log.ndjson import to_line
    from pipeline.log.view import short_type, shown

    for stored in records:
        if ndjson:
            line = to_line(stored, stream).decode()
        else:
            what = shown(stream, stored)
            time = f"{stored.time:%Y-%m-%d %H:%M:%S}"
            line = f"{stored.offset:>8}  {time}  {short_type(what.type):<24} {stored.key}  {what.about}"
        typer.echo(line)


@app.command()
def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - is stdout (ndjson).")],
    stream: _StreamOption = Stream.EVENTS,
    kind: Annotated[Kind | None, typer.Option("--format", help="Default: by the name of the file.")] = None,
) -> None:
    """Write a whole stream to a file. An existing file is replaced when all is written."""
    from pipeline.log.ndjson import export_ndjson
    from pipeline.log.transfer import replacing

    with _opened() as log, _progress("exported") as progress:
        if _format(target, kind) is Kind.PARQUET:
            from pipeline.log.parquet import export_parquet

            done = export_parquet(log, stream, target, progress)
        elif target == _STDIO:
            done = export_ndjson(log, stream, sys.stdout.buffer, progress)
        else:
            with replacing(target) as partial, partial.open("wb") as out:
                done = export_ndjson(log, stream, out, progress)
    say(f"{done} records of {stream} written to {'stdout' if target == _STDIO else target}")


@app.command(name="import")
def import_(
    origin: Annotated[
        Path, typer.Argument(metavar="FILE", help="What export or `simulate --out` wrote; - is stdin (ndjson).")
    ],
    stream: _StreamOption = Stream.EVENTS,
    kind: Annotated[Kind | None, typer.Option("--format", help="Default: by the name of the file.")] = None,
) -> None:
    """Read a copy into the log. What is there already is skipped, so it may be repeated.

    Besides what `leadline log export` wrote, events may be plain CloudEvents, one a line, as `leadline simulate --out`
    writes them. A record that could not be read again is refused, with file and line.
    """
    from pipeline.log.transfer import import_records

    with _opened() as log, _progress("imported") as progress:
        if _format(origin, kind) is Kind.PARQUET:
            from pipeline.log.parquet import read_parquet

            appended = import_records(log, stream, read_parquet(origin), progress)
        else:
            with _source(origin) as lines:
                appended = import_records(log, stream, _lines(lines, origin), progress)
    say(f"{appended.new} records new in {stream}, {appended.duplicates} were there already")


@app.command()
def verify(output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE) -> None:
    """Read everything: the file, every record, the digests to compare copies by. Exit 5 if something is damaged."""
    from pipeline.log.transfer import digest
    from pipeline.log.verify import unreadable

    with _opened() as log:
        log.check()
        rows = [{"stream": stream.value, **msgspec.structs.asdict(digest(log, stream))} for stream in Stream]
        print_rows(rows, ("stream", "records", "content", "history"), output)
        found = [each for stream in Stream for each in unreadable(log, stream)]
    for each in found:
        say(f"{each.stream} {each.offset} ({each.source} {each.id}): {each.detail}")
    if found:
        raise typer.Exit(_DAMAGED)
    say("sound: the file is intact and every record can be read")


def _format(path: Path, kind: Kind | None) -> Kind:
    chosen = kind or (Kind.PARQUET if path.suffix == ".parquet" else Kind.NDJSON)
    if chosen is Kind.PARQUET and path == _STDIO:
        raise typer.BadParameter("Parquet needs a file; use --format ndjson, or name a file")
    return chosen


@contextmanager
def _source(path: Path) -> Iterator[BinaryIO]:
    if path == _STDIO:
        yield sys.stdin.buffer
        return
    try:
        opened = path.open("rb")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    with opened:
        yield opened


def _lines(lines: BinaryIO, path: Path) -> Iterator[Copied]:
    from pipeline.log.ndjson import read_ndjson
    from pipeline.wiring import clock

    return read_ndjson(lines, "stdin" if path == _STDIO else str(path), clock())


@contextmanager
def _progress(what: str) -> Iterator[Progress | None]:
    """Tell on a terminal how far it is; be silent elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status(f"{what} 0 records") as status:
        yield lambda done: status.update(f"{what} {done:,} records")
