"""Stored bytes stay readable, and the same event gives the same bytes in every release."""

import pytest
from hypothesis import given

from pipeline.events.codec import decode, encode
from pipeline.events.envelope import Event
from pipeline.events.upcasts import UPCASTS
from pipeline.events.vocabulary import TYPES
from tests.events.samples import GOLDEN, golden_path, sample
from tests.events.strategies import events


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_every_type_reads_and_writes_its_golden_bytes(event_type: str) -> None:
    golden = golden_path(event_type).read_bytes()
    assert decode(golden) == sample(event_type)
    assert encode(sample(event_type)) == golden


@pytest.mark.parametrize("event_type", sorted(UPCASTS))
def test_every_older_type_has_golden_bytes_that_are_still_read(event_type: str) -> None:
    event = decode((GOLDEN / "older" / f"{event_type}.json").read_bytes())
    assert event.type in TYPES
    assert type(event.data) is TYPES[event.type]
    assert event.data == sample(event.type).data


def test_there_are_no_golden_bytes_without_a_type() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(TYPES)
    assert {path.stem for path in (GOLDEN / "older").glob("*.json")} == set(UPCASTS)


@given(events())
def test_decoding_returns_what_was_encoded(event: Event) -> None:
    raw = encode(event)
    assert decode(raw) == event
    assert decode(memoryview(raw)) == event
    assert encode(decode(raw)) == raw
