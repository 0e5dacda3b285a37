"""Rows of a body, and what rows of all analytics tools have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.events.batches import batch, embedded, first_key, first_row, impersonal, number, rows
from pipeline.events.delivery import Observation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.tracked import Scalar


def observed(identity: str, name: str = "e") -> Observation:
    return Observation(id=identity, name=name, unit="0123456789abcdef", at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'\r\n{"a": 1}\r\n\r\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        (b'{\n  "a": 1\n}', [{"a": 1}]),
        (b"[]", []),
    ],
)
def test_a_body_is_one_row_a_list_or_lines(body: bytes, found: list[object]) -> None:
    assert [row.value for row in rows(body)] == found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad_json"),
        (b'{"a": ', "bad_json"),
        (b'{"a": 1}\n{"a": ', "bad_json"),
        (b'{"a": 1}\n[1]', "bad_type"),
        (b"[1]", "bad_type"),
        (b"null", "missing_field"),
        (b"\xff\n\xff", "bad_json"),
    ],
)
def test_a_damaged_body_is_quarantined_as_a_whole(body: bytes, reason: str) -> None:
    with pytest.raises(Quarantined) as caught:
        rows(body)
    assert caught.value.reason == reason
    assert first_row(body) == {}


def test_the_line_of_a_row_is_named() -> None:
    with pytest.raises(Quarantined, match=r"line 2\.a"):
        rows(b'{"a": "x"}\n{"a": 1.5}')[1].text("a")


def test_a_row_that_is_there_twice_counts_once() -> None:
    nodes = [Node({"id": each}) for each in ("a", "b", "a")]
    translation = batch(nodes, lambda row: observed(row.text("id")))
    assert [each.id for each in translation.observations] == ["a", "b"]
    assert translation.ignored is None


def test_rows_that_are_left_out_do_not_hide_the_others() -> None:
    outcomes: Iterator[Observation | str] = iter(["bot", observed("a"), "no_unit"])
    translation = batch([Node({})] * 3, lambda _: next(outcomes))
    assert ([each.id for each in translation.observations], translation.ignored) == (["a"], None)


def test_a_batch_of_which_nothing_is_left_says_why() -> None:
    outcomes = iter(["bot", "no_unit"])
    assert batch([Node({})] * 2, lambda _: next(outcomes)).ignored == "bot"
    assert batch([], lambda _: "bot").ignored == "no_rows"


@pytest.mark.parametrize(
    ("value", "found"), [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ("", None), (" ", None), (None, None)]
)
def test_an_object_may_be_written_as_a_text(value: object, found: object) -> None:
    told = embedded(Node({"properties": value}), "properties")
    assert (None if told is None else told.value) == found


@pytest.mark.parametrize(
    ("value", "reason"), [("{", "bad_json"), ("[1]", "bad_type"), ([1], "bad_type"), (1, "bad_type")]
)
def test_what_is_no_object_names_its_place(value: object, reason: str) -> None:
    with pytest.raises(Quarantined, match="properties") as caught:
        embedded(Node({"properties": value}), "properties")
    assert caught.value.reason == reason


def test_the_first_identifier_counts() -> None:
    assert first_key(Node({"a": "", "b": 7, "c": "x"}), "a", "b", "c") == "7"
    assert first_key(Node({"a": None}), "a", "b") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("49.9", 49.9),
        ("-3", -3),
        ("007", 7),
        ("1e5", "1e5"),
        ("x", "x"),
        ("", ""),
        (None, None),
        (True, True),
        (2.5, 2.5),
    ],
)
def test_a_text_that_is_a_number_becomes_one(text: str | float | None, found: object) -> None:
    assert number(text) == found
    assert type(number(text)) is type(found)


def test_what_names_a_person_is_left_out() -> None:
    kept: dict[str, Scalar] = {
        "plan": "pro",
        "name": "checkout",
        "phonetic": "x",
        "ip_country": "DE",
        "n": 3,
        "at": "a @ b",
        "emails_sent": 4,
    }
    personal: dict[str, Scalar] = {
        "email": "x", "user_properties.Email": "x", "$email": "x", "traits.phone_number": "1", "$ip": "::1",
        "first name": "A", "user_properties.name": "A", "$name": "A", "note": "ask a.b@example.com",
    }  # fmt: skip
    assert impersonal({**kept, **personal}) == kept
