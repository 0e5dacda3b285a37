"""Merge requests, approvals and notes."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.gitlab import reviewers
from connectors.gitlab.fields import is_automation, label_names, person, second, second_or_none
from connectors.gitlab.project import NUMBER_HEADER, Project
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import MAX_TITLE, REVIEWED, UPDATED, Verdict, left_out
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, ChangeUpdated

#: Action of a webhook: one approval (`approval`), or the one that made them complete (`approved`), or the reverse.
_VERDICTS: dict[str, Verdict] = {
    "approved": "approved",
    "approval": "approved",
    "unapproved": "dismissed",
    "unapproval": "dismissed",
}
#: Beginning of a system note -> verdict. The REST API tells reviews in no other way that has a time.
_SYSTEM_NOTES: dict[str, Verdict] = {
    "approved this merge request": "approved",
    "unapproved this merge request": "dismissed",
    "requested changes": "changes_requested",
}


def merge_request(root: Node, project: Project, context: Context) -> Outcome:
    """Webhook `merge_request`: whatever the action, the body holds the merge request as it now stands."""
    item, action = root.child("object_attributes"), root.text_or_none("object_attributes", "action")
    labels = root.items("labels") or item.items("labels")
    author_id = item.integer_or_none("author_id")
    # Only who did this is named by login; somebody else's account may still be an assistant's.
    login = root.text_or_none("user", "username") if root.integer_or_none("user", "id") == author_id else None
    author = (person(project, author_id, context), references.assistant_account(login))
    events = _snapshot(item, project, author, _last_commit(item), label_names(labels))
    events += _ended(item, project, action)
    events += reviewers.told(root, item, project, context)
    verdict = _VERDICTS.get(action or "")
    if verdict:
        events.append(_approval(root, item, project, context, verdict))
    return events


def _last_commit(item: Node) -> str | None:
    return item.text_or_none("last_commit", "id")


def _ended(item: Node, project: Project, action: str | None) -> list[Event]:
    """Return how it ended. A webhook does not tell when that was, save that its own action did it just now."""
    change, state = project.merge_request(item.integer("iid")), item.text_or_none("state")
    merged_at, closed_at = second_or_none(item, "merged_at"), second_or_none(item, "closed_at")
    if state == "merged" and (at := merged_at or (second(item, "updated_at") if action == "merge" else None)):
        sha = item.text_or_none("merge_commit_sha") or item.text_or_none("squash_commit_sha")
        return [project.merged(change, at, sha)]
    if state == "closed" and (at := closed_at or (second(item, "updated_at") if action == "close" else None)):
        return [project.abandoned(change, at)]
    return []


def _approval(root: Node, item: Node, project: Project, context: Context, verdict: Verdict) -> Event:
    change, username = project.merge_request(item.integer("iid")), root.text_or_none("user", "username")
    data = ChangeReviewed(
        repo=project.name,
        change=change,
        verdict=verdict,
        reviewer=person(project, root.integer_or_none("user", "id"), context),
        automated=item.flag("system") or is_automation(username),
    )
    return project.event(REVIEWED, second(item, "updated_at"), change, data)


def polled(item: Node, project: Project, context: Context, commits: list[str] | None = None) -> Outcome:
    """An item of a page of merge requests; `commits` are its shas where they were read as well."""
    login = item.text_or_none("author", "username")
    author = (person(project, item.integer_or_none("author", "id"), context), references.assistant_account(login))
    labels = label_names(item.items("labels"))
    events = _snapshot(item, project, author, item.text_or_none("sha"), labels, commits)
    change, state = project.merge_request(item.integer("iid")), item.text_or_none("state")
    merged_at, closed_at = second_or_none(item, "merged_at"), second_or_none(item, "closed_at")
    if merged_at is not None:
        events.append(project.merged(change, merged_at, _merge_sha(item)))
    elif state == "closed" and closed_at is not None:
        events.append(project.abandoned(change, closed_at))
    return events


def _merge_sha(item: Node) -> str | None:
    """The commit on the target branch: of the merge, else of the squash, else the head that was fast-forwarded to."""
    for field in ("merge_commit_sha", "squash_commit_sha", "sha"):
        if (found := item.text_or_none(field)) is not None:
            return found
    return None


def _snapshot(
    item: Node,
    project: Project,
    author: tuple[str | None, str | None],
    head: str | None,
    labels: list[str],
    commits: list[str] | None = None,
) -> list[Event]:
    """Return how a merge request began and what it looks like; `author` is a pseudonym and an assistant's name."""
    change, created_at = project.merge_request(item.integer("iid")), second(item, "created_at")
    title, branch = item.text_or_none("title"), item.text_or_none("source_branch")
    updated = ChangeUpdated(
        repo=project.name,
        change=change,
        title=(title or "")[:MAX_TITLE],
        branch=branch,
        base=item.text_or_none("target_branch"),
        head_sha=head,
        labels=labels,
        refs=project.change_refs(title, item.text_or_none("description"), branch, labels),
        commits=commits,
        assistant=references.assistant_in(item.text_or_none("description")),
        draft=item.flag("draft") or item.flag("work_in_progress"),
        closed=item.text_or_none("state") in {"merged", "closed"},
    )
    return [
        project.created(change, created_at, *author),
        project.event(UPDATED, second(item, "updated_at"), change, updated),
    ]


def note(root: Node, project: Project, context: Context) -> Outcome:
    """Webhook `note`: only on a merge request does a comment tell something about a change."""
    item = root.child("object_attributes")
    where = (item.text_or_none("noteable_type") or "").lower()
    if where != "mergerequest":
        return left_out("note.on", where).replace(".on.", ".on_")
    change = project.merge_request(root.integer("merge_request", "iid"))
    author_id = item.integer_or_none("author_id")
    return _note(item, change, project, context, author_id, root.text_or_none("user", "username"))


def polled_note(item: Node, project: Project, context: Context, headers: Mapping[str, str]) -> Outcome:
    """An item of a page of notes; on an issue it is left out."""
    if (item.text_or_none("noteable_type") or "MergeRequest") != "MergeRequest":
        return left_out("note.on", (item.text_or_none("noteable_type") or "").lower()).replace(".on.", ".on_")
    iid = item.integer_or_none("noteable_iid")
    change = project.merge_request(iid if iid is not None else numbered(item, headers))
    return _note(
        item, change, project, context, item.integer_or_none("author", "id"), item.text_or_none("author", "username")
    )


def numbered(item: Node, headers: Mapping[str, str]) -> int:
    """Return the number of the merge request or issue that the poller named."""
    named = headers.get(NUMBER_HEADER, "")
    if not (named.isascii() and named.isdigit() and len(named) < 18):
        path = item.at("noteable_iid").path
        raise Quarantined("missing_field", f"{path} is absent and so is the header {NUMBER_HEADER}: which one is it?")
    return int(named)


def _note(
    item: Node, change: str, project: Project, context: Context, author_id: int | None, username: str | None
) -> Outcome:
    system = item.flag("system")
    verdict = _verdict(item) if system else "commented"
    if verdict is None:
        return "note.system"
    data = ChangeReviewed(
        repo=project.name,
        change=change,
        verdict=verdict,
        reviewer=person(project, author_id, context),
        automated=is_automation(username),
    )
    told = () if system else ("note", item.key("id"))
    return [project.event(REVIEWED, second(item, "created_at"), change, data, *told)]


def _verdict(item: Node) -> Verdict | None:
    text = item.text_or_none("body") or item.text_or_none("note") or ""
    return next((verdict for beginning, verdict in _SYSTEM_NOTES.items() if text.startswith(beginning)), None)
