"""Real Argo Rollouts resources, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.argo_rollouts import CONNECTOR
from tests.conformance.told import Row, Told, accounted, fields, payloads

#: Fixtures without any time.
_TIMELESS = {"has_pause_condition_rollout_aborted": "missing_field"}


def check(root: Path) -> list[Row]:
    """Run every Argo Rollouts payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root))
    return [accounted("argo_rollouts payloads", told, _TIMELESS), fields("argo_rollouts endings", told, _endings)]


def _endings(item: Told) -> list[str] | None:
    """The files are named after the health that Argo CD gives them; an abort is failed and rolled back."""
    if item.body["kind"] != "Rollout" or any(part in item.where for part in _TIMELESS):
        return None
    told = (bool(item.deployments("deployment.failed.")), any(".rolledback." in event.type for event in item.events))
    if (item.body.get("status") or {}).get("abort"):
        return [] if all(told) else [f"aborted, but (failed, rolled back) is {told}"]
    name = item.where.split("__")[1]
    deployed = bool(item.deployments(".deployed."))
    if name.startswith(("progressing", "suspended", "degraded", "canary-progressing", "newRollout")):
        return ["told as deployed"] if deployed else []
    return ["not told as deployed"] if name.startswith("canary-healthy") and not deployed else []
