"""Whatever bytes come, `decode` returns an event or says why not; nothing else ever leaves it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.codec import MAX_EVENT_BYTES, decode, encode
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.types import ChangeMerged
from pipeline.events.vocabulary import TYPES
from tests.events.samples import golden_path, sample
from tests.events.strategies import json_values

MERGED = "dev.cdevents.change.merged.0.3.0"
MOVED = "dev.cdeventsx.leadline-ticket.moved.1.0.0"
OLDER = "dev.cdevents.change.created.0.3.0"
Document = dict[str, Any]


def _reason(raw: bytes) -> tuple[str, str]:
    with pytest.raises(Quarantined) as caught:
        decode(raw)
    return caught.value.reason, caught.value.detail


def _document(event_type: str = MERGED) -> Document:
    document: Document = json.loads(encode(sample(event_type)))
    return document


def _edited(edit: Callable[[Document], object], event_type: str = MERGED) -> bytes:
    document = _document(event_type)
    edit(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"17",
        b'"text"',
        b"{}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b'{"id": NaN}',
        b"not json at all",
    ],
)
def test_what_is_no_cloudevent_is_a_bad_event(raw: bytes) -> None:
    assert _reason(raw)[0] == "bad_event"


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_truncated_json_is_a_bad_event(event_type: str) -> None:
    golden = golden_path(event_type).read_bytes()
    for length in range(0, len(golden), 7):
        assert _reason(golden[:length])[0] == "bad_event"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda d: d.pop("id"), "id"),
        (lambda d: d.pop("source"), "source"),
        (lambda d: d.pop("type"), "type"),
        (lambda d: d.pop("time"), "time"),
        (lambda d: d.pop("data"), "data"),
        (lambda d: d.update(id=7), "$.id"),
        (lambda d: d.update(id=None), "$.id"),
        (lambda d: d.update(id=""), "id"),
        (lambda d: d.update(source=""), "source"),
        (lambda d: d.update(time="yesterday"), "$.time"),
        (lambda d: d.update(time=1_772_452_800), "$.time"),
        (lambda d: d.update(time="2026-02-30T00:00:00Z"), "$.time"),
        (lambda d: d.update(time="0001-01-01T00:00:00+10:00"), "0001-01-01"),
        (lambda d: d.update(time="9999-12-31T23:59:59-10:00"), "9999-12-31"),
        (lambda d: d.update(specversion="0.3"), "specversion"),
        (lambda d: d.update(partitionkey=["a"]), "$.partitionkey"),
        (lambda d: d.update(data="text"), "object"),
        (lambda d: d.update(data=None), "object"),
        (lambda d: d["data"].pop("customData"), "customData"),
        (lambda d: d["data"].update(customData=[]), "$.customData"),
        (lambda d: d["data"]["customData"].pop("repo"), "repo"),
        (lambda d: d["data"]["customData"].update(change=7), "$.customData.change"),
        (lambda d: d["data"]["customData"].update(merge_sha={"sha": "x"}), "$.customData.merge_sha"),
    ],
)
def test_the_detail_names_the_field_at_fault(edit: Callable[[Document], object], named: str) -> None:
    reason, detail = _reason(_edited(edit))
    assert reason == "bad_event"
    assert named in detail


def test_the_content_of_an_own_type_is_checked_in_its_own_place() -> None:
    raw = _edited(lambda d: d["data"]["subject"]["content"].update(to_status=None), MOVED)
    assert _reason(raw) == ("bad_event", "Expected `str`, got `null` - at `$.subject.content.to_status`")


def test_a_time_without_a_zone_in_a_payload_is_refused_for_it_would_mean_the_time_here() -> None:
    raw = _edited(
        lambda d: d["data"]["customData"].update(created_at="2026-03-02T12:00:00"), "dev.cdevents.change.created.0.4.0"
    )
    reason, detail = _reason(raw)
    assert (reason, "$.customData.created_at" in detail) == ("bad_event", True)


def test_a_number_that_no_store_could_hold_is_refused() -> None:
    raw = _edited(lambda d: d["data"]["customData"].update(attempt=2**70), "dev.cdevents.pipelinerun.queued.0.3.0")
    reason, detail = _reason(raw)
    assert (reason, "$.customData.attempt" in detail) == ("bad_event", True)


def test_an_envelope_time_with_an_offset_becomes_utc() -> None:
    event = decode(_edited(lambda d: d.update(time="2026-03-02T14:00:00+02:00")))
    assert event.time.isoformat() == "2026-03-02T12:00:00+00:00"
    assert b'"time":"2026-03-02T12:00:00Z"' in encode(event)


def test_an_envelope_time_without_a_zone_is_read_as_utc() -> None:
    event = decode(_edited(lambda d: d.update(time="2026-03-02T12:00:00", recordedtime="2026-03-02T12:00:01")))
    assert event.time == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert event.recordedtime == datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["dev.cdevents.change.merged.9.9.9", "com.example.thing", "", "dev.cdevents.change.merged"]
)
def test_a_type_that_this_release_does_not_know_is_told_apart_from_a_bad_event(name: str) -> None:
    reason, detail = _reason(_edited(lambda d: d.update(type=name)))
    assert reason == "unknown_type"
    assert repr(name) in detail


@pytest.mark.parametrize(
    "data", [None, [], {}, {"customData": 1}, {"customData": {}}, {"customData": {"repo": "a", "change": 1}}]
)
def test_a_bad_payload_of_an_older_type_is_a_bad_event_too(data: object) -> None:
    assert _reason(_edited(lambda d: d.update(type=OLDER, data=data)))[0] == "bad_event"


def test_an_event_above_the_limit_is_refused_before_it_is_parsed() -> None:
    limit = b" " * MAX_EVENT_BYTES
    assert _reason(limit)[0] == "bad_event"
    assert _reason(limit + b" ") == (
        "too_large",
        f"event of {MAX_EVENT_BYTES + 1} bytes; the limit is {MAX_EVENT_BYTES}",
    )


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"data":{"customData":', b'{"data":[{"a":'])
def test_nesting_that_would_exhaust_the_stack_is_a_bad_event(opening: bytes) -> None:
    assert _reason(opening * 40_000)[0] == "bad_event"


def test_of_duplicate_keys_the_last_one_counts() -> None:
    raw = encode(sample(MERGED)).replace(b'"repo":"acme/shop"', b'"repo":"acme/shop","repo":"acme/till"')
    assert decode(raw).data == ChangeMerged(repo="acme/till", change="7", merge_sha=sample(MERGED).data.merge_sha)  # type: ignore[attr-defined]


def test_unknown_attributes_and_fields_are_skipped() -> None:
    def edit(document: Document) -> None:
        document.update(traceparent="00-x", dataschema="https://acme.example")
        document["data"]["customData"]["added_by_a_newer_release"] = {"deep": [1]}

    assert decode(_edited(edit)) == sample(MERGED)


def test_the_partition_falls_back_to_the_source() -> None:
    event = decode(_edited(lambda d: d.pop("partitionkey")))
    assert event.partitionkey == event.source


@given(st.binary(max_size=400))
def test_any_bytes_are_an_event_or_quarantined(raw: bytes) -> None:
    _total(raw)


@given(st.sampled_from(sorted(TYPES)), st.integers(0), st.binary(min_size=1, max_size=4))
def test_any_damage_to_a_good_event_leaves_an_event_or_a_quarantine(event_type: str, place: int, noise: bytes) -> None:
    golden = golden_path(event_type).read_bytes()
    at = place % len(golden)
    _total(golden[:at] + noise + golden[at + len(noise) :])


def _paths(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(node, dict):
        return [path]
    return [path, *(below for name, child in node.items() for below in _paths(child, (*path, name)))]


@given(st.sampled_from([*sorted(TYPES), OLDER]), st.data(), json_values)
def test_any_value_at_any_place_leaves_an_event_or_a_quarantine(
    event_type: str, data: st.DataObject, value: Any
) -> None:
    document = _document(event_type if event_type in TYPES else "dev.cdevents.change.created.0.4.0")
    document["type"] = event_type
    *above, name = data.draw(st.sampled_from(_paths(document)[1:]))
    node = document
    for step in above:
        node = node[step]
    node[name] = value
    _total(json.dumps(document).encode())


def _total(raw: bytes) -> None:
    event = _event_or_quarantine(raw)
    if isinstance(event, Quarantined):
        assert event.reason in {"bad_event", "unknown_type", "too_large"}
        assert event.detail
    else:
        assert event.time.tzinfo is UTC
        assert decode(encode(event)) == event


def _event_or_quarantine(raw: bytes) -> Event | Quarantined:
    try:
        return decode(raw)
    except Quarantined as error:
        return error
