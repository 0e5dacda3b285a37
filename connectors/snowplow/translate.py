"""Snowplow's enriched events -> observations."""

from __future__ import annotations

from datetime import datetime

from connectors.snowplow import atomic, entities
from pipeline.events.batches import NO_UNIT, batch, first_key, first_row, impersonal, number, rows
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.tracked import Scalar, observation

JSON, TSV, SELF_DESCRIBING = "enriched.json", "enriched.tsv", "self_describing_json"
#: What is described by a schema and is no enriched event, by the schema's start.
_DESCRIBED = {
    "iglu:com.snowplowanalytics.snowplow/payload_data/": "tracker_payload",
    "iglu:com.snowplowanalytics.snowplow.badrows/": "bad_row",
    "iglu:com.snowplowanalytics.snowplow/bad_row": "bad_row",
    "iglu:com.snowplowanalytics.snowplow/contexts/": "contexts",
    "iglu:": "self_describing_json",
}
_NOBODY = "00000000-0000-0000-0000-000000000000"


def kind_of(body: bytes) -> str:
    """Return the kind of a pushed message by its shape."""
    if atomic.is_line(body):
        return TSV
    row = first_row(body)
    return SELF_DESCRIBING if "schema" in row and "data" in row else JSON


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate enriched events, one or many, in either format. Raises nothing but `Quarantined`."""
    if delivery.kind == TSV:
        return batch(atomic.lines(delivery.body), lambda row: _event(row, context))
    if delivery.kind == JSON:
        return batch(rows(delivery.body), lambda row: _event(row, context))
    if delivery.kind == SELF_DESCRIBING:
        return batch(rows(delivery.body), _described)
    raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is no kind of Snowplow's messages")


def _described(row: Node) -> str:
    schema = row.text("schema")
    for start, name in _DESCRIBED.items():
        if schema.startswith(start):
            return name
    raise Quarantined(
        "bad_value", f"{row.at('schema').path} is {schema[:80]!r}; expected iglu:VENDOR/NAME/FORMAT/VERSION"
    )


def _event(row: Node, context: Context) -> Observation | str:
    told_id, at = row.text("event_id"), _moment(row)
    name = row.text_or_none("event_name") or row.text("event")
    found = entities.of_event(row)
    if entities.is_robot(found):
        return "bot"
    unit = _unit(row, found)
    if unit is None:
        return NO_UNIT
    for column in atomic.TOLD:
        # The event's own properties come first: columns are the same for all events.
        if (value := _column(row, column)) is not None:
            found.setdefault(column, value)
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=impersonal(found))


def _moment(row: Node) -> datetime:
    """Return when it happened; `derived_tstamp` is the pipeline's estimate. Columns are in UTC and do not say so."""
    for name in ("true_tstamp", "derived_tstamp"):
        if at := row.moment_or_none(name, zoneless_utc=True):
            return at
    return row.moment("collector_tstamp", zoneless_utc=True)


def _unit(row: Node, found: dict[str, Scalar]) -> str | None:
    """Return who did it: the user, else the browser, the installed app, or the cookie of the collector."""
    installed = found.pop(f"{entities.CLIENT_SESSION}.0.userId", None)
    cookie = row.key_or_none("network_userid")
    app = installed if isinstance(installed, str) else None
    return first_key(row, "user_id", "domain_userid") or app or (None if cookie == _NOBODY else cookie)


def _column(row: Node, column: str) -> Scalar:
    value = row.at(column).value
    if isinstance(value, bool | int | float):
        return value
    text = row.text_or_none(column)
    return number(text) if column in atomic.NUMBERS else text
