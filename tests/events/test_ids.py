"""Identities are functions of what they identify, and people stay unnamed."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.ids import event_id, pseudonym

_parts = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x1f"), max_size=8), min_size=1, max_size=4)


def test_ids_do_not_change_between_releases() -> None:
    assert event_id("acme/shop#7", "merged", datetime(2026, 3, 2, tzinfo=UTC)) == "5aa814a592870d0fc6bbd76aaf526500"
    assert pseudonym("ada@acme.example", b"key") == "2f24a8fbc3f76c45"


@given(_parts, _parts)
def test_ids_are_equal_exactly_when_their_parts_are(left: list[str], right: list[str]) -> None:
    assert (event_id(*left) == event_id(*right)) == (left == right)
    assert len(event_id(*left)) == 32


def test_parts_do_not_run_into_each_other() -> None:
    assert event_id("a", "bc") != event_id("ab", "c")


def test_one_person_has_one_pseudonym_under_one_key() -> None:
    assert pseudonym(" Ada@ACME.example ", b"key") == pseudonym("ada@acme.example", b"key")
    assert pseudonym("ada@acme.example", b"key") != pseudonym("bob@acme.example", b"key")
    assert pseudonym("ada@acme.example", b"key") != pseudonym("ada@acme.example", b"other key")


def test_nobody_has_no_pseudonym() -> None:
    assert [pseudonym(person, b"key") for person in (None, "", " \t")] == [None, None, None]


@given(st.text(min_size=3, max_size=40), st.binary(max_size=200))
def test_a_pseudonym_shows_nothing_of_the_person(person: str, key: bytes) -> None:
    name = pseudonym(person, key)
    if person.strip():
        assert name is not None
        assert len(name) == 16
        assert int(name, 16) >= 0
