"""`leadline week`: replay the recorded week of a small company, day by day, and tell what became visible when."""

from __future__ import annotations

import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.output import say
from pipeline.events.errors import ConfigError

app = typer.Typer()

INITIATIVE = "onboarding"


@app.command()
def week(
    directory: Annotated[Path, typer.Option("--dir", help="Where the week's database goes.")] = Path("week"),
    speed: Annotated[
        float, typer.Option(min=0, help="Hours of the week that pass in a second; 0: as fast as it goes.")
    ] = 0,
) -> None:
    """Replay a recorded week: three drafts become one initiative, and by Friday its story tells itself."""
    from pipeline.cli.replay import Evening, Replay
    from pipeline.cli.week_telling import day_lines, friday_lines
    from pipeline.simulate.week.recorded import Moment, days

    _make_room(directory)
    replay = Replay(directory, INITIATIVE)
    try:
        last: datetime | None = None
        evening: Evening | None = None
        for day in days():
            for step in replay.day(day):
                _pace(last, step.at, speed)
                last = step.at
                if isinstance(step, Moment):
                    continue
                evening = step
                typer.echo("\n".join(day_lines(replay, step)) + "\n")
        if evening is not None:
            typer.echo("\n".join(friday_lines(replay, evening)))
        first = replay.digest()
        again = replay.rebuild()
    finally:
        replay.close()
    if again != first:
        say(f"The log, replayed from its beginning, gives {again} and not {first}: that is a fault of Leadline.")
        raise typer.Exit(5)
    typer.echo(f"\nThe log, replayed from its beginning, gives the same bytes: {first}")
    _what_next(directory)


def _pace(last: datetime | None, now: datetime, speed: float) -> None:
    if speed and last is not None:
        time.sleep(max((now - last) / timedelta(hours=1) / speed, 0))


def _make_room(directory: Path) -> None:
    """Take away what an earlier replay left, and nothing else."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob("leadline.*"):
            path.unlink()
        shutil.rmtree(directory / "snapshots", ignore_errors=True)
        (directory / "leadline.yaml").write_text("database: leadline.db\nsnapshots: snapshots\n")
    except OSError as error:
        raise ConfigError(f"--dir {directory}: {error.strerror}; name a folder that can be written") from error


def _what_next(directory: Path) -> None:
    config = directory / "leadline.yaml"
    say(
        f"\nLook closer:\n"
        f"  leadline --config {config} explain {INITIATIVE}              everything behind it, step by step\n"
        f'  leadline --config {config} sql "FROM restatements"          what later days changed in earlier reports\n'
        f"  leadline --config {config} audit                           compute everything a second time, in SQL\n"
    )
