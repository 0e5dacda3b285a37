"""Copies of a stream are exact, repeatable, and refuse what is no copy."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.types import ChangeMerged
from pipeline.log.memory import MemoryLog
from pipeline.log.ndjson import export_ndjson, read_ndjson
from pipeline.log.parquet import export_parquet, read_parquet
from pipeline.log.protocol import DELIVERIES, EVENTS, Appended, EventLog
from pipeline.log.transfer import Copied, digest, import_records, replacing
from pipeline.log.verify import unreadable
from pipeline.log.view import latest, short_type, shown, type_filter
from tests.log.records import NOON, at, ids, record

DELIVERY = msgspec.msgpack.encode(Delivery(connector="github", id="d-1", kind="push", received_at=NOON, body=b"{}"))
VALUES = [
    b'{"a":1}',
    b'{"a": "\xc3\xa9"}',
    b"\xff\x00",
    b"{not json}",
    b'{"a":\n1}',
    b" {}",
    b"",
    b"null",
    b'"\xff"',
    b"1 2",
]


def take_in(log: EventLog, copied: Iterable[Copied]) -> Appended:
    """Append a copy unread, so that values of any shape can be seen to survive the way."""
    records, recorded = [], []
    for each in copied:
        records.append(each.record)
        recorded.append(each.recorded)
    return log.append(EVENTS, records, recorded)


def filled(log: EventLog) -> EventLog:
    for number, value in enumerate(VALUES):
        log.append(EVENTS, [record(str(number), f"s{number % 2}", time=at(-number), value=value, origin=3)], at(number))
    return log


def ndjson(log: EventLog) -> list[bytes]:
    out = io.BytesIO()
    export_ndjson(log, EVENTS, out)
    return out.getvalue().splitlines(keepends=True)


def test_an_ndjson_copy_is_exact_and_can_be_repeated(log: EventLog) -> None:
    filled(log)
    lines = ndjson(log)
    copy = MemoryLog(partitions=3)
    assert take_in(copy, read_ndjson(lines[:4], "f", NOON)) == Appended(4, 0)
    assert take_in(copy, read_ndjson(lines, "f", NOON)) == Appended(len(VALUES) - 4, 4)
    assert digest(copy, EVENTS) == digest(log, EVENTS)
    assert [each.value for each in copy.read(EVENTS)] == VALUES
    assert {each.origin for each in copy.read(EVENTS)} == {0}


def test_a_parquet_copy_is_exact_and_can_be_repeated(log: EventLog, tmp_path: Path) -> None:
    filled(log)
    path = tmp_path / "events.parquet"
    assert export_parquet(log, EVENTS, path) == len(VALUES)
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".db" and "db-" not in each.name] == [path.name]
    copy = MemoryLog()
    assert take_in(copy, read_parquet(path)) == Appended(len(VALUES), 0)
    assert take_in(copy, read_parquet(path)) == Appended(0, len(VALUES))
    assert digest(copy, EVENTS) == digest(log, EVENTS)


def test_an_empty_stream_is_copied_too(log: EventLog, tmp_path: Path) -> None:
    assert export_parquet(log, EVENTS, tmp_path / "e.parquet") == 0
    assert import_records(MemoryLog(), EVENTS, read_parquet(tmp_path / "e.parquet")) == Appended(0, 0)
    assert ndjson(log) == []


def test_json_values_are_readable_in_a_line(log: EventLog) -> None:
    first, _, third, *_ = map(msgspec.json.decode, ndjson(filled(log)))
    assert first == {
        "stream": "events",
        "offset": 1,
        "source": "s0",
        "id": "0",
        "key": "shop",
        "time": "2026-03-04T12:00:00Z",
        "recorded": "2026-03-04T12:00:00Z",
        "origin": 3,
        "value": {"a": 1},
    }
    assert (third["base64"], "value" in third) == ("/wA=", False)


texts = st.text(st.characters(codec="utf-8"), max_size=5)
json_like = st.recursive(texts | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
any_value = (
    st.binary(max_size=12)
    | json_like.map(msgspec.json.encode)
    | st.text(alphabet='{}[]", :\n\t\\u0e1', max_size=8).map(str.encode)
)
instants = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(lambda naive: naive.replace(tzinfo=NOON.tzinfo))  # noqa: DTZ001 - hypothesis wants them so


@given(st.lists(st.tuples(texts, texts, texts, instants, any_value), max_size=8))
def test_any_record_survives_a_line_of_json(told: list[tuple[str, str, str, datetime, bytes]]) -> None:
    log, copy = MemoryLog(), MemoryLog()
    log.append(
        EVENTS, [record(name, source, key=key, time=time, value=value) for source, name, key, time, value in told], NOON
    )
    lines = ndjson(log)
    assert len(lines) == log.stat(EVENTS).records
    take_in(copy, read_ndjson(lines, "f", NOON))
    assert digest(copy, EVENTS) == digest(log, EVENTS)


def event(identity: str) -> bytes:
    told = ChangeMerged(repo="shop", change=identity)
    name = ChangeMerged.TYPES[0]
    return encode(Event(id=identity, source="s", type=name, time=NOON, subject="x", partitionkey="shop", data=told))


HEAD = b'{"source":"s","id":"1","key":"k","time":"2026-01-01T00:00:00Z","recorded":"2026-01-01T00:00:00Z"'
GOOD = HEAD + b',"value":' + event("1") + b"}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "truncated"),
        (b"[]", "expected `object`|Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (GOOD.replace(b'"key":"k",', b""), "`key`"),
        (GOOD.replace(b'"key":"k"', b'"key":7'), r"\$\.key"),
        (GOOD.replace(b"00Z", b"00"), "zone"),
        (GOOD.replace(b"2026-01-01T", b"yesterday "), r"\$\.time"),
        (HEAD + b"}", "neither `value` nor `base64`"),
        (HEAD + b',"base64":"?"}', "base64"),
        (event("1").replace(b'"time":"', b'"time":"?'), "RFC3339"),
        (b'{"specversion":"1.0","id":"1"}', "bad_event.*missing required field"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(line: bytes, said: str) -> None:
    log = MemoryLog()
    with pytest.raises(ConfigError, match=rf"events\.ndjson:4: no record of a log: .*({said})"):
        import_records(log, EVENTS, read_ndjson([GOOD, b"\n", GOOD, line], "events.ndjson", NOON))
    assert import_records(log, EVENTS, read_ndjson([GOOD, b"\n"], "events.ndjson", NOON)) == Appended(1, 0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"1", "bad_event"),
        (event("2").replace(ChangeMerged.TYPES[0].encode(), b"com.acme.thing"), "unknown_type"),
        (event("2").replace(b'"context":{', b'"context":{"x":"\xff",'), "utf-8"),
        (DELIVERY, "utf-8"),
    ],
)
def test_an_event_that_cannot_be_read_is_refused_before_its_batch_is_appended(value: bytes, said: str) -> None:
    other, log = MemoryLog(), MemoryLog()
    other.append(EVENTS, [record("1", value=event("1")), record("2", value=value)], NOON)
    with pytest.raises(ConfigError, match=rf"e\.ndjson:2: cannot be read as one of the events: .*{said}"):
        import_records(log, EVENTS, read_ndjson(ndjson(other), "e.ndjson", NOON))
    assert log.end(EVENTS) == 0


@pytest.mark.parametrize("value", [b"{}", b"\xc1", DELIVERY.replace(b"d-1", b"d\xff\xff")])
def test_a_delivery_that_cannot_be_read_is_refused(value: bytes, tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    other, log = MemoryLog(), MemoryLog()
    other.append(DELIVERIES, [record("1", value=DELIVERY), record("2", value=value)], NOON)
    export_parquet(other, DELIVERIES, path)
    with pytest.raises(ConfigError, match=r"d\.parquet: row 2: cannot be read as one of the deliveries: "):
        import_records(log, DELIVERIES, read_parquet(path))
    assert log.end(DELIVERIES) == 0


def test_a_copy_of_another_stream_is_refused(tmp_path: Path) -> None:
    other, log = MemoryLog(), MemoryLog()
    other.append(DELIVERIES, [record("1", value=DELIVERY)], NOON)
    lines = io.BytesIO()
    export_ndjson(other, DELIVERIES, lines)
    export_parquet(other, DELIVERIES, tmp_path / "d.parquet")
    for copied in (read_ndjson([lines.getvalue()], "d.ndjson", NOON), read_parquet(tmp_path / "d.parquet")):
        with pytest.raises(ConfigError, match=r"copy of the stream deliveries, not of events; .* --stream deliveries"):
            import_records(log, EVENTS, copied)
    with pytest.raises(ConfigError, match="copy of the stream events, not of deliveries"):
        import_records(log, DELIVERIES, read_ndjson([event("1")], "e.ndjson", NOON))
    assert (log.end(EVENTS), log.end(DELIVERIES)) == (0, 0)


def test_plain_cloudevents_are_taken_in_as_leadline_encodes_them() -> None:
    log = MemoryLog()
    early = event("2").replace(b'"subject":"x"', b'"subject":"x","recordedtime":"2026-03-04T12:00:09Z","acme":"?"')
    spaced = msgspec.json.format(event("3"), indent=0).replace(b'"partitionkey": "shop", ', b"")
    assert import_records(log, EVENTS, read_ndjson([event("1"), early, spaced], "f", at(5))) == Appended(3, 0)
    taken = log.read(EVENTS)
    assert [(each.id, each.key) for each in taken] == [("1", "shop"), ("2", "shop"), ("3", "s")]
    assert [each.recorded for each in taken] == [at(5), at(9), at(9)]
    assert [each.value for each in taken[:2]] == [event("1"), event("2")]
    assert decode(taken[2].value).data == decode(event("3")).data


def test_files_that_are_no_copy_are_refused(tmp_path: Path) -> None:
    absent, text, other, typed = (tmp_path / name for name in ("absent", "text", "other", "typed"))
    text.write_bytes(b"not parquet, whatever its name says")
    pq.write_table(pa.table({"x": [1]}), other)
    columns = {name: ["x"] for name in ("source", "id", "key", "recorded", "value")}
    pq.write_table(pa.table({**columns, "time": [1]}), typed)
    for path, said in [
        (absent, "no such file"),
        (text, "cannot be read as Parquet"),
        (other, "no column 'source'"),
        (typed, "column 'time' is int64; expected timestamp"),
    ]:
        with pytest.raises(ConfigError, match=said) as refused:
            import_records(MemoryLog(), EVENTS, read_parquet(path))
        assert str(path) in str(refused.value)


def test_only_streams_that_make_sense_elsewhere_are_imported() -> None:
    with pytest.raises(ConfigError, match="there are: deliveries, events"):
        import_records(MemoryLog(), "quarantine", read_ndjson([GOOD], "f", NOON))


def test_large_copies_go_in_batches_and_tell_how_far_they_are() -> None:
    one = event("1")

    def many() -> Iterator[Copied]:
        for number in range(12_000):
            yield Copied(record(str(number), value=one), at(number), "f")

    seen: list[int] = []
    log = MemoryLog()
    assert import_records(log, EVENTS, many(), seen.append) == Appended(12_000, 0)
    assert seen == [5_000, 10_000, 12_000]
    assert log.stat(EVENTS).last_recorded == at(11_999)


def test_a_digest_tells_content_from_history() -> None:
    one, other, late, different = (MemoryLog() for _ in range(4))
    a, b = record("a"), record("b")
    one.append(EVENTS, [a, b], NOON)
    other.append(EVENTS, [b, a], NOON)
    late.append(EVENTS, [a, b], at(1))
    different.append(EVENTS, [a, record("b", value=b"x")], NOON)
    base = digest(one, EVENTS)
    assert base.records == 2
    for log in (other, late):
        assert digest(log, EVENTS).content == base.content
        assert digest(log, EVENTS).history != base.history
    assert digest(different, EVENTS).content != base.content


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_text("old")

    def fill_the_disk() -> None:
        with replacing(path) as partial:
            partial.write_text("ne")
            raise OSError(28, os.strerror(28))

    with pytest.raises(Retryable, match="nothing was replaced"):
        fill_the_disk()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("copy", "old")]
    with pytest.raises(ConfigError, match="directory must exist"):
        export_parquet(MemoryLog(), EVENTS, tmp_path / "absent" / "e.parquet")


def test_what_cannot_be_read_is_found(log: EventLog) -> None:
    not_text = event("b").replace(b'"context":{', b'"context":{"x":"\xff",')
    log.append(EVENTS, [record("a", value=b"junk"), record("b", value=not_text), record("c", value=event("c"))], NOON)
    not_texts = DELIVERY.replace(b"d-1", b"d\xff\xff")
    log.append(
        DELIVERIES, [record("d", value=b"\xc1"), record("e", value=not_texts), record("f", value=DELIVERY)], NOON
    )
    junk, binary = unreadable(log, EVENTS)
    assert (junk.offset, junk.source, junk.id) == (1, "acme", "a")
    assert junk.detail.startswith("bad_event")
    assert (binary.offset, "utf-8" in binary.detail) == (2, True)
    assert [each.offset for each in unreadable(log, DELIVERIES)] == [1, 2]
    assert [shown(DELIVERIES, each).type for each in log.read(DELIVERIES)] == ["?", "?", "push"]


def test_the_latest_of_a_type_are_found_however_far_back(log: EventLog) -> None:
    kinds = {0: "dev.cdevents.change.merged.0.3.0", 40: "dev.cdevents.incident.detected.0.3.0"}
    told = [
        record(
            str(number), value=msgspec.json.encode({"type": kinds.get(number % 3_000, "x"), "subject": f"#{number}"})
        )
        for number in range(6_500)
    ]
    log.append(EVENTS, told, NOON)
    end = log.end(EVENTS)
    assert ids(latest(log, EVENTS, end, 3, type_filter(EVENTS, None))) == ["6497", "6498", "6499"]
    assert ids(latest(log, EVENTS, end, 2, type_filter(EVENTS, "change.*"))) == ["3000", "6000"]
    assert ids(latest(log, EVENTS, end, 9, type_filter(EVENTS, "*incident*"))) == ["40", "3040", "6040"]
    assert latest(log, EVENTS, end, 0, type_filter(EVENTS, None)) == []
    assert ids(latest(log, EVENTS, 3_000, 1, type_filter(EVENTS, "change.*"))) == ["0"]
    found = shown(EVENTS, log.read(EVENTS)[0])
    assert (found.type, found.about) == ("dev.cdevents.change.merged.0.3.0", "#0")


def test_types_are_shortened_to_what_tells_them_apart() -> None:
    assert short_type("dev.cdevents.change.merged.0.3.0") == "change.merged"
    assert short_type("dev.cdeventsx.leadline-commit.recorded.1.0.0") == "commit.recorded"
    assert short_type("com.acme.thing") == "com.acme.thing"
