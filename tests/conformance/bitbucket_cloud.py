"""Real payloads of Bitbucket Cloud through the connector, compared with the payloads' own fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.bitbucket_cloud import CONNECTOR
from pipeline.events.reading import parse_time
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    DeploymentEvent,
    PipelineRun,
    TicketCreated,
    TicketUpdated,
)
from tests.conformance.told import Row, Told, accounted, fields, one_content, same, tell

_DEPLOYED = {
    "COMPLETED": "deployed",
    "SUCCESSFUL": "deployed",
    "ROLLED_BACK": "deployed",
    "STOPPED": "cancelled",
    "CANCELLED": "cancelled",
    "IN_PROGRESS": "started",
}
_RUN = {"SUCCESSFUL": "success", "FAILED": "failure", "STOPPED": "cancel", "ERROR": "error"}


def check(root: Path) -> list[Row]:
    """Run every payload of Bitbucket Cloud below `root`; returns rows of (name, checked, failed, note)."""
    told = list(_payloads(root))
    pages = [item for item in told if item.kind.startswith("rest.")]
    return [
        accounted("bitbucket_cloud webhooks", [item for item in told if item not in pages]),
        accounted("bitbucket_cloud rest pages", pages),
        one_content("bitbucket_cloud one id, one content", told),
        fields("bitbucket_cloud pull requests", told, _pull_mistakes),
        fields("bitbucket_cloud deployments", told, _deployment_mistakes),
        fields("bitbucket_cloud pipelines", told, _pipeline_mistakes),
        fields("bitbucket_cloud issues", told, _issue_mistakes),
        fields("bitbucket_cloud pushes", told, _push_mistakes),
    ]


def _payloads(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/bitbucket_cloud").glob("*.json")):
        family = path.name.partition("__")[0].replace("rest_", "rest.")
        # A page of pipelines as DevLake keeps it names its repository only in the address that it was fetched from.
        yield tell(CONNECTOR, path.name, family, path.read_bytes(), {"x-leadline-repo": "likyh/likyhphp"})


def _pull_mistakes(item: Told) -> list[str] | None:
    pull = item.body if item.kind == "rest.pullrequests" else item.body.get("pullrequest")
    if pull is None:
        return None
    if "comment" in item.body:
        comment = item.body["comment"]
        when = [] if item.where.endswith("deleted.json") else [parse_time(comment["created_on"])]
        return same("comments", [event.time for event in item.of(ChangeReviewed)], when)
    (created,), (updated,) = item.of(ChangeCreated), item.of(ChangeUpdated)
    mistakes = same("number", created.data.change.rsplit("#")[1], str(pull["id"]))
    mistakes += same("created_on", created.time, parse_time(pull["created_on"]))
    mistakes += same("updated_on", updated.time, parse_time(pull["updated_on"]))
    mistakes += same("branch", updated.data.branch, pull["source"]["branch"]["name"])
    when = [parse_time(pull["updated_on"])]
    mistakes += same("merged", [e.time for e in item.of(ChangeMerged)], when if pull["state"] == "MERGED" else [])
    gone = [event.time for event in item.of(ChangeAbandoned)]
    return mistakes + same("abandoned", gone, when if pull["state"] in {"DECLINED", "SUPERSEDED"} else [])


def _deployment_mistakes(item: Told) -> list[str] | None:
    if item.kind != "rest.deployments":
        return None
    state, what = item.body["state"], _DEPLOYED.get(item.body["state"]["name"])
    if what is None:
        return same("events", item.events, [])
    last = item.of(DeploymentEvent)[-1]
    mistakes = [] if f".{what}." in last.type else [f"{last.type} for {state['name']}"]
    mistakes += same("time", last.time, parse_time(state["started_on" if what == "started" else "completed_on"]))
    mistakes += same("environment", last.data.environment, item.body["environment"]["name"])
    mistakes += same("rolled back", any("rolledback" in e.type for e in item.events), state["name"] == "ROLLED_BACK")
    return mistakes + same("sha", last.data.sha, item.body["release"]["commit"]["hash"])


def _pipeline_mistakes(item: Told) -> list[str] | None:
    if item.kind != "rest.pipelines":
        return None
    last = item.of(PipelineRun)[-1]
    mistakes = same("created_on", item.events[0].time, parse_time(item.body["created_on"]))
    outcome = _RUN.get((item.body["state"].get("result") or {}).get("name", ""))
    mistakes += same("sha", last.data.sha, item.body["target"]["commit"]["hash"])
    if outcome is None:
        return mistakes
    return mistakes + same("end", (last.data.outcome, last.time), (outcome, parse_time(item.body["completed_on"])))


def _issue_mistakes(item: Told) -> list[str] | None:
    if item.kind != "rest.issues":
        return None
    (created,), (updated,) = item.of(TicketCreated), item.of(TicketUpdated)
    mistakes = same("created_on", created.time, parse_time(item.body["created_on"]))
    told = (updated.data.status, updated.data.kind, updated.data.priority)
    return mistakes + same("fields", told, (item.body["state"], item.body["kind"], item.body["priority"]))


def _push_mistakes(item: Told) -> list[str] | None:
    if item.kind != "push":
        return None
    moved = [change for change in item.body["push"]["changes"] if change["new"]]
    found = [(event.data.branch, event.data.after, event.data.commits) for event in item.of(BranchUpdated)]
    expected = [(c["new"]["name"], c["new"]["target"]["hash"], [x["hash"] for x in c["commits"]]) for c in moved]
    shas = {event.data.sha for event in item.of(CommitRecorded)}
    return same("branches", found, expected) + same("commits", shas, {sha for each in expected for sha in each[2]})
