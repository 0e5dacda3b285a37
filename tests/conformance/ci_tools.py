"""Real payloads of build and deployment tools, compared with their own fields."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from pipeline.events.delivery import Connector
from pipeline.events.reading import parse_time
from pipeline.events.types import DeploymentEvent, PipelineRun
from tests.conformance.told import Row, Told, accounted, fields, payloads, same

_BUILT = {"Successful": "success", "SUCCESS": "success", "Failed": "failure", "FAILED": "failure"}
_NEVER_RAN = {"REPLACED", "SKIPPED", "NEVER"}


def check(root: Path) -> list[Row]:
    """Run every payload of these tools below `root`; returns rows of (name, checked, failed, note)."""
    rows = []
    for name, mistakes in SOURCES.items():
        told = list(payloads(_connector(name), root))
        rows += [accounted(f"{name} payloads", told), fields(f"{name} fields", told, mistakes)]
    return rows


def _connector(name: str) -> Connector:
    found: Connector = importlib.import_module(f"connectors.{name}").CONNECTOR
    return found


def _ends(item: Told) -> dict[str, list[object]]:
    """Return how each deployment that is told ended: its event's type, in a word, and its time."""
    endings = {".deployed.": "deployed", ".failed.": "failed", ".cancelled.": "cancelled"}
    return {
        word: [event.time for event, _ in item.deployments(part)]
        for part, word in endings.items()
        if item.deployments(part)
    }


def _bamboo(item: Told) -> list[str] | None:
    body = item.body
    if "deploymentState" in body:
        state, cycle = body["deploymentState"], body["lifeCycleState"]
        word = "cancelled" if state in _NEVER_RAN or cycle == "NOT_BUILT" else None
        if word is None and cycle == "FINISHED":
            word = {"SUCCESS": "deployed", "FAILED": "failed"}[state]
        ended = parse_time(body["finishedDate"])
        wanted = {word: [ended.replace(microsecond=0)]} if word and ended else {}
        names = {data.deployment for data in item.data(DeploymentEvent)}
        return same("ending", _ends(item), wanted) + same("id", names, {f"deployments/{body['id']}"})
    if body["plan"]["type"] == "job":
        return None
    cycle, ended = body["lifeCycleState"], parse_time(body["buildCompletedTime"])
    outcome = {"Finished": _BUILT.get(body["buildState"]), "NOT_BUILT": "cancel"}.get(cycle)
    runs = [(event.time, data.outcome) for event, data in item.finished_runs()]
    wanted_runs = [(ended.replace(microsecond=0), outcome)] if outcome and ended else []
    shas = {data.sha for data in item.data(PipelineRun)}
    return same("runs", runs, wanted_runs) + same("sha", shas, {body["vcsRevisionKey"]})


def _codepipeline(item: Told) -> list[str] | None:
    if "time" not in item.body:
        return same("result", item.result, "ignored:execution.no_time")
    detail = item.body["detail"]
    run = item.data(PipelineRun)[0]
    return same("run", run.run, f"executions/{detail['execution-id']}") + same(
        "pipeline", run.pipeline, detail["pipeline"]
    )


def _cloudbuild(item: Told) -> list[str] | None:
    body = item.body
    runs = [(event.time, data.run, data.outcome, data.url) for event, data in item.finished_runs()]
    wanted = (parse_time(body["finishTime"]), f"builds/{body['id']}", body["status"].lower(), body["logUrl"])
    return same("run", runs, [wanted])


def _harness(item: Told) -> list[str] | None:
    body, ended = item.body, parse_time(item.body["endedAt"])
    found = [(data.environment, data.started_at, data.url) for _, data in item.deployments(".deployed.")]
    wanted = ("prod", parse_time(body["startedAt"]), body["planExecutionUrl"])
    return same("ends", _ends(item), {"deployed": [ended]}) + same("deployment", found, [wanted])


def _octopus(item: Told) -> list[str] | None:
    body = item.body
    found = [(data.deployment, data.service, data.environment) for _, data in item.deployments(".deployed.")]
    wanted = (body["deploymentId"], body["projectId"], "Production")
    return same("ends", _ends(item), {"deployed": [parse_time(body["occurredAt"])]}) + same("place", found, [wanted])


def _render(item: Told) -> list[str] | None:
    body = item.body
    found = [(data.deployment, data.service) for _, data in item.deployments(".deployed.")]
    wanted = (f"deploys/{body['deployId']}", body["serviceName"])
    return same("ends", _ends(item), {"deployed": [parse_time(body["createdAt"])]}) + same("place", found, [wanted])


SOURCES: dict[str, Callable[[Told], list[str] | None]] = {
    "aws_codepipeline": _codepipeline,
    "bamboo": _bamboo,
    "gcp_cloudbuild": _cloudbuild,
    "harness_cd": _harness,
    "octopus_deploy": _octopus,
    "render": _render,
}
