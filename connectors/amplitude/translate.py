"""Amplitude's events -> observations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.events.batches import NO_UNIT, batch, embedded, first_key, first_row, impersonal, rows
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.tracked import Scalar, flatten, observation

EVENTS, EXPORT, COHORT = "events", "export.events", "cohort"
#: Kinds that nobody did: notes on charts, and which of Amplitude's numbers for a person became one.
LEFT_OUT = {"rest.annotations": "annotations", "export.merged_ids": "merged_ids"}
ENTERED, LEFT = "cohort.entered", "cohort.left"

#: Columns that describe the event, beside its properties.
_COLUMNS = ("platform", "os_name", "version_name", "country", "region", "language", "library")
#: Groups of properties that are told under their own name; those of the event are told without one.
_GROUPS = ("user_properties", "groups", "group_properties")
_TIMES = ("event_time", "client_event_time", "time")


def kind_of(body: bytes) -> str:
    """Return the kind of a pushed message by its shape."""
    row = first_row(body)
    if "cohort_id" in row:
        return COHORT
    return "export.merged_ids" if "merged_amplitude_id" in row else EVENTS


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate events, lines of an export, or a change of a cohort. Raises nothing but `Quarantined`."""
    kind = delivery.kind
    if kind not in {EVENTS, EXPORT, COHORT, *LEFT_OUT}:
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no kind of Amplitude's messages")
    told = rows(delivery.body)
    if kind in LEFT_OUT:
        return Translation(ignored=LEFT_OUT[kind])
    if kind == COHORT:
        return batch(_members(told), lambda member: _membership(member, context))
    return batch(_events(told), lambda row: _event(row, context))


def _events(told: list[Node]) -> Iterator[Node]:
    """Yield the events of rows, or of the lists that some messages put them in."""
    for row in told:
        yield from row.items("events") if row.has("events") else [row]


def _event(row: Node, context: Context) -> Observation | str:
    name, at = row.text("event_type"), _moment(row)
    device, unit = row.key_or_none("device_id"), first_key(row, "user_id", "device_id", "amplitude_id")
    if unit is None:
        return NO_UNIT
    # Amplitude takes two events for one if both device and insert id are the same.
    insert = first_key(row, "$insert_id", "insert_id", "_insert_id")
    told_id = event_id("insert", device, insert) if insert else row.key_or_none("uuid")
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=_properties(row))


def _moment(row: Node) -> datetime:
    """Return when it happened: exports are in UTC and do not say so."""
    for name in _TIMES:
        if row.has(name) and (at := row.moment_or_none(name, zoneless_utc=True)):
            return at
    return row.moment(_TIMES[0])


def _properties(row: Node) -> dict[str, Scalar]:
    found = flatten(embedded(row, "event_properties"))
    for group in _GROUPS:
        found |= {f"{group}.{name}": value for name, value in flatten(embedded(row, group)).items()}
    for column in _COLUMNS:
        if text := row.key_or_none(column):
            found.setdefault(column, text)
    return impersonal(found)


def _members(told: list[Node]) -> Iterator[Node]:
    """Yield each member of a change of a cohort, with what the change says."""
    for row in told:
        change = {name: row.at(name).value for name in ("cohort_id", "cohort_name", "in_cohort", "computed_time")}
        for user in row.items("users") if row.has("users") else [row]:
            yield Node({**change, "user_id": first_key(user, "user_id", "amplitude_id")}, user.path)


def _membership(member: Node, context: Context) -> Observation | str:
    cohort, unit = member.key("cohort_id"), member.key_or_none("user_id")
    at, name = member.moment("computed_time", zoneless_utc=True), ENTERED if member.flag("in_cohort") else LEFT
    if unit is None:
        return NO_UNIT
    properties: dict[str, Scalar] = {"cohort_id": cohort, "cohort_name": member.text_or_none("cohort_name") or ""}
    told_id = event_id("cohort", cohort, name, at.isoformat(), context.actor(unit))
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=properties)
