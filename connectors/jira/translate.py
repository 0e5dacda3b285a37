"""Jira's issues and their changes as canonical events. Pure: one delivery in, its events out."""

from __future__ import annotations

from datetime import datetime

from connectors.jira.changes import Change, pushed_change, told_changes
from connectors.jira.issue import closed_at, is_incident, key_of, person, read_snapshot, source_of
from connectors.jira.kinds import (
    AUTOMATION,
    ISSUE_CREATED,
    ISSUE_DELETED,
    ISSUE_UPDATED,
    REST_CHANGELOG,
    REST_ISSUES,
    event_name,
    left_out,
)
from connectors.jira.links import is_key, known_phrases, learn_phrases, linked
from connectors.jira.settings import Settings, read_settings
from connectors.jira.teller import Teller, Ticket
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

#: Header of a `rest.changelog` delivery: the key of the issue, which the body does not tell.
ISSUE_HEADER = "x-leadline-issue"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate one delivery; raises `Quarantined`. Kinds and rules: `README.md` beside this file."""
    root = Node(parse_json(delivery.body))
    settings = read_settings(context.settings)
    rest = delivery.kind.startswith("rest.")
    kind = delivery.kind if rest else event_name(root.child(), delivery.kind)
    ignored = left_out(kind)
    if ignored is not None:
        return Translation(ignored=ignored)
    if kind in REST_ISSUES:
        return _issues(root, settings, context)
    if kind == REST_CHANGELOG:
        return _changelog(root, delivery.headers.get(ISSUE_HEADER), settings, context)
    if kind in {ISSUE_CREATED, ISSUE_UPDATED, ISSUE_DELETED}:
        return _webhook(root, kind, settings, context)
    if kind == AUTOMATION:
        return _issues(root.child("issue") if root.has("issue") else root, settings, context)
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is no delivery that Jira is documented to send")


def _webhook(root: Node, kind: str, settings: Settings, context: Context) -> Translation:
    issue = root.child("issue")
    pushed, updated = root.moment_or_none("timestamp"), issue.moment_or_none("fields", "updated")
    known = [moment for moment in (pushed, updated) if moment is not None] or [root.moment("timestamp")]
    if kind == ISSUE_DELETED:
        teller = _teller(issue, settings)
        teller.deleted(known[0])
        return Translation(events=teller.events())
    # Jira may read the issue only after a later change; then `updated` is too late and the push is nearer.
    # What a new issue starts with is written as a change, but none that its changelog would hold.
    changes = [] if kind == ISSUE_CREATED else pushed_change(root, min(known), context)
    return Translation(events=_told(issue, Node(None), changes, known[-1], settings, context))


def _issues(root: Node, settings: Settings, context: Context) -> Translation:
    """Translate a page of issues, a list of them, or one."""
    page = Node(None) if isinstance(root.value, list) else root.child()
    listed = page.has("issues")
    issues = root.items() if isinstance(root.value, list) else page.items("issues") if listed else [page]
    events = []
    for issue in issues:
        changes = told_changes(issue.items("changelog", "histories"), context)
        updated = issue.moment("fields", "updated")
        events += _told(issue, page if listed else issue, changes, updated, settings, context)
    return Translation(events=list({event.id: event for event in events}.values()))


def _told(
    issue: Node, hints: Node, changes: list[Change], updated: datetime, settings: Settings, context: Context
) -> list[Event]:
    """Return the events of an issue as of `updated`. `hints` may hold the names and schemas of custom fields."""
    teller = _teller(issue, settings)
    fields = issue.child("fields")
    created, links = fields.moment_or_none("created"), fields.items("issuelinks")
    snapshot = read_snapshot(fields, hints, settings, context)
    if created is not None:
        teller.created(created, person(context, fields.at("creator")))
    teller.snapshot(snapshot, updated)
    teller.changes(changes, learn_phrases(links, settings), settings)
    teller.seen_links(linked(key_of(issue), links, settings), updated)
    closed = teller.closed(closed_at(fields, snapshot), snapshot)
    if is_incident(snapshot, settings):
        teller.incident(snapshot, changes, created=created, updated=updated, closed=closed)
    return teller.events()


def _changelog(root: Node, header: str | None, settings: Settings, context: Context) -> Translation:
    """Translate a page of the changelog endpoint, a list of histories, or one."""
    page = Node(None) if isinstance(root.value, list) else root.child()
    if isinstance(root.value, list):
        histories = root.items()
    else:
        histories = [page] if page.has("items") else page.items("values") or page.items("histories")
    key = header or _key_in(page.text_or_none("self"))
    if not is_key(key):
        raise Quarantined("missing_field", f"the issue key is {key!r}; give it in the header {ISSUE_HEADER}")
    source = source_of(settings, page, *(history.at("author") for history in histories))
    teller = Teller(Ticket(source, settings.tracker, key))
    teller.changes(told_changes(histories, context), known_phrases(settings), settings)
    return Translation(events=teller.events())


def _key_in(link: str | None) -> str | None:
    """Return the issue that the address of a changelog page names."""
    _, found, rest = (link or "").partition("/issue/")
    return rest.partition("/")[0] if found else None


def _teller(issue: Node, settings: Settings) -> Teller:
    return Teller(Ticket(source_of(settings, issue), settings.tracker, key_of(issue)))
