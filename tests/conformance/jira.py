"""Real Jira payloads through the connector, compared with what they say and with what Apache DevLake derives.

Known differences, which are not counted as failures: DevLake names the statuses of a change as they are called today
(it looks them up by id), Leadline as the changelog calls them; DevLake keeps the milliseconds of a change, Leadline its
second.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.jira import CONNECTOR
from pipeline.events.types import DependencyEvent, TicketClosed, TicketCreated, TicketMoved, TicketUpdated
from tests.conformance.told import Row, Told, outcomes, tell

#: What is in a file or table of the data -> the kind under which Leadline receives it.
KINDS = {
    "issues": "rest.issue",
    "issues_for_due_date": "rest.issue",
    "issue_with_issuelinks": "rest.issue",
    "issue_relationships": "rest.issue",
    "external_epics": "rest.issue",
    "issue_changelogs": "rest.changelog",
    "issue_changelogs_edge": "rest.changelog",
    "development_panels": "rest.development",
    "issue_fields": "rest.field",
    "issue_types": "rest.issuetype",
    "projects": "rest.project",
    "remotelinks": "rest.remotelink",
    "sprints": "rest.sprint",
    "status": "rest.status",
    "statuses": "rest.status",
    "users": "rest.user",
    "worklogs": "rest.worklog",
}
#: Payloads beside Jira's own: rows of a warehouse, and an alert of another product. They must be quarantined.
FOREIGN = ("fivetran_", "superplane.on_alert")


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    pushed, rest, recorded = list(webhooks(root)), list(_rest(root)), list(tables(root))
    devlake = root / "raw_api/jira/snapshot_tables"
    told = [*pushed, *rest, *recorded]
    return [
        outcomes("jira webhooks", pushed, _foreign),
        outcomes("jira REST answers", rest, _foreign),
        outcomes("jira raw API tables", recorded, _foreign),
        _status_changes(told),
        _links(told),
        _devlake_issues(recorded, devlake),
        _devlake_status_changes(recorded, devlake),
        _devlake_links(recorded, devlake),
    ]


def webhooks(root: Path) -> Iterator[Told]:
    """Yield what became of each webhook."""
    for path in sorted((root / "payloads/jira_webhooks").glob("*.json")):
        raw = path.read_bytes()
        kind, _ = CONNECTOR.describe({}, raw)
        yield tell(CONNECTOR, path.name, path.name if path.name.startswith(FOREIGN) else kind, raw, {})


def _rest(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/jira_rest").glob("*.json")):
        table = path.name.partition("__")[0]
        # A change as DevLake keeps it names its issue only in the address that it was fetched from.
        yield tell(CONNECTOR, path.name, KINDS.get(table, table), path.read_bytes(), {"x-leadline-issue": "EE-1"})


def tables(root: Path) -> Iterator[Told]:
    """Yield what became of each answer of the API that DevLake collected."""
    for path in sorted((root / "raw_api/jira").glob("*/_raw_jira_*.csv")):
        table = path.stem.removeprefix("_raw_jira_").removeprefix("api_")
        for row in _rows(path):
            issue = json.loads(row["input"] or "null")
            headers = {"x-leadline-issue": f"ID-{issue['issue_id']}"} if issue and "issue_id" in issue else {}
            yield tell(CONNECTOR, f"{path.stem}:{row['id']}", KINDS.get(table, table), row["data"].encode(), headers)


def _rows(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(line for line in lines if line.strip()))


def _foreign(told: Told) -> bool:
    return told.kind.startswith(FOREIGN)


def _histories(told: Told) -> list[dict[str, Any]]:
    """Return the changes of a payload, each with `created`, as the payload writes them."""
    body = told.body
    if told.kind == "rest.changelog":
        return [body]
    if told.kind == "jira:issue_updated" and "changelog" in body:
        return [{"created": body["issue"]["fields"]["updated"], **body["changelog"]}]
    return list(body.get("changelog", {}).get("histories", [])) if told.kind == "rest.issue" else []


def _items(told: Told, field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for history in _histories(told):
        for item in history["items"]:
            if item["field"].lower() == field and item["fieldtype"] == "jira":
                yield history["created"], item


def _second(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC).replace(microsecond=0)


def _status_changes(told: list[Told]) -> Row:
    """Each status item of each changelog is one move: same statuses, same second."""
    checked, differ = 0, 0
    for each in told:
        source = Counter((_second(at), item["fromString"], item["toString"]) for at, item in _items(each, "status"))
        ours = Counter((event.time, event.data.from_status, event.data.to_status) for event in each.of(TicketMoved))
        checked += source.total()
        differ += ((source - ours) + (ours - source)).total()
    return "jira status changes as in the source", checked, differ, "statuses and the second of each"


def _links(told: list[Told]) -> Row:
    """The edges left open by our events are the blocking links that an issue shows, since when its history says."""
    checked, differ = 0, 0
    for each in told:
        if each.kind != "rest.issue":
            continue
        key, shown, times = each.body["key"], set(), {}
        for link in each.body["fields"].get("issuelinks") or []:
            if link["type"]["name"] == "Blocks" and "inwardIssue" in link:
                shown.add((key, link["inwardIssue"]["key"]))
            elif link["type"]["name"] == "Blocks":
                shown.add((link["outwardIssue"]["key"], key))
        for at, item in _items(each, "link"):
            text = item["toString"] or ""
            edge = (key, item["to"]) if " is blocked by " in text else (item["to"], key) if " blocks " in text else None
            if edge in shown:
                times[edge] = _second(at)
        open_edges: dict[tuple[str, str], datetime] = {}
        for event in sorted(each.of(DependencyEvent), key=lambda event: event.time):
            edge = (event.data.ticket, event.data.blocked_by)
            if "removed" in event.type:
                open_edges.pop(edge, None)
            else:
                open_edges[edge] = event.time
        checked += len(shown)
        differ += len(shown ^ set(open_edges)) + sum(open_edges.get(edge) != at for edge, at in times.items())
    return (
        "jira blocking links as in the source",
        checked,
        differ,
        "direction by inwardIssue, outwardIssue; time by history",
    )


def _board_issues(tables: list[Told]) -> dict[str, Told]:
    return {each.body["id"]: each for each in tables if each.kind == "rest.issue"}


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _devlake_issues(tables: list[Told], devlake: Path) -> Row:
    issues, rows = _board_issues(tables), _rows(devlake / "issues.csv")
    keys = {issue: told.body["key"] for issue, told in issues.items()}
    checked, differ = 0, Counter[str]()
    for row in rows:
        ours = _as_devlake(issues[_issue_id(row["id"])])
        checked += len(ours)
        differ.update(column for column, value in ours.items() if value != _as_ours(column, row[column], keys))
    note = f"{len(rows)} issues; differ: {dict(differ) or 'none'}"
    return "jira issues as DevLake derives them", checked, differ.total(), note


def _issue_id(text: str) -> str:
    """Return the number in an id such as `jira:JiraIssue:2:10063`."""
    return text.rpartition(":")[2]


def _as_devlake(told: Told) -> dict[str, object]:
    """Return what our events say of an issue, under DevLake's column names."""
    (updated,), closed = told.of(TicketUpdated), told.of(TicketClosed)
    seen: TicketUpdated = updated.data
    return {
        "issue_key": seen.ticket,
        "title": seen.title,
        "original_type": seen.kind,
        "original_status": seen.status,
        "priority": seen.priority,
        "parent_issue_id": seen.parent,
        "created_date": told.of(TicketCreated)[0].time,
        "updated_date": updated.time,
        "resolution_date": closed[0].time if closed else None,
        "assignee_id": seen.assignee is not None,
    }


def _as_ours(column: str, value: str, keys: dict[str, str]) -> object:
    if column == "assignee_id":
        return bool(value)
    if not value:
        return None
    if column == "parent_issue_id":
        return keys[_issue_id(value)]
    return datetime.fromisoformat(value) if column.endswith("_date") else value


def _devlake_status_changes(tables: list[Told], devlake: Path) -> Row:
    """Every status change that DevLake lists is a move of ours at the same second, and the reverse."""
    rows = [row for row in _rows(devlake / "issue_changelogs.csv") if row["field_id"] == "status"]
    theirs, names = Counter[tuple[str, datetime]](), set()
    for row in rows:
        place = (_issue_id(row["issue_id"]), datetime.fromisoformat(row["created_date"]).replace(microsecond=0))
        theirs[place] += 1
        names.add((*place, row["original_from_value"], row["original_to_value"]))
    listed = {issue for issue, _ in theirs}
    ours = [
        (issue, event)
        for issue, told in _board_issues(tables).items()
        if issue in listed
        for event in told.of(TicketMoved)
    ]
    counted = Counter((issue, event.time) for issue, event in ours)
    differ = ((theirs - counted) + (counted - theirs)).total()
    renamed = sum(
        (issue, event.time, event.data.from_status, event.data.to_status) not in names for issue, event in ours
    )
    note = f"statuses renamed since, which DevLake calls by their new names: {renamed}"
    return "jira status changes as DevLake derives them", len(rows), differ, note


def _devlake_links(tables: list[Told], devlake: Path) -> Row:
    """Every blocking relationship that DevLake lists is an edge that the same issue tells, in the same direction."""
    issues = _board_issues(tables)
    keys = {issue: told.body["key"] for issue, told in issues.items()}
    for told in issues.values():
        for link in told.body["fields"].get("issuelinks") or []:
            other = link.get("inwardIssue") or link["outwardIssue"]
            keys[other["id"]] = other["key"]
    rows = [row for row in _rows(devlake / "issue_relationships.csv") if "block" in row["original_type"]]
    differ = 0
    for row in rows:
        issue = _issue_id(row["source_issue_id"])
        near, far = keys[issue], keys[_issue_id(row["target_issue_id"])]
        edge = (near, far) if row["original_type"] == "is blocked by" else (far, near)
        told_edges = {(event.data.ticket, event.data.blocked_by) for event in issues[issue].of(DependencyEvent)}
        differ += edge not in told_edges
    return "jira blocking links as DevLake derives them", len(rows), differ, "relationships of other types are not read"
