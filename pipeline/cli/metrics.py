"""`leadline metrics`: the numbers as the fold holds them, and what they mean."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from pipeline.cli.contract import parse_moment
from pipeline.cli.output import Format, print_rows, say
from pipeline.events.times import from_us
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, SCOPE_KINDS, WINDOWS, MetricPoint
from pipeline.metrics.windows import last_day

app = typer.Typer(
    no_args_is_help=True, help="Metrics by organisation, team, service, initiative, pair of teams and mode."
)

_COLUMNS = ("scope_kind", "scope", "metric", "window", "stat", "value", "unit", "n", "as_of")


@app.command()
def show(
    scope: Annotated[
        str | None,
        typer.Option(help="Only this scope: KIND or KIND/NAME, such as team/growth or 'pair/growth > platform'."),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Only this metric, and those without which it must not be read.")
    ] = None,
    window: Annotated[int | None, typer.Option(help="Only this window, in days.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(parser=parse_moment, metavar="ISO", help="End of the windows; default: the latest event."),
    ] = None,
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """Print metrics. What has no data is absent."""
    from pipeline.wiring import wire

    _check(scope, metric, window)
    wiring = wire().existing()
    try:
        points = wiring.metrics(as_of)
        latest = None if any(point.window_days for point in points) else last_day(wiring.engine().state)
        behind = wiring.behind()
    finally:
        wiring.close()
    kind, _, name = (scope or "").partition("/")
    wanted = None if metric is None else {metric, *BY_NAME[metric].beside}
    rows = [
        _row(point)
        for point in points
        if (not kind or point.scope_kind == kind)
        and (not name or point.scope == name)
        and (wanted is None or point.metric in wanted)
        and (window is None or point.window_days in (None, window))
    ]
    print_rows(rows, _COLUMNS, output)
    shown = {row["metric"] for row in rows}
    if latest is not None:
        say(f"No data in the 90 days to that instant. The latest day with data is {latest}: try --as-of {latest}.")
    elif "deployment_frequency" in shown and "change_fail_rate" not in {point.metric for point in points}:
        say("Instability is not known: no source has told of any failure, which does not mean that there was none.")
    elif not points and not behind:
        say("No data. Metrics begin with a production deployment, and none is known. `leadline log stat` shows what")
        say("came; connectors/git/README.md and the contract's Services say which tags and environments count.")
    elif not rows:
        say("No data for this selection. `leadline log stat` shows what came, `leadline metrics list` what exists.")
    if behind:
        say("The log holds more than these numbers do: `leadline run --once` takes it in.")


@app.command(name="list")
def list_metrics(output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE) -> None:
    """Print the catalogue: every metric, its unit and its meaning."""
    rows = [
        {"metric": metric.name, "unit": metric.unit, "stats": list(metric.stats), "meaning": metric.help}
        for metric in CATALOGUE
    ]
    print_rows(rows, ("metric", "unit", "stats", "meaning"), output)


def _row(point: MetricPoint) -> dict[str, object]:
    return {
        "scope_kind": point.scope_kind,
        "scope": point.scope,
        "metric": point.metric,
        "window": None if point.window_days is None else f"{point.window_days}d",
        "stat": point.stat,
        "value": point.value,
        "unit": point.unit,
        "n": point.n,
        "as_of": from_us(point.as_of),
    }


@app.command()
def bands(
    year: Annotated[int | None, typer.Option(help="Only this year's report.")] = None,
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """Print what DORA's respondents reported, by year: something to read a number beside, never a verdict."""
    from pipeline.metrics.bands import dora_bands

    rows = [msgspec.structs.asdict(band) for band in dora_bands() if year in (None, band.year)]
    print_rows(rows, ("year", "metric", "cluster", "reported"), output)


def _check(scope: str | None, metric: str | None, window: int | None) -> None:
    """Tell a wrong choice from a right one without data."""
    kind = (scope or "").partition("/")[0]
    for name, value, choices in (
        ("--scope", kind or None, SCOPE_KINDS),
        ("--metric", metric, tuple(BY_NAME)),
        ("--window", window, WINDOWS),
    ):
        if value is not None and value not in choices:
            raise typer.BadParameter(f"{name} {value}: there are {', '.join(map(str, choices))}")
