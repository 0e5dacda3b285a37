"""Real Buildkite payloads, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.buildkite import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads

#: The documentation leaves out most of these bodies ("..."), or shows a part of one.
_ELIDED = {
    "webhook.build.": "missing_field",
    "webhook.job.": "missing_field",
    "Example__": "unknown_kind",
    "Retry-source": "unknown_kind",
    "Build_Started-_": "unknown_kind",
}
_OUTCOMES = {"passed": "success", "failed": "failure", "canceled": "cancel"}


def check(root: Path) -> list[Row]:
    """Run every Buildkite payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root, {"rest_build": "rest.builds"}))
    return [accounted("buildkite payloads", told, _ELIDED), fields("buildkite builds", told, _builds)]


def _builds(item: Told) -> list[str] | None:
    if item.kind != "rest.builds":
        return None
    builds = item.body if isinstance(item.body, list) else [item.body]
    wanted = [
        (moment.replace(microsecond=0), _OUTCOMES[build["state"]], build["commit"])
        for build in builds
        if build["state"] in _OUTCOMES and (moment := parse_time(build["finished_at"]))
    ]
    found = [(event.time, data.outcome, data.sha) for event, data in item.finished_runs()]
    return [] if found == wanted else [f"finished {found}, expected {wanted}"]
