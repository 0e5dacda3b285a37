from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.errors import Quarantined
from pipeline.events.reading import MAX_DEPTH, REASONS, Node, parse_json, parse_object, parse_time

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", ""]), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:00:00Z",
        "2026-11-23t12:00:00z",
        "2026-11-23T14:00:00+02:00",
        "2026-11-23T14:00:00+0200",
        "2026-11-23T14:00:00+02",
        "2026-11-23T07:00:00.000-0500",
        "2026-11-23 12:00:00 UTC",
        "2026-11-23 12:00:00 +0000",
        "2026-11-23T12:00Z",
        " 2026-11-23T12:00:00Z ",
        "1795435200",
        "1795435200000",
        1_795_435_200,
        1_795_435_200.0,
        1_795_435_200_000,
        1_795_435_200_000_000,
        1_795_435_200_000_000_000,
    ],
)
def test_every_form_of_noon(text: object) -> None:
    assert parse_time(text) == NOON


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("12:00:00.5Z", 500_000), ("12:00:00.1234567Z", 123_456), ("12:00:00,123456789+00:00", 123_456)],
)
def test_fractions_are_cut_to_microseconds(text: str, microsecond: int) -> None:
    assert parse_time(f"2026-11-23T{text}") == NOON.replace(microsecond=microsecond)


@pytest.mark.parametrize("value", [None, "", "0001-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59.9999999Z"])
def test_never_is_none(value: object) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *("yesterday", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z", "20261123", "12345678", "2026-11-23T12:00:00"),
        *(
            "2026-11-23",
            "2300-01-01T00:00:00Z",
            "2026-11-23T12:00:00+99:00",
            True,
            [],
            {},
            10**30,
            -1e300,
            float("nan"),
        ),
    ],
)
def test_what_is_no_instant_is_quarantined_with_its_place(value: object) -> None:
    with pytest.raises(Quarantined) as caught:
        parse_time(value, "issue.created")
    assert caught.value.reason == "bad_time"
    assert "issue.created" in caught.value.detail


def test_a_zoneless_text_is_utc_only_where_asked() -> None:
    assert parse_time("2026-11-23 12:00:00", zoneless_utc=True) == NOON
    assert parse_time("2026-11-23", zoneless_utc=True) == NOON.replace(hour=0)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2255, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_text_and_numbers_of_an_instant_agree(moment: datetime) -> None:
    us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_time(moment.isoformat()) == moment
    if us >= 10**14:
        assert parse_time(us) == moment
        assert parse_time(us * 1_000) == moment
    assert parse_time(us // 1_000_000) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1',
        b"\xff",
        b'"\\ud800"',
        b"NaN",
        b'{"a": NaN}',
        b"1e999",
        b"[" * 100_000,
        b"{}x",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_quarantined(body: bytes) -> None:
    with pytest.raises(Quarantined) as caught:
        parse_json(body)
    assert caught.value.reason == "bad_json"


def test_depth_is_bounded() -> None:
    assert parse_json(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)) is not None
    with pytest.raises(Quarantined, match="nested deeper"):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_a_node_reads_what_is_there() -> None:
    root = parse_object(
        b'{"pr": {"title": "x", "number": 7, "labels": ["a", "", null], "draft": true, "at": 1795435200}}'
    )
    pull = root.child("pr")
    assert (pull.text("title"), pull.integer("number"), pull.key("number"), pull.flag("draft")) == ("x", 7, "7", True)
    assert pull.texts("labels") == ["a"]
    assert pull.moment("at") == NOON
    assert root.at("pr", "title").path == "pr.title"


def test_null_absent_and_empty_are_nothing() -> None:
    root = Node({"null": None, "empty": ""})
    for name in ("null", "absent"):
        assert root.text_or_none(name) is None
        assert root.text_or_none(name, "below") is None
        assert root.key_or_none(name) is None
        assert root.integer_or_none(name) is None
        assert root.moment_or_none(name) is None
        assert root.child_or_none(name) is None
        assert root.items(name) == []
        assert root.flag(name) is False
        assert root.has(name) is False
    assert root.text_or_none("empty") is None


@pytest.mark.parametrize("read", ["text", "key", "integer", "moment", "child"])
def test_what_must_be_there_is_named_when_it_is_not(read: str) -> None:
    with pytest.raises(Quarantined) as caught:
        getattr(Node({"pull_request": {"merged_at": None}}), read)("pull_request", "merged_at")
    assert caught.value.reason == "missing_field"
    assert "pull_request.merged_at" in caught.value.detail


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *(
            ("text", 1),
            ("text", []),
            ("key", 1.5),
            ("key", True),
            ("integer", "1"),
            ("integer", True),
            ("integer", 2**63),
        ),
        *(("child", []), ("items", {}), ("flag", "yes"), ("flag", 1), ("texts", [1])),
    ],
)
def test_another_type_is_named(read: str, value: object) -> None:
    with pytest.raises(Quarantined) as caught:
        getattr(Node({"a": {"b": value}}), read)("a", "b")
    assert caught.value.reason == "bad_type"
    assert "a.b" in caught.value.detail


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(Quarantined) as caught:
        Node({"a": "x" * 10_000}).integer("a")
    assert len(caught.value.detail) < 200


@given(JSON, st.sampled_from(["text", "key", "integer", "moment", "child", "items", "flag", "texts", "at", "has"]))
def test_readers_raise_nothing_but_quarantined(value: object, read: str) -> None:
    try:
        getattr(Node(value), read)("a", "b")
    except Quarantined as error:
        reason, detail = error.reason, error.detail
    else:
        return
    assert reason in REASONS
    assert detail
