"""What only the REST API tells: approvals with their times, and how an issue came to be as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Literal

from connectors.gitlab import tickets
from connectors.gitlab.changes import numbered
from connectors.gitlab.fields import is_automation, person, second, second_or_none
from connectors.gitlab.project import NUMBER_HEADER, REPO_HEADER, Project, of_header, of_item
from connectors.gitlab.settings import read_settings
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import REVIEWED
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, TicketMoved

Headers = Mapping[str, str]

APPROVALS = "rest.merge_request_approvals"
ISSUE_HISTORY = "rest.issue_history"
_STATES = frozenset({"closed", "reopened"})
(MOVED,) = TicketMoved.TYPES


def approvals(item: Node, headers: Headers, context: Context) -> Outcome:
    """The approvals of a merge request (`approved_by`). Older GitLabs do not tell when each was given."""
    project = of_header(headers) or of_item(item, headers)
    iid = item.integer_or_none("iid")
    change = project.merge_request(iid if iid is not None else numbered(item, headers))
    events = []
    for given in item.items("approved_by"):
        at = second_or_none(given, "approved_at")
        if at is not None:
            data = ChangeReviewed(
                repo=project.name,
                change=change,
                verdict="approved",
                reviewer=person(project, given.integer_or_none("user", "id"), context),
                automated=is_automation(given.text_or_none("user", "username")),
            )
            events.append(project.event(REVIEWED, at, change, data))
    return events or "approvals.without_time"


def issue_history(item: Node, headers: Headers, context: Context) -> Outcome:
    """An issue with `state_events`, `label_events` and `links`, each as the REST API lists them."""
    issue = item.child("issue")
    project = of_item(issue, headers)
    found = tickets.polled(issue, project, context)
    events = [] if isinstance(found, str) else list(found)
    changes = sorted([*_state_changes(item), *_label_changes(item, context)], key=lambda change: change[:2])
    events += _moves(changes, project.issue(issue.integer("iid")), project, context)
    below = {**headers, REPO_HEADER: project.source, NUMBER_HEADER: issue.key("iid")}
    for link in item.items("links"):
        told = tickets.polled_link(link, below)
        events += [] if isinstance(told, str) else told
    return events


#: When something changed, its number among the changes of its kind, and what: a state, a label set, a label taken away.
_Change = tuple[datetime, int, Literal["state", "add", "remove"], str]


def _state_changes(item: Node) -> Iterator[_Change]:
    for number, told in enumerate(item.items("state_events")):
        state = told.text("state")
        if state not in _STATES:
            raise Quarantined("bad_value", f"{told.at('state').path} is {state[:80]!r}; no issue has such a state")
        yield second(told, "created_at"), number, "state", state


def _label_changes(item: Node, context: Context) -> Iterator[_Change]:
    """Only the labels that stand for the status. One that was deleted since has lost its name."""
    scope = read_settings(context.settings).status_label
    for number, told in enumerate(item.items("label_events") if scope else []):
        name = told.text_or_none("label", "name") or ""
        if name.startswith(f"{scope}::"):
            did: Literal["add", "remove"] = "add" if told.text("action") == "add" else "remove"
            yield second(told, "created_at"), number, did, name.removeprefix(f"{scope}::")


def _moves(changes: list[_Change], ticket: str, project: Project, context: Context) -> list[Event]:
    """The moves of an issue through its statuses, as its webhooks tell them; what has one time is one move."""
    labelled = bool(read_settings(context.settings).status_label)
    events, closed, label = [], False, "opened"
    for at, together in groupby(changes, key=lambda change: change[0]):
        was_closed, before = closed, label
        for _, _, did, what in together:
            if did == "state":
                closed = what == "closed"
            elif did == "add":
                label = what
            elif label == what:
                label = "opened"
        if closed and not was_closed:
            # A webhook does not tell which label it had before.
            move = (None if labelled else "opened", "closed")
        elif was_closed and not closed:
            move = ("closed", label)
        elif not closed and label != before:
            move = (before, label)
        else:
            continue
        data = TicketMoved(tracker=project.host, ticket=ticket, from_status=move[0], to_status=move[1])
        events.append(project.event(MOVED, at, ticket, data))
    return events


PAGES: dict[str, Callable[[Node, Headers, Context], Outcome]] = {
    APPROVALS: approvals,
    ISSUE_HISTORY: issue_history,
}
