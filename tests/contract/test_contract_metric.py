"""The kind Metric: what is refused, what is declared, what ingest reads from it, and that no fact depends on it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.declare import body_of
from pipeline.contract.load import load
from pipeline.contract.measures import Measure, Selection, read_measures, text_of
from pipeline.contract.metric import Metric
from pipeline.contract.resolve import Contract, Declaration
from pipeline.contract.schema import json_schema
from pipeline.events.types import ContractDeclared

DAY = 86_400_000_000
RATE: dict[str, Any] = {
    "type": "proportion",
    "denominator": {"event": "Signed Up", "where": {"plan": ["pro", "team"], "beta": True}},
    "numerator": {"event": ["Created", "created"], "within": "7d"},
}
MEAN: dict[str, Any] = {"type": "mean", "measure": {"event": "Ordered", "value": "total"}, "period": "week"}


def metric(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "leadline/v1", "kind": "Metric", "metadata": {"name": "activation_rate"}, "spec": spec}


def declared(
    spec: dict[str, Any] | None, said: int, since: datetime | None = None, kind: Any = "Metric"
) -> Declaration:
    return said, f"e{said}", ContractDeclared(kind=kind, name="activation_rate", spec=spec, effective_from=since)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("type: proportion", "spec: a proportion is measured by denominator and numerator; denominator is missing"),
        (
            "type: proportion\n  denominator: {event: a}\n  numerator: {event: b, within: 1d}\n  measure: {event: a}",
            "spec: a proportion is measured by denominator and numerator; remove measure",
        ),
        ("type: mean\n  measure: {event: a}", "spec: a mean needs measure.value, the property that holds the number"),
        (
            "type: count\n  measure: {event: [a, 1]}",
            "spec.measure.event: expected the name of an event as text, or a list of names",
        ),
        (
            "type: count\n  measure: {event: a, where: {plan: .nan}}",
            "spec.measure.where.plan: expected a text, a number, true or false, or a list of such",
        ),
        (
            "type: count\n  measure: {event: a, where: {plan: {is: pro}}}",
            "spec.measure.where.plan: expected a text, a number, true or false, or a list of such",
        ),
        ("type: count\n  measure: {evnt: a}", "spec.measure.evnt: unknown key; did you mean 'event'?"),
        (
            "type: proportion\n  denominator: {event: a}\n  numerator: {event: [a], within: 1d}",
            "spec.numerator: selects the same events as the denominator, so every unit succeeds; narrow it",
        ),
    ],
)
def test_what_measures_nothing_is_refused_with_the_cure(tmp_path: Path, spec: str, problem: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(f"apiVersion: leadline/v1\nkind: Metric\nmetadata: {{name: m}}\nspec:\n  {spec}\n")
    (found,) = load([file]).problems
    assert f"{found.path}: {found.message}" == problem


def test_an_initiative_may_name_a_metric_that_nothing_declares(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text(
        "apiVersion: leadline/v1\nkind: Initiative\nmetadata: {name: i}\n"
        "spec: {stage: bet, outcomes: [{metric: from_a_file, target: 1, direction: up}]}\n"
    )
    assert load([tmp_path]).problems == []


@pytest.mark.parametrize("spec", [RATE, MEAN, RATE | {"source": ["segment"], "variant": "arm", "late": "30d"}])
def test_what_is_declared_reads_as_the_same_object_and_measure(spec: dict[str, Any]) -> None:
    jsonschema.validate(metric(spec), json_schema("Metric"))
    written = Metric.model_validate(metric(spec))
    body, _ = body_of(written)
    assert body == spec
    assert Metric.model_validate(metric(body)) == written
    assert Measure.read(body).type == spec["type"]


def test_a_measure_has_defaults_and_skips_what_a_newer_release_says() -> None:
    assert Measure.read(RATE | {"new": 1}) == Measure(
        type="proportion",
        period="day",
        sources=(),
        entries=Selection(("Signed Up",), (("beta", ("true",)), ("plan", ("pro", "team")))),
        successes=Selection(("Created", "created")),
        within_us=7 * DAY,
        value=None,
        variant=None,
        late_us=90 * DAY,
    )


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "mean"},
        {"type": "mean", "measure": {"event": "a"}},
        {**RATE, "late": "soon"},
        {**RATE, "numerator": None},
    ],
)
def test_a_foreign_spec_that_measures_nothing_is_no_measure(spec: dict[str, Any]) -> None:
    measures, (unreadable,) = read_measures([declared(spec, said=1)])
    assert (measures, unreadable.name, unreadable.id) == ({}, "activation_rate", "e1")


@given(st.permutations([declared(RATE, 1), declared(MEAN, 2), declared({"stage": "bet"}, 3, kind="Initiative")]))
def test_the_latest_declaration_holds_in_any_order(told: list[Declaration]) -> None:
    assert read_measures(told)[0] == {"activation_rate": Measure.read(MEAN)}
    withdrawn = declared(None, 4, since=datetime(2026, 3, 1, tzinfo=UTC))
    assert read_measures([withdrawn, *told])[0] == {}


def test_events_are_selected_by_name_and_properties() -> None:
    entries = Measure.read(RATE).entries
    assert entries.matches("Signed Up", {"plan": "pro", "beta": True, "more": 1})
    assert entries.matches("Signed Up", {"plan": "team", "beta": "true"})
    assert not entries.matches("signed up", {"plan": "pro", "beta": True})
    assert not entries.matches("Signed Up", {"plan": "free", "beta": True})
    assert not entries.matches("Signed Up", {"plan": "pro"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_values_are_compared_as_texts(value: object, text: str | None) -> None:
    assert text_of(value) == text


def test_no_fact_depends_on_a_metric() -> None:
    """A fold is repeated when the fingerprint changes; samples are none of its business."""
    nothing = Contract.compile([]).fingerprint
    assert {Contract.compile([declared(spec, 1)]).fingerprint for spec in (RATE, MEAN, None)} == {nothing}
