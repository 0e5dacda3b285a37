"""Events of older types are read as the current ones, however many steps lie between."""

from typing import Any

import pytest

from pipeline.events.upcasts import UPCASTS, Upcast, upcast
from pipeline.events.vocabulary import TYPES

CHAIN: dict[str, Upcast] = {
    "thing.1": ("thing.2", lambda payload: {"name": payload["title"]}),
    "thing.2": ("thing.3", lambda payload: {**payload, "size": len(payload["name"])}),
}


@pytest.mark.parametrize(
    ("event_type", "payload", "size"),
    [("thing.1", {"title": "ada"}, 3), ("thing.2", {"name": "ada"}, 3), ("thing.3", {"name": "ada", "size": 9}, 9)],
)
def test_a_chain_is_followed_from_wherever_it_is_entered(event_type: str, payload: dict[str, Any], size: int) -> None:
    assert upcast(event_type, payload, CHAIN) == ("thing.3", {"name": "ada", "size": size})


def test_a_type_without_an_upcast_is_returned_as_it_is() -> None:
    payload = {"name": "ada"}
    assert upcast("other.1", payload, CHAIN) == ("other.1", payload)


def test_a_circle_is_an_error_and_not_an_endless_loop() -> None:
    circle: dict[str, Upcast] = {"a": ("b", dict), "b": ("c", dict), "c": ("a", dict)}
    with pytest.raises(ValueError, match="circle"):
        upcast("a", {}, circle)


@pytest.mark.parametrize("event_type", sorted(UPCASTS))
def test_every_released_upcast_ends_in_a_current_type(event_type: str) -> None:
    assert event_type not in TYPES
    assert upcast(event_type, {})[0] in TYPES
