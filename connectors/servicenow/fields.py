"""Fields of a record, which ServiceNow writes as texts, or as objects of a stored and a displayed one."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.incidents import site_of
from pipeline.events.reading import Node, parse_time


def text(record: Node, field: str) -> str | None:
    """Return a field; with `sysparm_display_value=all` it is what is stored, and of a reference what is displayed.

    A reference stores an id that says nothing; of a choice, a record that a rule sends holds the stored value too.
    """
    place = record.at(field)
    if isinstance(place.value, dict):
        displayed, stored = place.text_or_none("display_value"), place.key_or_none("value")
        return displayed or stored if place.has("link") else stored or displayed
    return place.key_or_none() if isinstance(place.value, str | int) else None


def texts(record: Node) -> dict[str, str]:
    """Return all fields of a record that are not empty."""
    fields = record.value if isinstance(record.value, dict) else {}
    return {name: found for name in fields if (found := text(record, name))}


def choices(record: Node, field: str) -> set[str]:
    """Return what a field stores and what it displays, case-folded."""
    place = record.at(field)
    parts = [place.at("value"), place.at("display_value")] if isinstance(place.value, dict) else [place]
    return {
        told.strip().casefold() for part in parts if isinstance(part.value, str | int) and (told := part.key_or_none())
    }


def moment(record: Node, field: str) -> datetime | None:
    """Return a time, which ServiceNow writes without a zone; the stored value is UTC, the displayed one is not."""
    place = record.at(field)
    told = place.at("value") if isinstance(place.value, dict) else place
    return parse_time(told.value, told.path, zoneless_utc=True)


def site(record: Node) -> str | None:
    """Return the instance that a link of the record names; None where it has none."""
    fields = record.value if isinstance(record.value, dict) else {}
    for name in fields:
        place = record.at(name)
        if isinstance(place.value, dict) and (found := site_of(place.text_or_none("link"))):
            return found
    return None
