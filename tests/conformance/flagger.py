"""Real Flagger canaries, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.flagger import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads

_ENDINGS = {"Succeeded": ".deployed.", "Failed": "deployment.failed."}


def check(root: Path) -> list[Row]:
    """Run every Flagger payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root))
    return [accounted("flagger payloads", told, {}), fields("flagger phases", told, _phases)]


def _phases(item: Told) -> list[str] | None:
    status = item.body["status"]
    found = {ending: [event.time for event, _ in item.deployments(ending)] for ending in _ENDINGS.values()}
    wanted = {
        ending: [parse_time(status["lastTransitionTime"])] if phase == status["phase"] else []
        for phase, ending in _ENDINGS.items()
    }
    return [] if found == wanted else [f"{found}, expected {wanted}"]
