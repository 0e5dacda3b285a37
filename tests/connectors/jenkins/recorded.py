"""Jenkins with a folder and a multibranch project; builds and stages were recorded by Apache DevLake (Apache License
2.0), their addresses replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from connectors.jenkins import CONNECTOR
from connectors.jenkins.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

_SIZE = 4


class Farm(Recording):
    """Jobs in folders. It knows `tree` as far as its range of builds."""

    def __init__(self) -> None:
        super().__init__()
        recorded = pages_of("jenkins")
        self.jobs: dict[str, list[dict[str, Any]]] = recorded["jobs"]
        self.stages: dict[str, list[dict[str, Any]]] = recorded["stages"]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        below = path.removeprefix("/ci")
        if found := re.fullmatch(r"((?:/job/[^/]+)+)/(\d+)/wfapi/describe", below):
            stages = self.stages.get(f"{_name(found[1])}#{found[2]}")
            return Answer(404) if stages is None else Answer(body={"id": found[2], "stages": stages})
        name = _name(below.removesuffix("/api/json"))
        if name in self.jobs:
            start, end = re.findall(r"\{(\d+),(\d+)\}", query["tree"])[0]
            page = self.jobs[name][int(start) : min(int(end), int(start) + _SIZE)]
            return Answer(body={"_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "allBuilds": page})
        above = f"{name}/" if name else ""
        children = {job.removeprefix(above).split("/")[0] for job in self.jobs if job.startswith(above)}
        if not children:
            return Answer(404)
        jobs = [{"_class": "x", "name": child} for child in sorted(children, reverse=True)]
        return Answer(body={"_class": "com.cloudbees.hudson.plugins.folder.Folder", "jobs": jobs})

    def held(self) -> Iterator[Held]:
        for name, builds in self.jobs.items():
            yield "rest.builds", builds, {"x-leadline-job": name}
            for build in builds:
                stages = self.stages.get(f"{name}#{build['number']}", [])
                yield "rest.stages", {"build": build, "stages": stages}, {}

    def change(self, at: datetime) -> None:
        """A build that went on when it was read has ended."""
        for builds in self.jobs.values():
            if builds[0]["building"]:
                length = round(at.timestamp() * 1000) - builds[0]["timestamp"]
                builds[0].update(building=False, result="SUCCESS", duration=length)

    def double(self) -> None:
        self.jobs = {name: [build for build in builds for _ in "12"] for name, builds in self.jobs.items()}


def _name(path: str) -> str:
    return "/".join(unquote(part) for part in path.removeprefix("/job/").split("/job/"))


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Farm,
    scope="",
    url="/ci",
    token="reader:a-token-to-keep",
    shown="Basic cmVhZGVyOmEtdG9rZW4tdG8ta2VlcA==",
    open_ended=True,
)
