"""Buildkite with the builds of a pipeline, each made of the one in the documentation of its REST API."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.buildkite import CONNECTOR
from connectors.buildkite.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

PER_PAGE = 2
BEGIN = datetime(2026, 5, 9, 21, 5, 59, 874_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: The states of the builds; the two first ones were made in the same second.
STATES = ("passed", "failed", "canceled", "running", "passed", "skipped") * 4


class Kite(Recording):
    """Lists builds, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        recorded = pages_of("buildkite")["build"]
        self.builds = [
            _build(recorded, number, state, BEGIN + timedelta(days=max(1, number)))
            for number, state in enumerate(STATES)
        ]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path not in ("/organizations/my-great-org/builds", "/organizations/my-great-org/pipelines/deploy/builds"):
            return Answer(404, {}, {"message": "No organization found"})
        found = [
            each
            for each in sorted(self.builds, key=lambda each: str(each["created_at"]), reverse=True)
            if query.get("created_from", "") <= each["created_at"] < query.get("created_to", "9")
            and ("finished_from" not in query or (each["finished_at"] or "") >= query["finished_from"])
        ]
        start = (int(query["page"]) - 1) * PER_PAGE
        more = start + PER_PAGE < len(found)
        headers = {"link": f'<{self.url}{path}?page={query["page"]}1>; rel="next"'} if more else {}
        return Answer(200, headers, found[start : start + PER_PAGE])

    def held(self) -> Iterator[Held]:
        yield "rest.builds", self.builds, {}

    def change(self, at: datetime) -> None:
        """Let the oldest build that runs come to its end."""
        build = next(each for each in self.builds if each["state"] == "running")
        build.update(state="passed", finished_at=_iso(at))
        build["jobs"][0].update(state="passed", finished_at=_iso(at))

    def double(self) -> None:
        self.builds = [each for each in self.builds for _ in range(2)]


def _build(recorded: dict[str, Any], number: int, state: str, at: datetime) -> dict[str, Any]:
    build = copy.deepcopy(recorded)
    (job,) = build["jobs"]
    finished_at = None if state == "running" else _iso(at + HOUR)
    times = {"created_at": _iso(at), "started_at": _iso(at + HOUR / 2), "finished_at": finished_at, "state": state}
    build.update(times, id=f"f62a1b4d-10f9-4790-bc1c-e2c3a0c809{number:02}", number=number)
    job.update(times, id=f"b63254c0-3271-4a98-8270-7cfbd6c2f1{number:02}", name="Deploy to production")
    return build


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Kite,
    scope="my-great-org",
    token="a-token-to-keep",
    shown="Bearer a-token-to-keep",
)
