"""What Prometheus reads: names, labels, absence, limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from pipeline.events.errors import Retryable
from pipeline.exporter.collector import LeadlineCollector
from pipeline.exporter.families import series_name
from pipeline.exporter.instruments import Instruments
from pipeline.exporter.model import Build, LogFigures, ReadModel
from pipeline.metrics.catalogue import CATALOGUE, WINDOWS, MetricPoint
from tests.exporter.figures import NOON, everything, figures, point

#: What a linter of Prometheus metrics objects to in the name or the labels of a gauge.
BAD_NAME = re.compile(
    r"_(total|sum|count|bucket|info)$|_(gauge|counter)(_|$)|[A-Z:]|_(ms|us|minutes|hours|days|percent)(_|$)"
)
RESERVED = {"le", "quantile", "job", "instance", "service", "environment"}


def registry(
    points: Sequence[MetricPoint] = (), *, limit: int = 500, told: Callable[[], LogFigures] = figures, **model: Any
) -> CollectorRegistry:
    built = ReadModel(points=tuple(points), as_of=NOON if points else None, **model)
    found = CollectorRegistry()
    found.register(
        LeadlineCollector(lambda: built, told, lambda: NOON, Build(version="1.2.3", schema=1), max_scopes=limit)
    )
    return found


def samples(found: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_families(generate_latest(found).decode())
        for sample in family.samples
    }


def test_each_metric_has_its_unit_its_help_and_its_sample_size() -> None:
    families = {family.name: family for family in registry(everything()).collect()}
    for metric in CATALOGUE:
        family = families[series_name(metric.name, metric.unit)]
        assert family.documentation == metric.help
        assert f"leadline_{metric.name}_sample_size" in families
    assert {name for name in families if "deployment_frequency" in name or "open_changes" in name} == {
        "leadline_deployment_frequency_per_day",
        "leadline_deployment_frequency_sample_size",
        "leadline_open_changes",
        "leadline_open_changes_age_seconds",
        "leadline_open_changes_sample_size",
    }


def test_names_and_labels_follow_the_conventions() -> None:
    found = registry(everything(), quarantined={("github", "bad_json"): 2})
    Instruments(found).delivery("github", 202, NOON)
    for family in found.collect():
        assert family.documentation
        assert family.name.startswith("leadline_")
        if family.type == "gauge":
            assert not BAD_NAME.search(family.name), family.name
        for sample in family.samples:
            assert not (sample.labels.keys() & RESERVED) or family.type == "histogram"


def test_windows_and_percentiles_are_labels() -> None:
    found = samples(registry([point("change_lead_time", 12.5, stat="p85", scope=("team", "growth"))]))
    labels = (("scope", "growth"), ("scope_kind", "team"), ("stat", "p85"), ("window", "28d"))
    assert found["leadline_change_lead_time_seconds", labels] == 12.5
    assert {f"{days}d" for days in WINDOWS} >= {"28d"}


def test_what_has_no_data_is_absent() -> None:
    found = samples(registry())
    assert {name for name, _ in found} == {
        "leadline_build_info",
        "leadline_fold_lag",
        "leadline_fold_position_offset",
        "leadline_follower_last_success_timestamp_seconds",
        "leadline_log_end_offset",
        "leadline_log_records",
        "leadline_log_size_bytes",
        "leadline_log_up",
        "leadline_scopes_limit",
        "leadline_translate_lag",
    }


def test_before_the_first_read_model_only_the_log_is_told() -> None:
    found = CollectorRegistry()
    found.register(LeadlineCollector(lambda: None, figures, lambda: None, Build(version="1", schema=1)))
    names = {name for name, _ in samples(found)}
    assert "leadline_log_up" in names
    assert not names & {"leadline_fold_lag", "leadline_follower_last_success_timestamp_seconds"}


def test_lags_are_what_is_still_to_do() -> None:
    found = samples(registry(position=4))
    assert (found["leadline_translate_lag", ()], found["leadline_fold_lag", ()]) == (2, 5)


def test_a_log_that_cannot_be_read_is_told_and_nothing_is_made_up() -> None:
    def unreachable() -> LogFigures:
        raise Retryable("busy")

    found = samples(registry(everything(), told=unreachable))
    names = {name for name, _ in found}
    assert found["leadline_log_up", ()] == 0
    assert not {name for name in names if name.endswith("_lag") or name.startswith("leadline_log_end")}
    assert "leadline_change_fail_rate_ratio" in names


def test_scopes_beyond_the_limit_are_dropped_and_counted() -> None:
    points = [point("change_fail_rate", scope=("service", f"s{number}"), n=number) for number in range(10)]
    found = samples(registry([*points, point("change_fail_rate")], limit=3))
    kept = {dict(labels)["scope"] for name, labels in found if name == "leadline_change_fail_rate_ratio"}
    assert kept == {"s9", "s8", "s7", "all"}
    assert found["leadline_scopes_dropped", (("scope_kind", "service"),)] == 7
    assert found["leadline_scopes_dropped", (("scope_kind", "org"),)] == 0


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_scope_survives_the_way_to_prometheus(scope: str) -> None:
    found = registry([point("change_fail_rate", scope=("service", scope))])
    for families in (
        text_families(generate_latest(found).decode()),
        open_families(generate_open(found).decode()),  # type: ignore[no-untyped-call]
    ):
        (read,) = [
            sample.labels["scope"]
            for family in families
            for sample in family.samples
            if sample.name == "leadline_change_fail_rate_ratio"
        ]
        assert read == scope


def test_a_scrape_makes_nothing_anew() -> None:
    model = ReadModel(points=tuple(everything()), as_of=NOON)
    collector = LeadlineCollector(lambda: model, figures, lambda: NOON, Build(version="1", schema=1))
    first, second = ({each.name: each for each in collector.collect()} for _ in range(2))
    name = "leadline_change_fail_rate_ratio"
    assert first[name] is second[name]


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-9, 123456789.123456789, 0.333333333])
def test_a_value_arrives_to_the_last_bit(value: float) -> None:
    found = samples(registry([point("change_fail_rate", value)]))
    assert [each for (name, _), each in found.items() if name == "leadline_change_fail_rate_ratio"] == [value]


def test_the_counters_count() -> None:
    found = CollectorRegistry()
    instruments = Instruments(found)
    instruments.delivery("github", 202, NOON)
    instruments.delivery("github", 401, NOON)
    instruments.translated(4, 10, 2, {"bad_json": 1})
    instruments.folded(10, 20, 1)
    instruments.failed(Retryable("busy"))
    expected: list[tuple[str, dict[str, str], float]] = [
        ("leadline_deliveries_total", {"connector": "github", "status": "202"}, 1),
        ("leadline_deliveries_total", {"connector": "github", "status": "401"}, 1),
        ("leadline_delivery_last_success_timestamp_seconds", {"connector": "github"}, NOON.timestamp()),
        ("leadline_deliveries_translated_total", {}, 4),
        ("leadline_deliveries_quarantined_total", {"reason": "bad_json"}, 1),
        ("leadline_events_appended_total", {}, 10),
        ("leadline_events_duplicate_total", {}, 2),
        ("leadline_events_folded_total", {}, 10),
        ("leadline_events_parked_total", {}, 1),
        ("leadline_fact_revisions_total", {}, 20),
        ("leadline_follower_failures_total", {"error": "Retryable"}, 1),
    ]
    assert [found.get_sample_value(name, labels) for name, labels, _ in expected] == [each[2] for each in expected]
