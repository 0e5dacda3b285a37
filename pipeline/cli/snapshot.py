"""`leadline snapshot`: facts, events and metrics as Parquet files that remember what was reported when."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.snapshots.manifest import Manifest

app = typer.Typer(no_args_is_help=True, help="Facts, events and metrics as Parquet files, and SQL views over them.")

Output = Annotated[Format, typer.Option("--output", "-o")]
_LIST = ("number", "taken_at", "as_of", "position", "facts", "events", "files", "bytes")


class Kind(StrEnum):
    """What can be exported."""

    CHANGES = "changes"
    DEPLOYMENTS = "deployments"
    FAILURES = "failures"
    TICKETS = "tickets"
    WAITS = "waits"
    DECISIONS = "decisions"
    ARTIFACTS = "artifacts"
    ACTS = "acts"
    EVENTS = "events"
    METRICS = "metric_points"
    RESTATEMENTS = "restatements"


class FileFormat(StrEnum):
    """How an export is written."""

    PARQUET = "parquet"
    CSV = "csv"


@app.command(name="build")
def build_snapshot(
    full: Annotated[
        bool, typer.Option("--full", help="Compare every fact, not just those that changed; for a database made anew.")
    ] = False,
) -> None:
    """Write what is different from the last snapshot. Without a difference nothing is written."""
    from pipeline.snapshots.build import build
    from pipeline.wiring import clock, wire

    wiring = wire()
    try:
        directory = wiring.settings.snapshots
        built = build(wiring.store(), wiring.log(), directory, clock(), version=version("leadline"), full=full)
    finally:
        wiring.close()
    if built.swept:
        say(f"removed {built.swept} files that an interrupted build had left")
    manifest = built.manifest
    if built.new:
        rows = f"{manifest.rows('facts')} fact rows, {manifest.rows('events')} events"
        say(f"snapshot {manifest.number}: {rows} in {len(manifest.files)} files under {directory}")
    else:
        say(f"nothing new since snapshot {manifest.number}")


@app.command(name="verify")
def verify_snapshots(output: Output = Format.TABLE) -> None:
    """Read every file and compare it with what was written. Exit 5, naming the file, if one is damaged or missing."""
    from pipeline.snapshots.verify import verify

    verified = verify(load_settings().snapshots)
    print_rows([msgspec.structs.asdict(verified)], verified.__struct_fields__, output)
    if not verified.catalogue:
        say("leadline.duckdb is missing, old or from another place; `leadline snapshot build` makes it anew")


@app.command(name="list")
def list_snapshots(output: Output = Format.TABLE) -> None:
    """Print the snapshots, the latest first."""
    from pipeline.snapshots.manifest import chain

    print_rows([_row(manifest) for _, manifest in reversed(chain(load_settings().snapshots))], _LIST, output)


@app.command()
def diff(
    older: Annotated[int, typer.Argument(help="Number of a snapshot; 0: before the first.")],
    newer: Annotated[int, typer.Argument(help="Number of a later snapshot.")],
    kind: Annotated[str | None, typer.Option(help="Only change, deployment, failure or ticket.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the facts that differ between two snapshots, field by field."""
    from pipeline.cli.sql import ask

    for number in (older, newer):
        if not 0 <= number <= _latest():
            raise typer.BadParameter(f"there is no snapshot {number}; `leadline snapshot list` shows them")
    sql = (
        "SELECT * FROM difference($older::bigint, $newer::bigint)"
        " WHERE $kind::varchar IS NULL OR kind = $kind::varchar ORDER BY kind, id, field"
    )
    ask(sql, {"older": str(older), "newer": str(newer), "kind": kind}, output)


@app.command()
def export(
    kind: Annotated[Kind, typer.Argument(help="What to export, as the latest snapshot has it.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="Form of the file.")] = FileFormat.CSV,
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """Write facts, events or metrics as one file. In CSV, lists and structures are JSON."""
    from pipeline.snapshots.export import write_csv, write_parquet
    from pipeline.snapshots.reading import reading

    write = write_csv if file_format is FileFormat.CSV else write_parquet
    with reading(load_settings().snapshots, seconds=3600) as library:
        rows = write(library, kind.value, out or sys.stdout.buffer)
    say(f"{rows} rows of {kind.value}")


def _latest() -> int:
    from pipeline.snapshots.manifest import current

    last = current(load_settings().snapshots)
    return 0 if last is None else last[1].number


def _row(manifest: Manifest) -> dict[str, object]:
    about = {name: getattr(manifest, name) for name in ("number", "taken_at", "as_of", "position")}
    size = sum(file.bytes for file in manifest.files)
    rows = {room: manifest.rows(room) for room in ("facts", "events")}
    return {**about, **rows, "files": len(manifest.files), "bytes": size}
