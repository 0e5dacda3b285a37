"""Percentiles are DuckDB's, and nothing is shown for what has no data."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.facts.state import State
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, PERCENTILES
from pipeline.metrics.sums import quantile
from pipeline.metrics.windows import read_metrics

spans = st.lists(st.integers(0, 10**12), min_size=1, max_size=50)


@pytest.mark.parametrize("share", PERCENTILES.values())
@given(spans)
def test_quantile_is_that_of_duckdb(share: float, values: list[int]) -> None:
    ordered = sorted(values)
    expected = duckdb.execute("SELECT quantile_cont(v, ?) FROM (SELECT unnest(?::BIGINT[]) AS v)", [share, ordered])
    row = expected.fetchone()
    assert row is not None
    assert quantile(ordered, share) == pytest.approx(row[0], rel=1e-12)


@given(spans)
def test_quantile_grows_with_its_share_and_stays_within_the_values(values: list[int]) -> None:
    ordered = sorted(values)
    found = [quantile(ordered, share) for share in (0.0, *PERCENTILES.values(), 1.0)]
    assert found == sorted(found)
    assert found[0] == ordered[0]
    assert found[-1] == ordered[-1]


def test_no_data_is_absent() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert read_metrics(State(), moment, latest=moment) == []


def test_every_metric_names_known_companions() -> None:
    assert {other for metric in CATALOGUE for other in metric.beside} <= BY_NAME.keys()


def test_throughput_is_never_shown_without_instability() -> None:
    assert "change_fail_rate" in BY_NAME["deployment_frequency"].beside
    assert "deployment_frequency" in BY_NAME["change_fail_rate"].beside
