"""Who is asked to review a merge request, and what a reviewer said of it in a word."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.gitlab.fields import is_automation, person, second
from connectors.gitlab.project import Project
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.forges import REVIEW_ASKED, REVIEW_WITHDRAWN, REVIEWED, Verdict
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed

#: State that a reviewer went to -> verdict. Approvals and their withdrawal are actions of their own.
_VERDICTS: Mapping[str, Verdict] = {"reviewed": "commented", "requested_changes": "changes_requested"}


def told(root: Node, item: Node, project: Project, context: Context) -> list[Event]:
    """Return what a webhook of a merge request tells of its reviewers; it happened at the update that it is about.

    The first message lists those who were asked from the start, later ones how the list changed.
    """
    before = {reviewer.integer("id"): reviewer for reviewer in root.items("changes", "reviewers", "previous")}
    after = {reviewer.integer("id"): reviewer for reviewer in root.items("changes", "reviewers", "current")}
    if item.text_or_none("action") == "open" and not after:
        after = {reviewer.integer("id"): reviewer for reviewer in root.items("reviewers")}
    events = []
    for number, reviewer in after.items():
        if number not in before or reviewer.flag("re_requested"):
            events.append(_asked(item, REVIEW_ASKED, number, project, context))
        else:
            events += _said(item, before[number], reviewer, project, context)
    gone = [number for number in before if number not in after]
    return [*events, *(_asked(item, REVIEW_WITHDRAWN, number, project, context) for number in gone)]


def _asked(item: Node, event_type: str, number: int, project: Project, context: Context) -> Event:
    change, at = project.merge_request(item.integer("iid")), second(item, "updated_at")
    return project.review_request(event_type, change, at, reviewer=person(project, number, context))


def _said(item: Node, before: Node, after: Node, project: Project, context: Context) -> list[Event]:
    state = after.text_or_none("state") or ""
    if state not in _VERDICTS or state == before.text_or_none("state"):
        return []
    change = project.merge_request(item.integer("iid"))
    data = ChangeReviewed(
        repo=project.name,
        change=change,
        verdict=_VERDICTS[state],
        reviewer=person(project, after.integer("id"), context),
        automated=is_automation(after.text_or_none("username")),
    )
    return [project.event(REVIEWED, second(item, "updated_at"), change, data)]
