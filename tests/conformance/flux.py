"""Real Flux events and resources, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.flux import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads


def check(root: Path) -> list[Row]:
    """Run every Flux payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root))
    return [accounted("flux payloads", told, {}), fields("flux failures", told, _failures)]


def _failures(item: Told) -> list[str] | None:
    about = item.body.get("involvedObject", {})
    if about.get("kind") not in {"Kustomization", "HelmRelease"} or item.body["severity"] != "error":
        return None
    sha = next(iter(item.body["metadata"].values())).rpartition("/")[2]
    wanted = [(parse_time(item.body["timestamp"]), sha)]
    found = [(event.time, data.sha) for event, data in item.deployments("deployment.failed.")]
    return [] if found == wanted else [f"failed {found}, expected {wanted}"]
