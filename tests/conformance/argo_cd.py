"""Real Argo CD applications, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.argo_cd import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads


def check(root: Path) -> list[Row]:
    """Run every Argo CD payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root))
    return [accounted("argo_cd payloads", told, {}), fields("argo_cd syncs", told, _syncs)]


def _syncs(item: Told) -> list[str] | None:
    state = (item.body.get("status") or {}).get("operationState")
    if item.body["kind"] != "Application" or state is None:
        return None
    result = state["syncResult"]
    shas = result.get("revisions") or [result["revision"]]
    last = [(event.time, data.sha) for event, data in item.deployments(".deployed.")][-1:]
    good = state["phase"] == "Succeeded" and len(last) == 1 and last[0][1] in shas
    return [] if good and last[0][0] == parse_time(state["finishedAt"]) else [f"deployed {last}, expected {shas}"]
