"""CircleCI with one project, recorded from its REST API by Apache DevLake (Apache License 2.0); names were replaced."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.circleci import CONNECTOR
from connectors.circleci.poll import POLLER
from connectors.circleci.translate import PROJECT_HEADER
from tests.connectors.polled import show_in
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

SLUG = "gh/acme/site"
MISSING = Answer(404, {}, {"message": "Not found"})
PER_PAGE = 3


class Circle(Recording):
    """Lists pipelines, the newest first; a page token is a number of items, and `stale` one that is not known once."""

    def __init__(self) -> None:
        super().__init__()
        pages = pages_of("circleci")
        self.pipelines: list[dict[str, Any]] = pages["pipelines"]
        self.workflows: list[dict[str, Any]] = pages["workflows"]
        self.jobs: dict[str, list[dict[str, Any]]] = pages["jobs"]
        self.stale = ""
        show_in(self, "circle-token")

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        parts = path.strip("/").split("/")
        if self.stale and query.get("page-token") == self.stale:
            self.stale = ""
            return Answer(400, {}, {"message": "Invalid page token"})
        if path == f"/project/{SLUG}/pipeline":
            return _page(self.pipelines, query.get("page-token", "0"))
        if parts[0] == "pipeline" and len(parts) == 2:
            found = [pipeline for pipeline in self.pipelines if pipeline["id"] == parts[1]]
            return Answer(body=found[0]) if found else MISSING
        if parts[0] == "pipeline":
            return _page(self.of_pipeline(parts[1]), query.get("page-token", "0"))
        return _page(self.jobs.get(parts[1], []), query.get("page-token", "0"))

    def of_pipeline(self, identity: str) -> list[dict[str, Any]]:
        return [workflow for workflow in self.workflows if workflow["pipeline_id"] == identity]

    def held(self) -> Iterator[Held]:
        headers = {PROJECT_HEADER: SLUG}
        for pipeline in self.pipelines:
            workflows = self.of_pipeline(pipeline["id"])
            yield "rest.workflows", {"pipeline": pipeline, "items": workflows}, headers
            for workflow in workflows:
                jobs = self.jobs.get(workflow["id"], [])
                yield "rest.jobs", {"pipeline": pipeline, "workflow": workflow, "items": jobs}, headers

    def change(self, at: datetime) -> None:
        """Run the newest commit again."""
        pipeline = copy.deepcopy(next(each for each in self.pipelines if each.get("vcs")))
        (workflow,) = self.of_pipeline(pipeline["id"])
        now = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        identity = f"again-{at:%H%M%S}"
        self.pipelines.insert(0, {**pipeline, "id": identity, "created_at": now, "updated_at": now, "number": 99})
        again = {"id": f"w-{identity}", "pipeline_id": identity, "created_at": now, "stopped_at": now}
        self.workflows.append({**workflow, **again})

    def double(self) -> None:
        self.pipelines = [pipeline for pipeline in self.pipelines for _ in range(2)]
        self.workflows = [workflow for workflow in self.workflows for _ in range(2)]
        self.jobs = {name: [job for job in jobs for _ in range(2)] for name, jobs in self.jobs.items()}


def _page(items: list[dict[str, Any]], token: str) -> Answer:
    start = int(token)
    end = start + PER_PAGE
    more = str(end) if end < len(items) else None
    return Answer(body={"items": items[start:end], "next_page_token": more})


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Circle,
    scope=SLUG,
    token="a-token-to-keep",
    shown="a-token-to-keep",
    settings={"deployment_pattern": "^build$"},
)
