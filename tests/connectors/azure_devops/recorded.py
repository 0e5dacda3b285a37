"""Azure DevOps with one project. Builds and timelines were recorded by Apache DevLake (Apache License 2.0), the pull
request is a sample of Microsoft's (people replaced); the rest is of the documentation's shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from connectors.azure_devops import CONNECTOR
from connectors.azure_devops.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

_ROOT = "/fabrikam/Fiber/_apis/"
_SIZE = 2


class Collection(Recording):
    """One project; two items a page. It knows the parameters of its lists as Microsoft documents them."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, Any] = pages_of("azure_devops")

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        assert query["api-version"], path
        if path == "/fabrikam/_apis/projects/Fiber":
            return Answer(body={"id": "6ce954b1", "name": "Fiber", "state": "wellFormed"})
        name = path.removeprefix(_ROOT)
        lists: dict[str, Callable[[dict[str, str]], Answer]] = {
            "git/pullrequests": self._pulls,
            "build/builds": self._builds,
            "release/deployments": self._deployments,
            "wit/recyclebin": self._bin,
        }
        return lists[name](query) if name in lists else self._below(name, query)

    def _below(self, name: str, query: dict[str, str]) -> Answer:
        if found := re.fullmatch(r"git/repositories/[\w-]+/pullRequests/(\d+)(/threads)?", name):
            return self._pull(found[1], threads=bool(found[2]))
        if found := re.fullmatch(r"build/builds/(\d+)/timeline", name):
            records = self.lists["timelines"].get(found[1])
            return Answer(body={"records": records}) if records else Answer(204)
        found = re.fullmatch(r"wit/workItems/(\d+)/updates", name)
        assert found, name
        start = int(query["$skip"])
        return _page(self.lists["updates"].get(found[1], [])[start : start + _SIZE])

    def _bin(self, query: dict[str, str]) -> Answer:
        if "ids" in query:
            return Answer(body=[item for item in self.lists["bin"] if item["id"] in query["ids"].split(",")])
        return Answer(body=[{"id": item["id"], "url": item["url"]} for item in self.lists["bin"]])

    def answer_post(self, path: str, query: dict[str, str], body: Any) -> Answer:
        assert query["api-version"], path
        items = sorted(self.lists["items"], key=lambda item: int(item["id"]))
        if path == f"{_ROOT}wit/wiql":
            found = [item for item in items if _matches(item, body["query"])]
            return Answer(body={"workItems": [{"id": item["id"], "url": item["url"]} for item in found[:_SIZE]]})
        assert path == f"{_ROOT}wit/workitemsbatch", path
        found = [item for item in items if item["id"] in body["ids"]]
        return Answer(body={"value": [*found, None]})

    def _pulls(self, query: dict[str, str]) -> Answer:
        found = sorted(self.lists["pulls"], key=lambda pull: str(pull["creationDate"]), reverse=True)
        if query["searchCriteria.status"] == "active":
            found = [pull for pull in found if pull["status"] == "active"]
        if query.get("searchCriteria.queryTimeRangeType") == "closed":
            bound = _at(query["searchCriteria.minTime"])
            found = [pull for pull in found if "closedDate" in pull and _at(pull["closedDate"]) >= bound]
        start = int(query.get("$skip", "0"))
        hidden = {"commits", "workItemRefs"}
        listed = [{name: pull[name] for name in pull if name not in hidden} for pull in found]
        return _page(listed[start : start + _SIZE])

    def _pull(self, number: str, *, threads: bool) -> Answer:
        if threads:
            return _page(self.lists["threads"].get(number, []))
        return Answer(body=next(pull for pull in self.lists["pulls"] if str(pull["pullRequestId"]) == number))

    def _builds(self, query: dict[str, str]) -> Answer:
        statuses = query["statusFilter"].split(",")
        found = [build for build in self.lists["builds"] if build["status"] in statuses]
        if statuses != ["completed"]:
            return _page(found)
        assert query["queryOrder"] == "finishTimeAscending"
        found.sort(key=lambda build: str(build["finishTime"]))
        if "minTime" in query:
            found = [build for build in found if _at(build["finishTime"]) >= _at(query["minTime"])]
        if "maxTime" in query:
            found = [build for build in found if _at(build["finishTime"]) <= _at(query["maxTime"])]
        start = int(query.get("continuationToken", "0"))
        return _page(found[start : start + _SIZE], str(start + _SIZE) if start + _SIZE < len(found) else "")

    def _deployments(self, query: dict[str, str]) -> Answer:
        found = [each for each in self.lists["deployments"] if each["id"] >= int(query.get("continuationToken", "0"))]
        if "minModifiedTime" in query:
            found = [each for each in found if _at(each["lastModifiedOn"]) >= _at(query["minModifiedTime"])]
        if "maxStartedTime" in query:
            found = [each for each in found if _at(each["startedOn"]) <= _at(query["maxStartedTime"])]
        rest = [each for each in found if each["id"] > found[:_SIZE][-1]["id"]] if found else []
        return _page(found[:_SIZE], str(rest[0]["id"]) if rest else "")

    def held(self) -> Iterator[Held]:
        for pull in self.lists["pulls"]:
            threads = self.lists["threads"].get(str(pull["pullRequestId"]), [])
            yield "rest.pullrequest_threads", {"pullRequest": pull, "threads": threads}, {}
        yield "rest.builds", self.lists["builds"], {}
        for build in self.lists["builds"]:
            if records := self.lists["timelines"].get(str(build["id"])):
                yield "rest.timeline", {"build": build, "records": records}, {}
        yield "rest.deployments", self.lists["deployments"], {}
        for item in self.lists["items"]:
            updates = self.lists["updates"].get(str(item["id"]), [])
            yield "rest.workitem_history", {"workItem": item, "updates": updates}, {}
        yield "rest.recyclebin", self.lists["bin"], {}

    def change(self, at: datetime) -> None:
        fields = next(item["fields"] for item in self.lists["items"] if item["id"] == 9)
        fields.update({"System.Title": "Changed", "System.ChangedDate": f"{at:%Y-%m-%dT%H:%M:%S}.123Z"})

    def double(self) -> None:
        for name in ("pulls", "builds", "items", "bin"):
            self.lists[name] = [item for item in self.lists[name] for _ in "12"]


def _page(items: list[Any], token: str = "") -> Answer:
    return Answer(headers={"x-ms-continuationtoken": token} if token else {}, body={"value": items})


def _matches(item: dict[str, Any], wiql: str) -> bool:
    (reached,) = re.findall(r"\[System\.Id\] > (\d+)", wiql)
    since = re.findall(r"\[System\.ChangedDate\] >= '([^']+)'", wiql)
    until = re.findall(r"\[System\.CreatedDate\] < '([^']+)'", wiql)
    fields = item["fields"]
    return (
        item["id"] > int(reached)
        and all(_at(fields["System.ChangedDate"]) >= _at(bound) for bound in since)
        and all(_at(fields["System.CreatedDate"]) < _at(bound) for bound in until)
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Collection,
    scope="Fiber",
    url="/fabrikam",
    token="a-token-to-keep",
    shown="Basic OmEtdG9rZW4tdG8ta2VlcA==",
    open_ended=True,
)
