"""Every metric can say why it is empty, whatever there is and is not."""

from __future__ import annotations

import pytest
from hypothesis import given

from pipeline.events.envelope import Event
from pipeline.facts.rows import FACTS
from pipeline.metrics.catalogue import CATALOGUE
from pipeline.metrics.census import Census, census_of
from pipeline.metrics.diagnosis import UNEXPLAINED, why_absent
from pipeline.metrics.windows import read_metrics
from tests.simulation.folding import facts_of, fold, latest_of
from tests.simulation.strategies import histories


def test_every_metric_is_explained() -> None:
    assert UNEXPLAINED == []


@pytest.mark.parametrize("metric", [metric.name for metric in CATALOGUE if metric.name != "unmapped_work"])
def test_without_any_fact_the_reason_is_not_the_window(metric: str) -> None:
    assert "window" not in why_absent(metric, Census()).finding


@given(histories())
def test_a_metric_that_is_absent_is_explained_in_words(events: list[Event]) -> None:
    state = fold(events)
    latest = latest_of(events)
    assert latest is not None
    present = {point.metric for point in read_metrics(state, latest, latest=latest) if point.scope_kind == "org"}
    census = census_of(fact for kind in FACTS for fact in facts_of(state, kind).values())
    for metric in {metric.name for metric in CATALOGUE} - present:
        assert why_absent(metric, census).finding
