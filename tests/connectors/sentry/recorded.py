"""Sentry with an organization, in the shapes that the documentation of its API has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sentry import CONNECTOR
from connectors.sentry.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording
from tests.ingest.sources import Answer

PER_PAGE = 3
BEGIN = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
RELEASE = "backend@2026.9.1"
_KEPT = ("id", "shortId", "title", "level", "status", "substatus", "permalink", "firstSeen")


def issue(number: int, *activity: tuple[str, timedelta]) -> dict[str, Any]:
    """Return an issue as a list shows it, and its activity, which is shown of a single one."""
    first_seen = BEGIN + timedelta(days=number)
    history: list[dict[str, Any]] = [
        {"id": "0", "type": "first_seen", "user": None, "data": {}, "dateCreated": _iso(first_seen)}
    ]
    told: dict[str, Any] = {
        "id": str(1170820200 + number),
        "shortId": f"BACKEND-{number}",
        "title": f"TypeError: no order {number}",
        "culprit": "app.orders in total",
        "permalink": f"https://acme.sentry.io/issues/{1170820200 + number}/",
        "level": "error",
        "status": "unresolved",
        "substatus": "new",
        "statusDetails": {},
        "project": {"id": "456", "name": "backend", "slug": "backend", "platform": "python"},
        "count": str(number * 7),
        "userCount": 3,
        "firstSeen": _iso(first_seen),
        "lastSeen": _iso(first_seen + HOUR),
        "activity": history,
    }
    for kind, after in activity:
        happen(told, kind, first_seen + after)
    return told


def happen(told: dict[str, Any], kind: str, at: datetime) -> None:
    told["activity"].insert(0, {"id": str(len(told["activity"])), "type": kind, "data": {}, "dateCreated": _iso(at)})
    over = "resolved" if "resolved" in kind and kind != "set_unresolved" else "ignored" if "ignored" in kind else ""
    told.update(status=over or "unresolved", substatus=None if over else "regressed")
    if not over:
        told["lastSeen"] = _iso(at)


HISTORIES: list[list[tuple[str, timedelta]]] = [
    [("set_resolved", 2 * HOUR), ("set_regression", 30 * HOUR), ("set_resolved_in_release", 50 * HOUR)],
    [],
    [("assigned", HOUR), ("set_resolved_in_commit", 3 * HOUR)],
    [("set_ignored", HOUR)],
    [("set_resolved", HOUR), ("set_unresolved", 2 * HOUR)],
    [("set_resolved_by_age", 90 * HOUR)],
]


class Watch(Recording):
    """Lists issues and releases; a cursor counts items, and the `Link` header tells one even where there is no more."""

    def __init__(self) -> None:
        super().__init__()
        self.issues = [issue(number, *told) for number, told in enumerate(HISTORIES * 3)]
        commit = {
            "id": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
            "message": "fix",
            "repository": {"name": "acme/shop"},
        }
        self.releases: list[dict[str, Any]] = [
            {
                "version": RELEASE,
                "shortVersion": "2026.9.1",
                "dateCreated": _iso(BEGIN),
                "projects": [{"slug": "backend", "name": "backend"}],
                "lastCommit": commit,
                "deployCount": 2,
                "authors": [],
            },
            {"version": "none@1", "dateCreated": _iso(BEGIN), "projects": [], "lastCommit": None, "deployCount": 0},
        ]
        self.deploys: list[dict[str, Any]] = [
            {
                "id": str(number),
                "environment": environment,
                "name": None,
                "url": None,
                "dateStarted": None,
                "dateFinished": _iso(BEGIN + number * HOUR),
            }
            for number, environment in enumerate(["staging", "production"], 11)
        ]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/organizations/acme/issues/":
            key = {"new": "firstSeen", "date": "lastSeen"}[query["sort"]]
            before = re.search(r"firstSeen:<(\S+)", query.get("query", ""))
            found = [
                {name: value for name, value in each.items() if name != "activity"}
                for each in sorted(self.issues, key=lambda each: str(each[key]), reverse=True)
                if each["lastSeen"] >= query["start"] and (before is None or each["firstSeen"] < before[1])
            ]
            return self.page(found, query)
        if path == "/organizations/acme/releases/":
            return self.page(self.releases, query)
        if path.endswith("/deploys/"):
            return self.page(self.deploys, query)
        alone = [each for each in self.issues if path == f"/organizations/acme/issues/{each['id']}/"]
        return Answer(body=alone[0]) if alone else Answer(404, {}, {"detail": "The requested resource does not exist"})

    def page(self, items: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        start = int(query.get("cursor", "0:0:0").split(":")[1])
        end = start + PER_PAGE
        more = "true" if end < len(items) else "false"
        link = (
            f'<{self.url}/?cursor=0:{start}:1>; rel="previous"; results="false"; cursor="0:{start}:1", '
            f'<{self.url}/?cursor=0:{end}:0>; rel="next"; results="{more}"; cursor="0:{end}:0"'
        )
        return Answer(200, {"link": link}, items[start:end])

    def held(self) -> Iterator[Held]:
        for each in self.issues:
            kept = {name: each[name] for name in _KEPT}
            yield "rest.issue", {"issue": {**kept, "project": each["project"]}, "activity": each["activity"]}, {}

    def change(self, at: datetime) -> None:
        """Resolve the newest issue that is open; an event of it came in at the same time."""
        told = next(each for each in reversed(self.issues) if each["status"] == "unresolved")
        happen(told, "set_resolved", at)
        told["lastSeen"] = _iso(at)

    def double(self) -> None:
        self.issues = [each for each in self.issues for _ in range(2)]


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Watch,
    scope="acme",
    token="a-token-to-keep",
    shown="Bearer a-token-to-keep",
)
