"""Real Spinnaker payloads, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.spinnaker import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads

_OUTCOMES = {"SUCCESS": "success", "FAILURE": "failure", "ABORTED": "cancel"}


def check(root: Path) -> list[Row]:
    """Run every Spinnaker payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root))
    return [accounted("spinnaker payloads", told, {}), fields("spinnaker builds", told, _builds)]


def _builds(item: Told) -> list[str] | None:
    build = item.body["content"]["project"]["lastBuild"]
    end = parse_time(int(build["timestamp"]) + build["duration"])
    wanted = [] if build["building"] else [(end, _OUTCOMES[build["result"]])]
    found = [(event.time, data.outcome) for event, data in item.finished_runs()]
    return [] if found == wanted else [f"finished {found}, expected {wanted}"]
