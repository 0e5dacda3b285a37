"""Google Analytics 4: rows of the BigQuery export and bodies of the Measurement Protocol -> observations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.events.batches import NO_UNIT, batch, first_key, first_row, impersonal, number, rows
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.tracked import Scalar, flatten, observation

EXPORT, PROTOCOL = "export.events", "measurement_protocol"

#: `client_id` is a browser and `app_instance_id` an app; the export calls both `user_pseudo_id`.
_UNITS = ("user_id", "user_pseudo_id", "client_id", "app_instance_id")
#: Records of a row that describe an event, beside its parameters; their numbers may be written as texts.
_RECORDS = ("device", "geo", "app_info", "traffic_source", "collected_traffic_source", "ecommerce")
_COLUMNS = ("platform", "stream_id", "event_value_in_usd")
_NOT_TOLD = ("device.advertising_id", "device.vendor_id")
#: What tells two events of one name and instant apart, beside their parameters.
_ORDER = ("stream_id", "event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index")
_VALUES = ("string_value", "int_value", "float_value", "double_value")


def kind_of(body: bytes) -> str:
    """Return the kind of a pushed message by its shape."""
    return PROTOCOL if "events" in first_row(body) else EXPORT


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate rows of the export, or bodies of the Measurement Protocol. Raises nothing but `Quarantined`."""
    if delivery.kind == EXPORT:
        return batch(rows(delivery.body), lambda row: _row(row, context))
    if delivery.kind == PROTOCOL:
        return batch(_hits(rows(delivery.body)), lambda hit: _hit(hit, context))
    raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is no kind of Google Analytics' messages")


def _row(row: Node, context: Context) -> Observation | str:
    name, at, unit = row.text("event_name"), row.moment("event_timestamp"), first_key(row, *_UNITS)
    params = _keyed(row, "event_params")
    if params.get("traffic_type") == "internal":
        return "internal_traffic"
    if unit is None:
        return NO_UNIT
    order = [row.key_or_none(column) for column in _ORDER]
    said = msgspec.json.encode(params, order="sorted").decode()
    told_id = event_id("row", first_key(row, *_UNITS[1:]), at.isoformat(), name, *order, said)
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=_described(row, params))


def _described(row: Node, params: dict[str, Scalar]) -> dict[str, Scalar]:
    found = dict(params)
    found |= {f"user_properties.{name}": value for name, value in _keyed(row, "user_properties").items()}
    for record in _RECORDS:
        for name, value in flatten(row.child_or_none(record)).items():
            found.setdefault(f"{record}.{name}", number(value) if record == "ecommerce" else value)
    for column in _COLUMNS:
        told = row.at(column).value
        if isinstance(told, str | int | float) and told != "":
            found.setdefault(column, number(told) if column == "event_value_in_usd" else told)
    return impersonal({name: value for name, value in found.items() if name not in _NOT_TOLD})


def _keyed(row: Node, column: str) -> dict[str, Scalar]:
    """Return a column of keys and values, each of which has one field of four types; JSON writes integers as texts."""
    found: dict[str, Scalar] = {}
    for item in row.items(column):
        told = flatten(item.child_or_none("value"))
        value = next((told[name] for name in _VALUES if name in told), None)
        if value is not None:
            found[item.text("key")] = value if "string_value" in told else number(value)
    return found


def _hits(told: list[Node]) -> Iterator[Node]:
    """Yield each event of a body, with what the body says of all of them."""
    for body in told:
        whole = body.child().value
        shared = {} if not isinstance(whole, dict) else {name: whole[name] for name in whole if name != "events"}
        for item in body.items("events"):
            event = item.child().value
            yield Node({**shared, **(event if isinstance(event, dict) else {})}, item.path)


def _hit(hit: Node, context: Context) -> Observation | str:
    name, unit = hit.text("name"), first_key(hit, *_UNITS)
    if not hit.has("timestamp_micros"):
        raise Quarantined(
            "missing_field",
            f"{hit.at('timestamp_micros').path} is absent: Google then takes the time of arrival, which no message "
            f"tells; let the sender set it",
        )
    at, params = hit.moment("timestamp_micros"), flatten(hit.child_or_none("params"))
    if params.get("traffic_type") == "internal":
        return "internal_traffic"
    if unit is None:
        return NO_UNIT
    user = {
        f"user_properties.{item}": flatten(value).get("value")
        for item, value in _entries(hit.child_or_none("user_properties"))
    }
    told = {**params, **{key: value for key, value in user.items() if value is not None}}
    return observation(context, name=name, unit=unit, at=at, properties=impersonal(told))


def _entries(node: Node | None) -> list[tuple[str, object]]:
    return sorted(node.value.items()) if node is not None and isinstance(node.value, dict) else []
