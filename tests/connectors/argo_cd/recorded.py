"""Argo CD with some applications, each made of one that its own tests recorded (Apache License 2.0)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.argo_cd import CONNECTOR
from connectors.argo_cd.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

LIST = "/api/v1/applications"


class Argo(Recording):
    """Lists all applications at once, and tells each alone."""

    def __init__(self) -> None:
        super().__init__()
        recorded = pages_of("argo_cd")["application"]
        self.applications: list[dict[str, Any]] = [copy.deepcopy(recorded) for _ in range(14)]
        for number, application in enumerate(self.applications):
            application["metadata"]["name"] = f"velero-test-{number:02}"

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == LIST:
            wanted = query.get("projects")
            found = [each for each in self.applications if wanted in (None, each["spec"]["project"])]
            listed = [_listed(each) for each in found] or None
            return Answer(body={"metadata": {"resourceVersion": "1"}, "items": listed})
        alone = [each for each in self.applications if path == f"{LIST}/{each['metadata']['name']}"]
        return Answer(body=alone[0]) if alone else Answer(403, {}, {"error": "permission denied", "code": 7})

    def held(self) -> Iterator[Held]:
        for application in self.applications:
            yield "application", {"app": application}, {}

    def change(self, at: datetime) -> None:
        """Sync the last application once more."""
        status, now = self.applications[-1]["status"], f"{at:%Y-%m-%dT%H:%M:%SZ}"
        last = status["history"][-1]
        status["history"].append({**last, "id": last["id"] + 1, "deployStartedAt": now, "deployedAt": now})
        status["operationState"].update(startedAt=now, finishedAt=now)

    def double(self) -> None:
        self.applications = [each for each in self.applications for _ in range(2)]


def _listed(application: dict[str, Any]) -> dict[str, Any]:
    metadata, state = application["metadata"], application["status"]["operationState"]
    return {
        "metadata": {name: metadata[name] for name in ("name", "namespace", "creationTimestamp")},
        "spec": {"project": application["spec"]["project"]},
        "status": {"operationState": {name: state[name] for name in ("startedAt", "finishedAt")}},
    }


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Argo,
    scope="",
    token="a-token-to-keep",
    shown="Bearer a-token-to-keep",
)
