"""Real payloads of Gitea and Gogs through the connector, compared with the payloads' own fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.gitea import CONNECTOR
from pipeline.events.reading import parse_time
from pipeline.events.types import (
    ArtifactPublished,
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    TicketClosed,
    TicketCreated,
)
from tests.conformance.told import CONTEXT, Row, Told, accounted, fields, one_content, same, tell

#: The collection names comments and reviews on pull requests after what they are on.
_KINDS = {"pull_request_review": "pull_request_approved"}


def check(root: Path) -> list[Row]:
    """Run every payload of Gitea below `root`; returns rows of (name, checked, failed, note)."""
    told = list(_webhooks(root))
    return [
        accounted("gitea webhooks", told),
        one_content("gitea one id, one content", told),
        fields("gitea pull requests", told, _pull_mistakes),
        fields("gitea comments and reviews", told, _review_mistakes),
        fields("gitea issues", told, _issue_mistakes),
        fields("gitea pushes and releases", told, _code_mistakes),
    ]


def _webhooks(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/gitea_forgejo").glob("*.json")):
        name = path.name.split("__")[0].split(".")[0]
        headers = {"X-Gitea-Event": _KINDS.get(name, name)}
        raw = path.read_bytes()
        yield tell(CONNECTOR, path.name, CONNECTOR.describe(headers, raw)[0], raw)


def _pull_mistakes(item: Told) -> list[str] | None:
    pull = item.body if "merge_base" in item.body else item.body.get("pull_request")
    if pull is None:
        return None
    (created,), (updated,) = item.of(ChangeCreated), item.of(ChangeUpdated)
    mistakes = same("number", created.data.change.rsplit("#")[1], str(pull["number"]))
    mistakes += same("created_at", created.time, parse_time(pull["created_at"]))
    mistakes += same("author", created.data.author, CONTEXT.actor(pull["user"]["login"]))
    mistakes += same("updated_at", updated.time, parse_time(pull["updated_at"]))
    mistakes += same("head", (updated.data.branch, updated.data.head_sha), (pull["head"]["ref"], pull["head"]["sha"]))
    merged = [(event.time, event.data.merge_sha) for event in item.of(ChangeMerged)]
    mistakes += same(
        "merged", merged, [(parse_time(pull["merged_at"]), pull["merge_commit_sha"])] if pull["merged"] else []
    )
    gone = bool(item.of(ChangeAbandoned))
    return mistakes + same("abandoned", gone, pull["state"] == "closed" and not pull["merged"])


def _review_mistakes(item: Told) -> list[str] | None:
    if "comment" in item.body:
        on_pull = "/pulls/" in item.body["comment"]["html_url"]
        expected = ["commented"] if on_pull and item.body["action"] != "deleted" else []
    elif item.body.get("action") == "reviewed":
        expected = {"approved": ["approved"], "rejected": ["changes_requested"], "comment": ["commented"]}[
            item.body["review"]["type"].rpartition("_")[2]
        ]
    else:
        return None
    return same("verdicts", [event.data.verdict for event in item.of(ChangeReviewed)], expected)


def _issue_mistakes(item: Told) -> list[str] | None:
    if item.kind != "issues":
        return None
    issue, (created,) = item.body["issue"], item.of(TicketCreated)
    mistakes = same("created_at", created.time, parse_time(issue["created_at"]))
    mistakes += same("number", created.data.ticket.rsplit("#")[1], str(issue["number"]))
    return mistakes + same("closed", bool(item.of(TicketClosed)), issue["state"] == "closed")


def _code_mistakes(item: Told) -> list[str] | None:
    if item.kind == "release":
        (published,), release = item.of(ArtifactPublished), item.body["release"]
        mistakes = same("tag", published.data.tag, release["tag_name"])
        return mistakes + same("published_at", published.time, parse_time(release["published_at"]))
    if item.kind != "push":
        return None
    (moved,), shas = item.of(BranchUpdated), [commit["id"] for commit in item.body["commits"]]
    mistakes = same("commits", [event.data.sha for event in item.of(CommitRecorded)], shas)
    return mistakes + same("after", (moved.data.after, moved.data.commits), (item.body["after"], shas))
