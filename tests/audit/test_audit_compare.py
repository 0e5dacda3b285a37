from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipeline.audit.compare import Difference, compare_facts, compare_metrics
from pipeline.events.times import to_us
from pipeline.facts.rows import FACTS
from tests.audit.auditing import AS_OF, EVENTS, facts_of, points_of, recomputed, verdict_on
from tests.simulation.story import deployment_id, moment


@pytest.mark.parametrize("kind", FACTS)
def test_equal_facts_are_equal_whatever_the_order_in_their_lists(kind: str) -> None:
    with recomputed(EVENTS) as connection:
        facts = facts_of(connection, kind)
        for fact in facts:
            for value in msgspec.structs.asdict(fact).values():
                if isinstance(value, list):
                    value.reverse()
        comparison = compare_facts(connection, kind, facts)
    assert (comparison.fold, comparison.audit, comparison.fields) == (len(facts), len(facts), 0)
    assert len(facts) > 0


@pytest.mark.parametrize(
    ("kind", "changed", "field", "fold", "audit"),
    [
        ("change", {"merged_at": to_us(moment("02 10:30"))}, "merged_at", "2026-03-02 10:30:00", "2026-03-02 10:00:00"),
        ("change", {"lead_time": 7200.01}, "lead_time", "7200.01", "7200.0"),
        ("change", {"lead_time": None}, "lead_time", None, "7200.0"),
        ("change", {"initiative": "x"}, "initiative", "x", None),
        ("change", {"services": []}, "services", "[]", "[acme/shop]"),
        ("failure", {"method": "explicit"}, "method", "explicit", "window"),
        ("ticket", {"labels": ["z"]}, "labels", "[z]", "[y, z]"),
    ],
)
def test_each_field_that_differs_is_told(
    kind: str, changed: dict[str, Any], field: str, fold: str | None, audit: str | None
) -> None:
    with recomputed(EVENTS) as connection:
        (fact,) = facts_of(connection, kind)
        comparison = compare_facts(connection, kind, [msgspec.structs.replace(fact, **changed)])
    told = Difference(kind=kind, id=fact.id, field=field, fold=fold, audit=audit)
    assert comparison.differences == [told]


def test_texts_that_are_only_copied_and_differences_below_the_tolerance_are_no_difference() -> None:
    with recomputed(EVENTS) as connection:
        (fact,) = facts_of(connection, "change")
        near = msgspec.structs.replace(fact, title="another", evidence="because", lead_time=7200.0000001)
        assert compare_facts(connection, "change", [near]).fields == 0


def test_a_row_that_only_one_side_has_and_one_that_is_there_twice_are_told() -> None:
    with recomputed(EVENTS) as connection:
        first = next(fact for fact in facts_of(connection, "deployment") if fact.id == deployment_id("d0"))
        extra = msgspec.structs.replace(first, id="extra")
        comparison = compare_facts(connection, "deployment", [first, first, extra])
    assert {(found.id, found.field, found.fold, found.audit) for found in comparison.differences} == {
        (deployment_id("d0"), "(copies)", "2", "1"),
        (deployment_id("d1"), "(row)", "0", "1"),
        ("extra", "(row)", "1", "0"),
    }


def test_metric_points_are_compared_by_scope_window_and_statistic() -> None:
    with recomputed(EVENTS, AS_OF) as connection:
        points = points_of(connection)
        assert compare_metrics(connection, points).fields == 0
        wanted = next(point for point in points if point.metric == "change_fail_rate" and point.window_days == 28)
        others = [point for point in points if point is not wanted]
        wrong = msgspec.structs.replace(wanted, value=wanted.value / 2, n=wanted.n + 1)
        comparison = compare_metrics(connection, [*others, wrong])
    assert [(found.id, found.field, found.fold, found.audit) for found in comparison.differences] == [
        (f"change_fail_rate.value {wanted.scope_kind}/{wanted.scope} 28d", "n", "3", "2"),
        (f"change_fail_rate.value {wanted.scope_kind}/{wanted.scope} 28d", "value", "0.25", "0.5"),
    ]


def test_the_number_of_kept_differences_is_limited_but_all_are_counted() -> None:
    with recomputed(EVENTS) as connection:
        comparison = compare_facts(connection, "deployment", [], limit=1)
    assert (comparison.fields, len(comparison.differences)) == (2, 1)


def test_an_audit_agrees_with_a_fold_that_holds_the_same() -> None:
    verdict = verdict_on()
    assert verdict.agrees
    assert verdict.events == len(EVENTS)
    assert [comparison.kind for comparison in verdict.comparisons] == [*FACTS, "metric"]
    assert all(comparison.audit > 0 for comparison in verdict.comparisons)
