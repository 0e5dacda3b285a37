"""`leadline backfill`: read the past of a source from its API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.cli.output import say
from pipeline.events.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.ingest.polling import Progress as Told
    from pipeline.ingest.polling import Report

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

app = typer.Typer(
    no_args_is_help=True,
    help="Read the past of a source from its API. Killed or failed, the same command goes on where it was.",
)

_Since = Annotated[
    datetime | None, typer.Option(formats=_FORMATS, help="Leave out what was last updated before (UTC, or a zone).")
]
_Until = Annotated[
    datetime | None, typer.Option(formats=_FORMATS, help="Leave out what was created later, as far as can be told.")
]
_Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="How many are read at the same time.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count; store nothing.")]


@app.command()
def github(
    repositories: Annotated[list[str], typer.Argument(metavar="REPO...", help="Repositories, as OWNER/NAME.")],
    *,
    since: _Since = None,
    until: _Until = None,
    jobs: _Jobs = 2,
    dry_run: _DryRun = False,
) -> None:
    """Read pull requests, reviews, issues, deployments, runs, releases and commits of repositories."""
    _backfill("github", repositories, since, until, jobs=jobs, dry_run=dry_run)


@app.command()
def jira(
    *,
    project: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A project; several are read at the same time.")
    ] = None,
    jql: Annotated[str | None, typer.Option(help="What issues to read (default: all that the account sees).")] = None,
    since: _Since = None,
    until: _Until = None,
    jobs: _Jobs = 2,
    dry_run: _DryRun = False,
) -> None:
    """Read issues with their whole history."""
    quoted = ['"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in project or []]
    scopes = [f"project = {key}" + (f" AND ({jql})" if jql else "") for key in quoted] or [jql or ""]
    _backfill("jira", scopes, since, until, jobs=jobs, dry_run=dry_run)


def _backfill(
    connector: str, scopes: Sequence[str], since: datetime | None, until: datetime | None, *, jobs: int, dry_run: bool
) -> None:
    from pipeline.cli.polled import say_retries
    from pipeline.wiring import wire

    start, end = _utc(since), _utc(until)
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter(f"--since {start} is not before --until {end}")
    say_retries()
    wiring = wire()
    try:
        with wiring.polling(connector, dry_run=dry_run) as polling, _progress() as progress:
            reports = polling.backfill(scopes, since=start, until=end, jobs=jobs, progress=progress)
    finally:
        wiring.close()
    for report in reports:
        _tell(connector, report, dry_run=dry_run)
    errors = [report.error for report in reports if report.error is not None]
    if errors:
        # What a person has to correct comes first: it does not pass by itself.
        raise next((error for error in errors if isinstance(error, ConfigError)), errors[0])


def _tell(connector: str, report: Report, *, dry_run: bool) -> None:
    name = report.scope or connector
    kept = "nothing stored (dry run)" if dry_run else f"{report.new:,} new"
    say(f"{name}: read {report.deliveries:,} deliveries; {kept}")
    if report.error is not None:
        say(f"{name}: not finished; the same command goes on from here: {report.error}")


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar for each scope on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def told(report: Report) -> None:
            if report.scope not in tasks:
                tasks[report.scope] = bars.add_task(report.scope or "everything", total=None)
            bars.update(tasks[report.scope], completed=report.deliveries, total=report.expected)

        yield told
