"""`leadline backup` copies everything while it runs; `leadline restore` puts a copy into an empty place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.cli.output import Format, print_rows, say

if TYPE_CHECKING:
    from pipeline.log.copying import PagesDone
    from pipeline.settings import Settings
    from pipeline.snapshots.backup import About, Place

app = typer.Typer()

_COLUMNS = ("what", "records", "digest")


@app.command()
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="Where to: one file if it ends with .tar, else a new directory.")
    ],
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """Copy database, snapshots and the key of pseudonyms; what runs goes on meanwhile. Nothing is replaced.

    The copy is read back and compared with what was copied. It holds raw deliveries: guard it like the database.
    """
    from pipeline.snapshots.backup import backup as make
    from pipeline.wiring import clock, wire

    wiring = wire()
    place = _place(wiring.existing().settings)
    with _progress() as progress:
        where, about = make(place, target, clock(), version=version("leadline"), progress=progress)
    print_rows(_rows(about), _COLUMNS, output)
    if about.unreadable:
        say(f"{about.unreadable} records cannot be read by this release, and were copied as they are")
    if about.key_print is not None and "leadline.actor-key" not in about.files:
        say("The actor key is not in it, since the settings name it: keep that as well, a restore needs it.")
    size = sum(each.bytes for each in about.files.values())
    say(f"{where}: {size / 1e6:,.1f} MB in {len(about.files)} files, verified")


@app.command()
def restore(
    origin: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="What `leadline backup` wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only see whether every file is as it was written.")] = False,
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """Put a backup where the settings say that database and snapshots are; nothing may be there yet.

    Exit 5 if the backup is damaged, 3 if the place is not empty; nothing is changed then.
    """
    from pipeline.settings import load_settings
    from pipeline.snapshots.restore import check as check_files
    from pipeline.snapshots.restore import restore as put

    settings = load_settings()
    about = check_files(origin) if check else put(origin, _place(settings))
    print_rows(_rows(about), _COLUMNS, output)
    told = f"taken {about.taken_at:%Y-%m-%d %H:%M:%S} UTC by Leadline {about.version}"
    say(f"{origin}: sound, {told}" if check else f"{settings.database}: restored and verified, {told}")


def _place(settings: Settings) -> Place:
    from pipeline.snapshots.backup import Place, key_print

    own, key = None, None
    if settings.actor_key is not None:
        key = settings.actor_key.get_secret_value().encode()
    elif settings.actor_key_file is not None:
        key = settings.actor_key_file.read_bytes().strip()
    else:
        own = settings.database.with_suffix(".actor-key")
        key = own.read_bytes().strip() if own.exists() else None
    return Place(
        database=settings.database,
        snapshots=settings.snapshots,
        key=own,
        key_print=None if key is None else key_print(key),
    )


def _rows(about: About) -> Iterator[dict[str, object]]:
    from pipeline.log.copying import combined
    from pipeline.snapshots.backup import state_tables

    for name, stream in about.streams.items():
        yield {"what": name, "records": stream.records, "digest": stream.history}
    state = state_tables(about.tables)
    yield {
        "what": "state",
        "records": sum(about.tables[name].rows for name in state),
        "digest": combined(about.tables, state),
    }
    yield {"what": "snapshots", "records": about.snapshot or 0, "digest": None}


@contextmanager
def _progress() -> Iterator[PagesDone | None]:
    """Tell on a terminal how far it is; be silent elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status("copying") as status:
        yield lambda done, total: status.update(f"copying {done / max(total, 1):.0%}")
