"""Properties of any shape become scalars under dotted names, bounded and without addresses of people."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.delivery import Context, Observation
from pipeline.events.reading import Node
from pipeline.events.tracked import MAX_DEPTH, MAX_PROPERTIES, MAX_TEXT, flatten, observation

CONTEXT = Context(actor_key=b"key")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=25,
)


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"a": 1, "b": "x", "c": True, "d": 1.5}, {"a": 1, "b": "x", "c": True, "d": 1.5}),
        ({"cart": {"items": [{"sku": "s"}, 7]}}, {"cart.items.0.sku": "s", "cart.items.1": 7}),
        ({"a": {"b": 2}, "a.b": 1}, {"a.b": 1}),
        ({"": 1, "none": None, "empty": {}, "list": []}, {}),
        ({"mail": "ann@example.com", "note": "ask bob@example.org!", "at": "a@b"}, {"at": "a@b"}),
        ({"text": "x" * 1_000}, {"text": "x" * MAX_TEXT}),
        ({"nan": float("nan"), "inf": float("-inf"), "big": 2**64, "huge": 10**400}, {"big": float(2**64)}),
        (Node({"a": {"b": 1}}, "properties"), {"a.b": 1}),
        (Node(None, "properties"), {}),
        (None, {}),
        ([1], {}),
        ("text", {}),
    ],
)
def test_flatten(value: object, flat: dict[str, object]) -> None:
    assert flatten(value) == flat


def test_a_prefix_names_where_properties_were() -> None:
    assert flatten({"app": {"version": "1"}}, "context") == {"context.app.version": "1"}


def test_what_is_too_deep_or_too_much_is_left_out() -> None:
    deep: dict[str, Any] = {"leaf": 1}
    for _ in range(MAX_DEPTH):
        deep = {"below": deep, "leaf": 1}
    assert sorted(name.count(".") + 1 for name in flatten(deep)) == list(range(1, MAX_DEPTH + 1))
    wide = {f"{number:04}": number for number in range(1_000)} | {"deep": {"x": 1}}
    assert list(flatten(wide)) == [f"{number:04}" for number in range(MAX_PROPERTIES)]


@given(JSON, st.randoms(use_true_random=False))
def test_any_json_is_flat_and_the_order_of_its_keys_does_not_matter(value: object, chance: random.Random) -> None:
    flat = flatten(value)
    assert all(name and isinstance(told, str | int | float) for name, told in flat.items())
    assert flatten(_shuffled(value, chance)) == flat
    told = observation(CONTEXT, name="n", unit="u", at=NOON, properties=flat)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Observation) == told


def _shuffled(value: object, chance: random.Random) -> object:
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: _shuffled(value[name], chance) for name in names}
    return [_shuffled(each, chance) for each in value] if isinstance(value, list) else value


def test_an_observation_without_an_id_is_known_by_its_content() -> None:
    def told(**changes: Any) -> Observation:
        return observation(CONTEXT, **{"name": "n", "unit": "u", "at": NOON, "properties": {"a": 1, "b": 2}, **changes})

    assert told().id == told(properties={"b": 2, "a": 1}).id
    others = [told(name="m"), told(unit="v"), told(at=NOON.replace(hour=1)), told(properties={"a": "1", "b": 2})]
    assert len({each.id for each in [told(), *others]}) == 5
    assert told(id="vendor").id == "vendor"


def test_a_unit_is_a_pseudonym_or_nobody() -> None:
    known = observation(CONTEXT, name="n", unit="ann@example.com", at=NOON, properties={})
    assert known.unit == CONTEXT.actor("ann@example.com")
    assert observation(CONTEXT, name="n", unit=None, at=NOON, properties={}).unit == ""
