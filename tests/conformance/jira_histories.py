"""What Jira's answers and Apache DevLake say of the lives of issues, read without any of Leadline's connectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.events.reading import parse_time
from tests.conformance.devlake_rows import key_of, rows
from tests.conformance.folded import Words
from tests.conformance.lifelines import Episode, Lifeline, Step, episodes, lifeline, micros
from tests.conformance.told import Told, table

#: Category of a status, as Jira and as DevLake call it -> canonical status.
CATEGORIES = {"new": "ready", "indeterminate": "in_progress", "done": "done"}
DEVLAKE = {"TODO": "ready", "IN_PROGRESS": "in_progress", "DONE": "done"}
_WAITS, _HOLDS = " is blocked by ", " blocks "

#: Issues of the REST API by their keys.
Issues = Mapping[str, Told]


def us(text: str, *, whole_second: bool = False) -> int:
    """Return an instant as microseconds since 1970."""
    moment = parse_time(text)
    assert moment is not None
    return micros(moment, whole_second=whole_second)


def own_words(root: Path) -> Words:
    """Return the canonical status of each of Jira's statuses, by its category; a name of two categories has none."""
    found: dict[str, set[str]] = {}
    for raw in table(root / "raw_api/jira/raw_tables/_raw_jira_api_status.csv"):
        status = json.loads(raw["data"])
        found.setdefault(status["name"].lower(), set()).add(CATEGORIES[status["statusCategory"]["key"]])
    return {name: next(iter(categories)) for name, categories in found.items() if len(categories) == 1}


def devlake_status_rows(root: Path) -> list[dict[str, str]]:
    """Return the changes of status that DevLake derived."""
    path = root / "raw_api/jira/snapshot_tables/issue_changelogs.csv"
    return [cells for cells in rows(path) if cells["field_id"] == "status"]


def devlake_words(root: Path, issues: Issues) -> Words:
    """Return the category that DevLake gave to the words of the changelog, found by issue and second."""
    items = {
        (item.body["id"], us(history["created"], whole_second=True)): change
        for item in issues.values()
        for history in histories(item)
        for change in history["items"]
        if change["field"] == "status"
    }
    words: dict[str, str] = {}
    for cells in devlake_status_rows(root):
        place = key_of(cells["issue_id"]), us(cells["created_date"], whole_second=True)
        for side, column in (("fromString", "from_value"), ("toString", "to_value")):
            if cells[column]:
                words[items[place][side].lower()] = DEVLAKE[cells[column]]
    return words


def histories(item: Told) -> list[dict[str, Any]]:
    """Return the entries of an issue's changelog."""
    return list(item.body.get("changelog", {}).get("histories", []))


def steps(item: Told) -> list[Step]:
    """Return the changes of status in an issue's changelog, to the second."""
    return [
        Step(us(history["created"], whole_second=True), int(history["id"]), change["fromString"], change["toString"])
        for history in histories(item)
        for change in history["items"]
        if change["field"] == "status"
    ]


def expected(item: Told, words: Words) -> Lifeline:
    """Return the life of an issue."""
    fields = item.body["fields"]
    resolved = fields.get("resolutiondate")
    return lifeline(
        us(fields["created"]),
        steps(item),
        (us(fields["updated"]), fields["status"]["name"]),
        words,
        us(resolved) if resolved else None,
    )


def expected_edges(issues: Issues) -> set[Episode]:
    """Return from when to when which issue waited for which, by the histories of both and the links they show."""
    told: dict[tuple[str, str], set[tuple[int, bool]]] = {}
    shown: dict[tuple[str, str], list[int]] = {}
    for key, item in issues.items():
        for history in histories(item):
            for change in (each for each in history["items"] if each["field"] == "Link"):
                for text, added in ((change["fromString"], False), (change["toString"], True)):
                    edge = _edge(key, text or "")
                    if edge:
                        told.setdefault(edge, set()).add((us(history["created"], whole_second=True), added))
        for link in item.body["fields"].get("issuelinks") or []:
            if link["type"]["name"] == "Blocks":
                other = link.get("inwardIssue") or link["outwardIssue"]
                edge = (key, other["key"]) if "inwardIssue" in link else (other["key"], key)
                shown.setdefault(edge, []).append(us(item.body["fields"]["updated"], whole_second=True))
    for edge, times in shown.items():
        told.setdefault(edge, {(min(times), True)})
    return {episode for (ticket, blocker), events in told.items() for episode in episodes(events, ticket, blocker)}


def _edge(key: str, text: str) -> tuple[str, str] | None:
    for phrase in (_WAITS, _HOLDS):
        _, found, other = text.partition(phrase)
        if found:
            return (key, other) if phrase == _WAITS else (other, key)
    return None
