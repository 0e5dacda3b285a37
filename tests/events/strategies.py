"""Hypothesis strategies for events: any payload of any type, built from the declared types of its fields."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.events.types import Instant, Name, Payload
from pipeline.events.vocabulary import TYPES

times = st.datetimes(timezones=st.just(UTC))
names = st.text(min_size=1, max_size=40)
# JSON numbers that every consumer reads alike: no integer beyond 2**53, nothing that is not finite.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=3),
    max_leaves=8,
)


def _field(declared: Any) -> st.SearchStrategy[Any]:
    if declared in {str, Name}:
        return names
    if declared in {str | None, Name | None}:
        return st.none() | names
    if declared in {Instant, Instant | None}:
        return times if declared is Instant else st.none() | times
    if get_origin(declared) is Annotated and get_args(declared)[0] is int:
        return st.integers(0, 2**31 - 1)
    if dict[str, Any] in {declared, *get_args(declared)}:
        return st.dictionaries(names, json_values, max_size=3)
    return st.from_type(declared)


def payloads(payload: type[Payload]) -> st.SearchStrategy[Payload]:
    """Any payload of one struct."""
    fields = msgspec.structs.fields(payload)
    return st.builds(payload, **{field.name: _field(field.type) for field in fields})


def events(types: list[str] | None = None) -> st.SearchStrategy[Event]:
    """Any event, of one of `types` or of all."""
    return st.sampled_from(types or sorted(TYPES)).flatmap(
        lambda name: st.builds(
            Event,
            id=names,
            source=names,
            type=st.just(name),
            time=times,
            subject=names,
            partitionkey=names,
            data=payloads(TYPES[name]),
            recordedtime=st.none() | times,
        )
    )
