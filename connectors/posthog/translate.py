"""PostHog's events -> observations; its feature flags -> events."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.posthog import flags
from pipeline.events.batches import NO_UNIT, batch, embedded, first_key, first_row, impersonal, rows
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.tracked import flatten, observation

EVENTS, EXPORT, PAGE, FLAGS = "events", "export.events", "rest.events", "rest.feature_flags"
#: Notes on charts, and groups of persons: nobody did anything.
LEFT_OUT = {"rest.annotations": "annotations", "rest.cohorts": "cohorts", "rest.persons": "persons"}

#: Properties that change the person or tell how the event was transported, rather than what was done.
_NOT_TOLD = ("$set", "$unset", "$group_set", "token", "$insert_id", "$sent_at", "$ip")
#: Where the events of a message are, if they are not the message itself.
_LISTS, _WRAPPERS = ("results", "batch"), ("event", "data")


def kind_of(body: bytes) -> str:
    """Return the kind of a pushed message by its shape."""
    row = first_row(body)
    return FLAGS if "filters" in row and "key" in row else EVENTS


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate events as they are pushed, exported or listed, or a list of flags. Raises nothing but `Quarantined`."""
    kind = delivery.kind
    if kind not in {EVENTS, EXPORT, PAGE, FLAGS, *LEFT_OUT}:
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no kind of PostHog's messages")
    told = _unwrapped(rows(delivery.body))
    if kind in LEFT_OUT:
        return Translation(ignored=LEFT_OUT[kind])
    if kind == FLAGS:
        return flags.translate(told, delivery.headers, context)
    return batch(told, lambda row: _event(row, context))


def _unwrapped(told: list[Node]) -> Iterator[Node]:
    """Yield the items of lists and the contents of wrappers; others as they are."""
    for row in told:
        held = next((name for name in _LISTS if row.has(name)), None)
        wrapper = next((name for name in _WRAPPERS if isinstance(row.at(name).value, dict)), None)
        if held is not None:
            yield from (item.child() for item in row.items(held))
        else:
            yield row if wrapper is None else row.child(wrapper)


def _event(row: Node, context: Context) -> Observation | str:
    name, unit = row.text("event"), first_key(row, "distinct_id", "distinctId")
    # Batch exports into warehouses write instants without a zone; PostHog keeps all of them in UTC.
    at = row.moment("timestamp", zoneless_utc=True)
    properties = flatten(embedded(row, "properties"))
    if unit is None:
        return NO_UNIT
    if properties.get("$browser_type") == "bot":
        return "bot"
    told_id = first_key(row, "uuid", "id", "eventUuid") or _text(properties.get("$insert_id"))
    found = {key: value for key, value in properties.items() if not key.startswith(_NOT_TOLD)}
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=impersonal(found))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
