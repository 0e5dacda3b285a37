"""Mixpanel's events -> observations."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.events.batches import NO_UNIT, batch, embedded, first_key, first_row, impersonal, rows
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.tracked import flatten, observation

EVENTS, EXPORT, COHORT = "events", "export.events", "cohort"
#: A cohort's synchronisation names its members without saying when they joined.
LEFT_OUT = {COHORT: "cohort", "rest.annotations": "annotations", "rest.engage": "profiles"}
DEFAULT_ZONE = "UTC"

_PROCESSED = "mp_processing_time_ms"
_UNITS = ("distinct_id", "$user_id", "$device_id")
#: Not about what was done: identities, the project's token, and how the event was transported.
_NOT_TOLD = {
    *_UNITS, "time", "token", "$insert_id", "$distinct_id", "$identified_id", "$anon_distinct_id",
    "$distinct_id_before_identity", "$had_persisted_distinct_id", "$import", _PROCESSED,
    "$mp_api_endpoint", "$mp_api_timestamp_ms", "mp_sent_by_lib_version",
}  # fmt: skip


def kind_of(body: bytes) -> str:
    """Return the kind of a pushed message by its shape: what Mixpanel has processed tells when it did."""
    row = first_row(body)
    if "action" in row:
        return COHORT
    properties = row.get("properties")
    return EXPORT if isinstance(properties, dict) and _PROCESSED in properties else EVENTS


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate events, or lines of the raw export.

    Raises `Quarantined`, and `ConfigError` for a `timezone` that is none; nothing else.
    """
    kind = delivery.kind
    if kind not in {EVENTS, EXPORT, *LEFT_OUT}:
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no kind of Mixpanel's messages")
    told = rows(delivery.body)
    if kind in LEFT_OUT:
        return Translation(ignored=LEFT_OUT[kind])
    zone = _zone(context.settings.get("timezone", "").strip() or DEFAULT_ZONE) if kind == EXPORT else None
    return batch(told, lambda row: _event(row, context, zone))


def _event(row: Node, context: Context, zone: ZoneInfo | None) -> Observation | str:
    name, properties = row.text("event"), embedded(row, "properties") or row.child("properties")
    at, unit = properties.moment("time", zoneless_utc=True), first_key(properties, *_UNITS)
    if unit is None:
        return NO_UNIT
    at = at if zone is None else _from_local(at, zone, properties)
    insert = properties.key_or_none("$insert_id")
    # Mixpanel tells duplicates by event, time and insert id; by the person as well, but persons are merged later.
    told_id = event_id("insert", name, at.replace(microsecond=0).isoformat(), insert) if insert else None
    found = {key: value for key, value in flatten(properties).items() if key not in _NOT_TOLD}
    return observation(context, id=told_id, name=name, unit=unit, at=at, properties=impersonal(found))


def _from_local(at: datetime, zone: ZoneInfo, properties: Node) -> datetime:
    """Return the instant of an export's `time`: it counts the seconds that the project's wall clock would show."""
    try:
        return at.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        path = properties.at("time").path
        raise Quarantined("bad_time", f"{path} is out of range in the zone {zone.key}") from error


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"connectors.mixpanel.settings.timezone: {name!r} is no time zone; write one such as Europe/Berlin"
        ) from error
