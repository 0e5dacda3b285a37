"""`leadline demo`: the whole path on a simulated organisation, and what to try next."""

from __future__ import annotations

import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli.output import say
from pipeline.events.errors import ConfigError
from pipeline.events.times import from_us
from pipeline.metrics.catalogue import MetricPoint
from pipeline.metrics.windows import human_seconds

if TYPE_CHECKING:
    from pipeline.simulate.truths import Truth

app = typer.Typer()

_WINDOW = 28
_ORDER = {"org": 0, "team": 1, "initiative": 2, "service": 3}
_COLUMNS = (
    ("deploys/day", "deployment_frequency", "value"),
    ("fail rate", "change_fail_rate", "value"),
    ("lead p50", "change_lead_time", "p50"),
    ("lead p85", "change_lead_time", "p85"),
    ("review p85", "review_time", "p85"),
    ("recovery p50", "failed_deployment_recovery_time", "p50"),
    ("rework", "deployment_rework_rate", "value"),
    ("traced", "traceability_coverage", "value"),
    ("open", "open_changes", "value"),
)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo's database goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed, another organisation.")] = 7,
) -> None:
    """Simulate an organisation, derive its delivery metrics from the event log, and print them."""
    from pipeline.cli.simulate import append
    from pipeline.settings import Settings
    from pipeline.simulate.chance import Chance
    from pipeline.simulate.organisation import entries, everything, truth
    from pipeline.simulate.plan import Plan
    from pipeline.simulate.scramble import scramble
    from pipeline.snapshots.build import build
    from pipeline.wiring import Wiring, clock

    _make_room(directory)
    settings = Settings(database=directory / "leadline.db", snapshots=directory / "snapshots")
    (directory / "leadline.yaml").write_text("database: leadline.db\nsnapshots: snapshots\n")
    plan = Plan(seed=seed)
    wiring = Wiring(settings)
    try:
        appended = append(wiring.log(), entries(scramble(everything(plan), Chance(seed))))
        say(f"1. {appended.new} events in the log ({appended.duplicates} were told twice; they came out of order)")
        started = time.perf_counter()
        report = wiring.engine().run()
        seconds = time.perf_counter() - started
        say(f"2. folded {report.events} events into {report.revisions} fact revisions in {seconds:.1f} s")
        taken = build(wiring.store(), wiring.log(), settings.snapshots, clock(), version=version("leadline")).manifest
        say(f"3. snapshot {taken.number}: {taken.rows('facts')} facts and {taken.rows('events')} events as Parquet")
        points = wiring.metrics()
    finally:
        wiring.close()
    _show(points)
    _tell_truth(truth(plan))
    _what_next(directory)


def _make_room(directory: Path) -> None:
    """Take away what an earlier demo left, and nothing else."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob("leadline.*"):
            path.unlink()
        shutil.rmtree(directory / "snapshots", ignore_errors=True)
    except OSError as error:
        raise ConfigError(f"--dir {directory}: {error.strerror}; name a folder that can be written") from error


def _show(points: list[MetricPoint]) -> None:
    """Print one row a scope: throughput never without instability, latency never without what is still open."""
    found = {(p.scope_kind, p.scope, p.metric, p.stat): p for p in points if p.window_days in (_WINDOW, None)}
    as_of = from_us(max(point.as_of for point in points))
    table = Table(title=f"Delivery in the {_WINDOW} days to {as_of:%Y-%m-%d}, by scope", title_justify="left", box=None)
    table.add_column("scope", no_wrap=True)
    for title, _, _ in _COLUMNS:
        table.add_column(title, justify="right", no_wrap=True)
    scopes = sorted({(p.scope_kind, p.scope) for p in found.values()}, key=lambda scope: (_ORDER[scope[0]], scope))
    for kind, scope in scopes:
        cells = [found.get((kind, scope, metric, stat)) for _, metric, stat in _COLUMNS]
        table.add_row(f"{kind} {scope}", *(_cell(point) for point in cells), end_section=kind == "org")
    console = Console(highlight=False)
    console.width = max(console.width, 150)
    console.print(table)
    console.print("n in brackets; - is no data, which is not zero.")


def _cell(point: MetricPoint | None) -> str:
    if point is None:
        return "-"
    if point.unit == "seconds":
        return f"{human_seconds(point.value)} ({point.n})"
    if point.unit == "ratio":
        return f"{point.value:.0%} ({point.n})"
    if point.unit == "count":
        return f"{point.value:.0f}"
    return f"{point.value:.2f} ({point.n})"


def _tell_truth(planted: Truth) -> None:
    """Say what was planted in the organisation, so that a reader can look for it in the numbers."""
    say("\nWhat was planted, for you to find above and below:")
    if planted.slow is not None:
        say(f"  {planted.slow} is slow, and it is the review that takes long")
    if planted.bad_spell is not None:
        spell = planted.bad_spell
        days = f"{from_us(spell.start_us):%d %b} to {from_us(spell.end_us):%d %b}"
        say(f"  {spell.service} had {len(spell.failed)} bad deployments of {spell.finished} from {days}")
    if planted.orphans is not None:
        say(f"  {planted.orphans.team} does work that leads to no initiative: {len(planted.orphans.changes)} changes")
    if planted.late_links:
        say(f"  {len(planted.late_links)} changes found their epic only weeks after they were deployed")


def _what_next(directory: Path) -> None:
    config = directory / "leadline.yaml"
    say(
        f"\nLook closer (source .venv/bin/activate, if leadline is not found):\n"
        f"  leadline --config {config} query slowest_changes      which changes took longest, and where\n"
        f"  leadline --config {config} query failed_deployments   what broke, and for how long\n"
        f"  leadline --config {config} query orphan_work          what leads to no initiative\n"
        f'  leadline --config {config} sql "FROM deployments LIMIT 5"\n'
        f"  leadline --config {config} audit                      compute everything a second time, in SQL\n"
        f"  leadline --config {config} serve                      HTTP API and /metrics on http://127.0.0.1:8080\n"
        f"Your own repository:\n"
        f"  leadline ingest git PATH && leadline run --once && leadline metrics show\n"
    )
