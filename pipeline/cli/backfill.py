"""`leadline backfill`: read the past of a source from its API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.cli.output import say
from pipeline.events.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.ingest.polling import Progress as Told
    from pipeline.ingest.polling import Report
    from pipeline.wiring import Wiring

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

app = typer.Typer()


def _names(incomplete: str) -> list[str]:
    from pipeline.wiring import POLLERS

    return [name for name in sorted(POLLERS) if name.startswith(incomplete)]


@app.command(no_args_is_help=True)
def backfill(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=_names, help="The connector, such as github or jira.")
    ],
    scopes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCOPE]...", help="What to read: repositories, projects, queries. Default: see the docs."
        ),
    ] = None,
    *,
    project: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Jira: a project; several are read at the same time.")
    ] = None,
    jql: Annotated[str | None, typer.Option(help="Jira: what issues to read.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="Leave out what was last updated before (UTC, or a zone).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="Leave out what was created later, as far as can be told.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="How many are read at the same time.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; store nothing.")] = False,
) -> None:
    """Read the past of a source from its API. Killed or failed, the same command goes on where it was."""
    if name != "jira" and (project or jql):
        raise typer.BadParameter(f"--project and --jql are Jira's; name what to read of {name} without an option")
    _backfill(name, [*(scopes or []), *_searches(project or [], jql)], since, until, jobs=jobs, dry_run=dry_run)


def _searches(projects: Sequence[str], jql: str | None) -> list[str]:
    """Return a JQL for each project."""
    quoted = ['"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in projects]
    return [f"project = {key}" + (f" AND ({jql})" if jql else "") for key in quoted] or ([jql] if jql else [])


def _scopes(wiring: Wiring, name: str, given: Sequence[str]) -> Sequence[str]:
    """Return what is read: what is given, else what the settings poll, else everything, if that can be asked for."""
    from pipeline.wiring import POLLERS

    if name not in POLLERS:
        near = get_close_matches(name, POLLERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(POLLERS))}"
        raise typer.BadParameter(f"{name} cannot be asked for its past; {hint}")
    poll, poller = wiring.settings.connector(name).poll, POLLERS[name]
    found = given or (poll.scopes if poll is not None else [])
    if not found and poller.default_scope is None:
        raise typer.BadParameter(f"{name}: name what to read: {poller.scope}")
    return found or [poller.default_scope or ""]


def _backfill(
    connector: str, given: Sequence[str], since: datetime | None, until: datetime | None, *, jobs: int, dry_run: bool
) -> None:
    from pipeline.cli.polled import say_retries
    from pipeline.wiring import wire

    start, end = _utc(since), _utc(until)
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter(f"--since {start} is not before --until {end}")
    say_retries()
    wiring = wire()
    try:
        scopes = _scopes(wiring, connector, given)
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
