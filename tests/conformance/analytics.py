"""Real events of product analytics through their connectors, compared with the fields of the rows themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.amplitude import CONNECTOR as AMPLITUDE
from connectors.ga4 import CONNECTOR as GA4
from connectors.snowplow import CONNECTOR as SNOWPLOW
from connectors.snowplow.atomic import COLUMNS
from pipeline.events.delivery import Connector, Delivery, Observation, Translation
from tests.conformance.told import CONTEXT, Row, Told, payloads, row, same

#: Start of the file's name -> what is no event, and is left out as.
_LEFT_OUT = {"self_describing_json": "contexts"}
_MICROSECOND = 1_000_000
_RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    rows = [
        each
        for connector, mistakes_of in ((AMPLITUDE, _amplitude), (SNOWPLOW, _snowplow), (GA4, _ga4))
        for each in _checked(connector, list(payloads(connector, root)), mistakes_of)
    ]
    return [*rows, _one_user_is_one_unit(root), _forms_agree(root)]


def _checked(
    connector: Connector, told: list[Told], mistakes_of: Callable[[dict[str, Any], Observation], list[str]]
) -> list[Row]:
    mistakes, differ = [], []
    for item in told:
        expected = _LEFT_OUT.get(item.where.split("__")[0])
        if item.result != (f"ignored:{expected}" if expected else "translated"):
            mistakes.append(f"{item.where}: {item.result}")
        found = _observations(item)
        if expected is None and len(found) != 1:
            mistakes.append(f"{item.where}: {len(found)} observations")
        differ += [f"{item.where}: {mistake}" for each in found for mistake in mistakes_of(item.body, each)]
    counts = Counter(item.result for item in told)
    note = ", ".join(f"{count} {result}" for result, count in counts.most_common())
    fields = "name, unit, instant, id and properties equal those of the row"
    return [
        row(f"{connector.name} payloads", len(told), mistakes, note),
        row(f"{connector.name} rows as in the source", sum(len(_observations(each)) for each in told), differ, fields),
    ]


def _observations(item: Told) -> list[Observation]:
    return list(item.outcome.observations) if isinstance(item.outcome, Translation) else []


def _utc(text: str) -> datetime:
    """Return the instant of a text without a zone: by documentation it is in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _common(told: Observation, name: str, person: str, at: datetime) -> list[str]:
    return [
        *same("name", told.name, name),
        *same("unit", told.unit, CONTEXT.actor(person)),
        *same("at", told.at, at),
        *([f"holds {person}"] if person in told.properties.values() else []),
    ]


def _amplitude(body: dict[str, Any], told: Observation) -> list[str]:
    person = body["user_id"] or body["device_id"]
    properties = json.loads(body["event_properties"]) | {
        f"user_properties.{name}": value for name, value in json.loads(body["user_properties"]).items()
    }
    return [
        *_common(told, body["event_type"], person, _utc(body["event_time"])),
        *same("id", told.id, body["uuid"]),
        *(each for name, value in properties.items() for each in same(name, told.properties.get(name), value)),
        *same("country", told.properties.get("country"), body["country"]),
    ]


def _snowplow(body: dict[str, Any], told: Observation) -> list[str]:
    said = json.loads(body["unstruct_event"])["data"]["data"]
    page = json.loads(body["contexts"])["data"][0]["data"]
    return [
        *_common(told, body["event_name"], body["user_id"], _utc(body["true_tstamp"])),
        *same("id", told.id, body["event_id"]),
        *same("targetUrl", told.properties.get("targetUrl"), said["targetUrl"]),
        *same("elementClasses", told.properties.get("elementClasses.0"), said["elementClasses"][0]),
        *same("genre", told.properties.get("contexts_org_schema_web_page_1.0.genre"), page["genre"]),
        *same("app_id", told.properties.get("app_id"), body["app_id"]),
    ]


def _ga4(body: dict[str, Any], told: Observation) -> list[str]:
    person = body["user_id"] or body["client_id"]
    seconds, micros = divmod(int(body["event_timestamp"]), _MICROSECOND)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    mistakes = _common(told, body["event_name"], person, at)
    for param in body["event_params"]:
        value = param["value"]
        expected = value["string_value"] if value["int_value"] is None else int(value["int_value"])
        mistakes += same(param["key"], told.properties.get(param["key"]), expected)
    for record in ("device", "geo"):
        for name, value in body[record].items():
            if isinstance(value, str):
                mistakes += same(name, told.properties.get(f"{record}.{name}"), value)
    return mistakes


def _one_user_is_one_unit(root: Path) -> Row:
    """Over all rows, two units are the same exactly where the rows name the same user."""
    pairs = [(item.body["user_id"], each.unit) for item in payloads(AMPLITUDE, root) for each in _observations(item)]
    mistakes = [
        f"{unit} and {other}: {user}, {someone}"
        for user, unit in pairs
        for someone, other in pairs
        if (user == someone) != (unit == other)
    ]
    return row("amplitude users are units", len(pairs), mistakes, f"{len({user for user, _ in pairs})} users")


def _forms_agree(root: Path) -> Row:
    """The tab separated line of an event tells what the object does."""
    mistakes, checked = [], 0
    for item in payloads(SNOWPLOW, root):
        if list(item.body) != list(COLUMNS):
            continue
        line = "\t".join(" ".join(item.body[column].split()) for column in COLUMNS)
        kind, identity = SNOWPLOW.describe({}, line.encode())
        delivery = Delivery(connector="snowplow", id=identity, kind=kind, received_at=_RECEIVED, body=line.encode())
        again = SNOWPLOW.translate(delivery, CONTEXT)
        checked += 1
        mistakes += same(item.where, list(again.observations), _observations(item))
    return row("snowplow lines and objects agree", checked, mistakes, "byte for byte")
