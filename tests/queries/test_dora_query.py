"""SQL over the facts gives the numbers of the fold, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings

import queries
from pipeline.events.envelope import Event
from pipeline.metrics.catalogue import BY_NAME, SCOPE_KINDS, WINDOWS
from pipeline.metrics.sums import quantile
from pipeline.metrics.windows import read_metrics
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from pipeline.snapshots.reading import reading
from tests.queries.between_teams import history
from tests.simulation.stories import STORIES
from tests.simulation.story import Story, committed, deployed, moment, opened, seen, ticket_moved
from tests.simulation.story_teamwork import proposed, transferred
from tests.simulation.strategies import cooperative
from tests.snapshots.desk import Desk, ask

METRIC_QUERIES = ("dora", "flow", "coordination", "assistants")
#: (metric, stat, scope kind, scope, window) -> (value, n, unit)
Points = dict[tuple[Any, ...], tuple[float, int, str]]


def folded(desk: Desk, as_of: datetime) -> Points:
    return {
        (point.metric, point.stat, point.scope_kind, point.scope, point.window_days): (point.value, point.n, point.unit)
        for point in read_metrics(desk.engine.state, as_of, latest=desk.engine.as_of())
    }


def queried(desk: Desk, as_of: datetime | None) -> Points:
    """Ask all queries that compute metrics; no two of them give the same."""
    found: Points = {}
    with reading(desk.directory) as library:
        for name in METRIC_QUERIES:
            query = queries.load(name)
            values = query.with_defaults({} if as_of is None else {"as_of": as_of.isoformat()})
            with library.ask(query.sql, values) as answer:
                given = points(list(answer.rows))
            assert found.keys().isdisjoint(given)
            found |= given
    return found


def points(rows: list[dict[str, Any]]) -> Points:
    key = ("metric", "stat", "scope_kind", "scope", "window_days")
    return {tuple(row[name] for name in key): (row["value"], row["n"], row["unit"]) for row in rows}


@pytest.mark.parametrize("plan", [Plan(days=100, teams=3), Plan(seed=11, days=60, teams=2)], ids=["100d", "60d"])
def test_an_organisation_has_the_numbers_of_the_fold(tmp_path: Path, plan: Plan) -> None:
    desk = Desk(tmp_path)
    desk.tell(*everything(plan), *history())
    desk.snap()
    as_of = desk.engine.as_of()
    assert as_of is not None
    expected = folded(desk, as_of)

    assert {key[2] for key in expected} == set(SCOPE_KINDS)
    assert {key[4] for key in expected} == {*WINDOWS, None}
    assert queried(desk, None) == expected
    assert points(ask(desk.directory, "FROM metric_points")) == expected


@pytest.mark.slow
def test_every_story_has_the_numbers_of_the_fold(tmp_path: Path) -> None:
    metrics: set[str] = set()
    teamwork = Story("between teams", (*history(), *_finished(), *_assisted()), as_of="20 12:00")
    for number, story in enumerate((*STORIES, teamwork)):
        desk = Desk(tmp_path / str(number))
        desk.tell(*story.events)
        desk.snap()
        as_of = moment(story.as_of)
        expected = folded(desk, as_of)
        assert queried(desk, as_of) == expected, story.name
        metrics |= {key[0] for key in expected}
    assert metrics == set(BY_NAME)


def _finished() -> Iterator[Event]:
    """Two tickets are done, one of them after it was blocked; only one of their moves says why."""
    yield ticket_moved("06 09:00", "GROW-21", "Blocked", reason="No data")
    yield ticket_moved("08 09:00", "GROW-21", "In Review")
    yield ticket_moved("16 09:00", "GROW-21", "Done")
    yield ticket_moved("09 09:00", "GROW-11", "Done")
    yield transferred("17 09:00", "GROW-31", "core")


def _assisted() -> Iterator[Event]:
    yield proposed("11 09:00", "spec-1", "speed")
    yield proposed("12 09:00", "spec-2")
    for number, assistant in ((3, "claude"), (4, None)):
        yield committed(f"c{number}", "11 09:00", "c0")
        yield opened("11 09:00", number)
        yield seen("11 09:00", number, commits=[f"c{number}"], labels=["speed"], assistant=assistant)
        yield deployed(f"1{number} 09:00", f"d{number}", f"c{number}")


@pytest.mark.slow
@settings(max_examples=5)
@given(cooperative())
def test_any_history_of_work_between_teams_has_the_numbers_of_the_fold(events: list[Event]) -> None:
    with TemporaryDirectory() as directory:
        desk = Desk(Path(directory))
        desk.tell(*events)
        desk.snap()
        as_of = desk.engine.as_of()
        assume(as_of is not None)
        assert as_of is not None
        assert queried(desk, None) == folded(desk, as_of)
        earlier = as_of - timedelta(days=3)
        assert queried(desk, earlier) == folded(desk, earlier)


def test_quantiles_and_rounding_are_those_of_the_fold(tmp_path: Path) -> None:
    chance = Random(3)
    desk = Desk(tmp_path)
    desk.snap()
    sizes = [chance.randint(1, 60) for _ in range(300)]
    lists = [sorted(chance.randrange(10 ** chance.randint(1, 11)) for _ in range(size)) for size in sizes]
    spans = [[value / 1000 for value in values] for values in lists]
    listed = ", ".join(f"({number}, {values}::DOUBLE[])" for number, values in enumerate(spans))
    rows = ask(
        desk.directory,
        f"SELECT number, share, rounded(quantile_of(spans, share)) AS value FROM (VALUES {listed}) AS t(number, spans),"
        " (VALUES (0.5), (0.85), (0.95)) AS s(share)",
    )

    assert len(rows) == 900
    for row in rows:
        assert row["value"] == round(quantile(lists[row["number"]], float(row["share"])) / 1000, 9)


def test_rounding_is_pythons() -> None:
    chance = Random(5)
    divisors = (1, 3, 7, 1024, 4096)
    values = [chance.randrange(10**size) / by for size in range(1, 15) for by in divisors for _ in range(50)]
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT v, format('{:.9f}', v)::DOUBLE FROM unnest(?::DOUBLE[]) AS t(v)", [values])
        assert all(rounded == round(value, 9) for value, rounded in rows.fetchall())
