"""Bitbucket Cloud with one repository. What it tells was recorded by Apache DevLake (Apache License 2.0), with people
replaced; the activity is of the documentation's shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.bitbucket_cloud import CONNECTOR
from connectors.bitbucket_cloud.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

REPO = "likyh/likyhphp"
_HEADERS = {"x-leadline-repo": REPO}
_SIZE = 2


class Bucket(Recording):
    """One repository; two items a page. It knows the parameters of its lists as Atlassian documents them."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, Any] = pages_of("bitbucket_cloud")

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        name = path.removeprefix(f"/2.0/repositories/{REPO}").strip("/")
        if not name:
            return Answer(body={"uuid": "{9988e380}", "full_name": REPO, "mainbranch": {"name": "master"}})
        if name == "pullrequests":
            return self._page(path, self._pulls(query), query)
        if name == "pullrequests/activity":
            return self._page(path, self.lists["activity"], query)
        if found := re.fullmatch(r"pullrequests/(\d+)/commits", name):
            commits = self.lists["commits"].get(found[1])
            return Answer(404) if commits is None else self._page(path, commits, query)
        if name.startswith("commits/"):
            return self._page(path, self._commits(name.removeprefix("commits/")), query)
        if name == "pipelines":
            assert query["sort"] == "-created_on"
            found_ = sorted(self.lists["pipelines"], key=lambda item: str(item["created_on"]), reverse=True)
            return self._page(path, found_, query)
        assert name == "deployments", path
        assert query["fields"] == "+values.environment.name"
        return self._page(path, self.lists["deployments"], query)

    def _pulls(self, query: dict[str, str]) -> list[dict[str, Any]]:
        assert query["sort"] == "updated_on"
        found = sorted(self.lists["pullrequests"], key=lambda pull: str(pull["updated_on"]))
        states = re.findall(r'state = "(\w+)"', query["q"])
        found = [pull for pull in found if pull["state"] in states]
        for field, sign, bound in re.findall(r"(\w+_on) (>=|<) ([^ )]+)", query["q"]):
            found = [pull for pull in found if (_at(pull[field]) >= _at(bound)) == (sign == ">=")]
        return found

    def _commits(self, start: str) -> list[dict[str, Any]]:
        commits: list[dict[str, Any]] = self.lists["main"]
        hashes = [commit["hash"] for commit in commits]
        return commits if start == "master" else commits[hashes.index(start) :]

    def _page(self, path: str, items: list[Any], query: dict[str, str]) -> Answer:
        page = int(query.get("page", "1"))
        size = min(_SIZE, int(query.get("pagelen", "10")))
        body: dict[str, Any] = {"values": items[(page - 1) * size : page * size], "page": page, "size": len(items)}
        if page * size < len(items):
            rest = "".join(f"&{name}={value}" for name, value in query.items() if name not in {"page", "q"})
            body["next"] = f"{self.url}{path}?page={page + 1}{rest.replace('+', '%2B')}"
        return Answer(body=body)

    def held(self) -> Iterator[Held]:
        for pull in self.lists["pullrequests"]:
            commits = self.lists["commits"].get(str(pull["id"]), [])
            yield "rest.pullrequest_commits", {"pullrequest": pull, "commits": commits}, _HEADERS
        yield "rest.pullrequest_activity", self.lists["activity"], _HEADERS
        yield "rest.pipelines", self.lists["pipelines"], _HEADERS
        yield "rest.deployments", self.lists["deployments"], _HEADERS
        yield "rest.commits", self.lists["main"], _HEADERS

    def change(self, at: datetime) -> None:
        pull = next(pull for pull in self.lists["pullrequests"] if pull["id"] == 57)
        pull.update(updated_on=f"{at:%Y-%m-%dT%H:%M:%S}.123456+00:00", title="Changed")

    def double(self) -> None:
        for name in ("pullrequests", "activity", "pipelines", "deployments", "main"):
            self.lists[name] = [item for item in self.lists[name] for _ in "12"]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Bucket,
    scope=REPO,
    url="/2.0",
    token="a-token-to-keep",
    shown="Bearer a-token-to-keep",
    open_ended=True,
)
