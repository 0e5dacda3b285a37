"""T7: every number is the sum of members that can be listed."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given

from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.governance.judging import JUDGES
from pipeline.governance.known import Known
from pipeline.governance.members import Members, members
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, PERCENTILES, MetricPoint
from pipeline.metrics.sums import quantile
from pipeline.metrics.windows import read_metrics
from tests.simulation.folding import fold, latest_of
from tests.simulation.strategies import histories


def test_every_metric_can_be_explained() -> None:
    assert JUDGES.keys() == {metric.name for metric in CATALOGUE}


def _value(point: MetricPoint, found: Members) -> float:
    """Compute a number from its members alone."""
    values = [member.value or 0.0 for member in found.counted]
    if point.stat in PERCENTILES:
        return quantile(sorted(round(value * 1000) for value in values), PERCENTILES[point.stat]) / 1000
    if point.metric == "deployment_frequency":
        return len(values) / (point.window_days or 1)
    if point.metric.startswith("open_"):
        return len(values)
    total = sum(member.weight * (member.value or 0.0) for member in found.counted)
    return total if point.unit in ("count", "seconds") else total / found.n


@given(histories())
def test_t7_the_members_of_a_number_make_up_its_n_and_its_value(events: list[Event]) -> None:
    as_of: datetime | None = latest_of(events)
    if as_of is None:
        return
    state = fold(events)
    known = Known(state)
    for point in read_metrics(state, as_of, latest=as_of):
        scope = (point.scope_kind, point.scope)
        found = members(known, point.metric, scope, point.window_days, to_us(as_of))
        assert found.n == point.n, point
        if point.metric != "flow_efficiency":
            assert _value(point, found) == pytest.approx(point.value, abs=1e-8), point


@given(histories())
def test_what_is_left_out_says_why(events: list[Event]) -> None:
    as_of = latest_of(events)
    if as_of is None:
        return
    known = Known(fold(events))
    for metric in BY_NAME:
        found = members(known, metric, ("org", "all"), 90, to_us(as_of))
        assert all(reason and count > 0 for reason, count in found.left_out.items())
