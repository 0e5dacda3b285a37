"""Real Tekton payloads, and the statuses of its documentation put into a run."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.tekton import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, accounted, payloads, row, tell

#: The documentation shows statuses without the run that they are of.
_ALONE = {"run_status.": "unknown_kind"}


def check(root: Path) -> list[Row]:
    """Run every Tekton payload below `root`; returns rows of (name, checked, failed, note)."""
    return [accounted("tekton payloads", payloads(CONNECTOR, root), _ALONE), _statuses(root)]


def _statuses(root: Path) -> Row:
    mistakes, files = [], sorted((root / "payloads/tekton").glob("run_status.pipelineruns*.json"))
    for path in files:
        status = json.loads(path.read_bytes())
        run = {"pipelineRun": {"metadata": {"name": "deploy-prod"}, "status": status}}
        told = tell(CONNECTOR, path.name, None, json.dumps(run).encode())
        wanted = [parse_time(status["completionTime"])]
        if [event.time for event, _ in told.deployments(".deployed.")] != wanted:
            mistakes.append(f"{path.name}: {told.outcome}")
    return row("tekton statuses", len(files), mistakes)
