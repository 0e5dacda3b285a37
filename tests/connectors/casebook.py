"""The case folders of all connectors, for the tests and for `regenerate`; `connectors/README.md` has the layout."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pipeline.events.codec import encode
from pipeline.events.delivery import Connector, Context, Delivery, Observation, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined

ROOT = Path(__file__).parents[2] / "connectors"
ACTOR_KEY = b"test-actor-key"
RECEIVED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One recorded delivery of a connector and the folder that holds it."""

    connector: str
    name: str
    folder: Path
    delivery: Delivery
    context: Context

    def expected(self) -> dict[str, Any]:
        """Return what a person has reviewed as the right outcome."""
        expected: dict[str, Any] = json.loads((self.folder / "expected.json").read_text(encoding="utf-8"))
        return expected

    def outcome(self) -> dict[str, Any]:
        """Translate, and return the outcome in the form of `expected.json`."""
        return outcome(self.connector, self.delivery, self.context)


def connector_names() -> list[str]:
    """Return the names of all connector folders, sorted."""
    return sorted(folder.parent.name for folder in ROOT.glob("*/__init__.py"))


@cache
def connector(name: str) -> Connector:
    """Import a connector by the name of its folder."""
    found: Connector = importlib.import_module(f"connectors.{name}").CONNECTOR
    return found


def read_case(name: str, folder: Path) -> Case:
    """Read one case folder of connector `name`."""
    written = json.loads((folder / "delivery.json").read_text(encoding="utf-8"))
    body = written["body"]
    return Case(
        connector=name,
        name=folder.relative_to(ROOT / name / "cases").as_posix(),
        folder=folder,
        delivery=Delivery(
            connector=name,
            id=folder.name,
            kind=written["kind"],
            received_at=RECEIVED_AT,
            body=body.encode() if isinstance(body, str) else msgspec.json.encode(body),
            headers=written.get("headers", {}),
        ),
        context=Context(actor_key=ACTOR_KEY, settings=written.get("settings", {})),
    )


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Return all cases of a connector, by name."""
    found = sorted((ROOT / name / "cases").glob("**/delivery.json"))
    return tuple(read_case(name, path.parent) for path in found)


def all_cases() -> list[Case]:
    """Return the cases of all connectors."""
    return [case for name in connector_names() for case in cases(name)]


def groups(name: str) -> Iterator[tuple[str, list[str], list[Case]]]:
    """Yield (change, what they have in common, cases) for each group of ways in which one change is told.

    In common are event types, and names of observations.
    """
    for path in sorted((ROOT / name / "cases").glob("*/same.json")):
        ways = [case for case in cases(name) if path.parent in case.folder.parents]
        yield path.parent.name, json.loads(path.read_text(encoding="utf-8")), ways


def translate(name: str, delivery: Delivery, context: Context) -> Translation:
    """Translate with the connector `name`."""
    return connector(name).translate(delivery, context)


def outcome(name: str, delivery: Delivery, context: Context) -> dict[str, Any]:
    """Translate, and return the outcome in the form of `expected.json`."""
    try:
        translation = translate(name, delivery, context)
    except Quarantined as error:
        return {"quarantined": error.reason}
    found: dict[str, Any] = {}
    if translation.events or (translation.ignored is None and not translation.observations):
        found["events"] = [json.loads(encode(event)) for event in translation.events]
    if translation.observations:
        found["observations"] = [json.loads(written(observation)) for observation in translation.observations]
    if translation.ignored is not None:
        found["ignored"] = translation.ignored
    return found


def written(observation: Observation) -> bytes:
    """Return an observation in the form of `expected.json`, its properties sorted by name."""
    return msgspec.json.encode(observation, order="sorted")


def events_of(case: Case) -> list[Event]:
    """Return the events of a case, or [] for a quarantined one."""
    return list(_translation(case).events)


def observations_of(case: Case) -> list[Observation]:
    """Return the observations of a case, or [] for a quarantined one."""
    return list(_translation(case).observations)


def _translation(case: Case) -> Translation:
    try:
        return translate(case.connector, case.delivery, case.context)
    except Quarantined:
        return Translation()
