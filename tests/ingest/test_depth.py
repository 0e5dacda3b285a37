from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.depth import nests_deeper

MIB = 1024 * 1024


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("level", [1, 2, 64])
def test_the_limit_is_exact(level: int) -> None:
    assert not nests_deeper(nested(level), level)
    assert nests_deeper(nested(level + 1), level)
    assert nests_deeper(b'  {"a": ' + nested(level) + b"}", level)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b'"[[[["',
        b"payload=%5B [[[[",
        b'["[[[[", "\\"[[[[", "\\\\"]',
        b"[1]]]]]]" + b"[" * 3,
        b'["' + b"[" * 99,
        b"[],[],[],[]" * 50,
    ],
)
def test_what_does_not_nest_passes(text: bytes) -> None:
    assert not nests_deeper(text, 3)


def test_a_byte_order_mark_hides_nothing() -> None:
    assert nests_deeper(b"\xef\xbb\xbf" + nested(65), 64)


@pytest.mark.parametrize("text", [nested(MIB), b"[" * 5 * MIB, b'["' + b"\\" * 5 * MIB, b"[]" * MIB + nested(65)])
def test_hostile_texts_are_answered_without_recursion(text: bytes) -> None:
    assert isinstance(nests_deeper(text, 64), bool)


values = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\ a') | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(each) for each in value), default=0)
    return 0


@given(values, st.integers(0, 8))
def test_it_agrees_with_the_parsed_value(value: object, limit: int) -> None:
    assert nests_deeper(json.dumps(value).encode(), limit) == (depth(value) > limit)
