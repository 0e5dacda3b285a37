"""GitLab with one project. What it tells was recorded from gitlab.com by Apache DevLake (Apache License 2.0), with
people replaced; releases, events, links and approvals are of the documentation's shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.gitlab import CONNECTOR
from connectors.gitlab.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

PROJECT = "gitlab-data/snowflake_spend"
_URL = f"https://gitlab.com/{PROJECT}"
_REPO = {"x-leadline-repo": _URL}
_ROOT = "/api/v4/projects/gitlab-data%2Fsnowflake_spend"
_SIZE = 3


class Lab(Recording):
    """One project; three items a page. It knows the parameters of its lists as GitLab documents them."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, Any] = pages_of("gitlab")

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        assert path.startswith(_ROOT), path
        name = path.removeprefix(_ROOT).strip("/")
        if not name:
            return Answer(body={"id": 12345678, "web_url": _URL, "default_branch": "master"})
        found = self.lists.get(name, [])
        if isinstance(found, dict):
            return Answer(body=found)
        if name.startswith("deployments/"):
            return Answer(body=next(each for each in self.lists["deployments"] if str(each["id"]) == name[12:]))
        if name.endswith("/approvals"):
            return Answer(404, body={"message": "404 Not found"})
        return self._page(path, _asked_for(found, query), query)

    def _page(self, path: str, items: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        page, size = int(query.get("page", "1")), min(_SIZE, int(query.get("per_page", "20")))
        headers = {"x-total": str(len(items))}
        if page * size < len(items):
            headers["link"] = f'<{self.url}{path}?page={page + 1}>; rel="next"'
        return Answer(headers=headers, body=items[(page - 1) * size : page * size])

    def held(self) -> Iterator[Held]:
        for request in self.lists["merge_requests"]:
            path = f"merge_requests/{request['iid']}"
            number = {**_REPO, "x-leadline-number": str(request["iid"])}
            commits = self.lists.get(f"{path}/commits", [])
            yield "rest.merge_request_commits", {"merge_request": request, "commits": commits}, _REPO
            yield "rest.merge_request_notes", self.lists.get(f"{path}/notes", []), number
            if f"{path}/approvals" in self.lists:
                yield "rest.merge_request_approvals", self.lists[f"{path}/approvals"], number
        for issue in self.lists["issues"]:
            below = {
                name: self.lists.get(f"issues/{issue['iid']}/{path}", [])
                for name, path in (
                    ("state_events", "resource_state_events"),
                    ("label_events", "resource_label_events"),
                    ("links", "links"),
                )
            }
            yield "rest.issue_history", {"issue": issue, **below}, _REPO
        for pipeline in self.lists["pipelines"]:
            yield "rest.pipelines", self.lists[f"pipelines/{pipeline['id']}"], _REPO
        yield "rest.deployments", self.lists["deployments"], _REPO
        yield "rest.releases", self.lists["releases"], _REPO
        yield "rest.commits", self.lists["repository/commits"], _REPO

    def change(self, at: datetime) -> None:
        request = next(each for each in self.lists["merge_requests"] if each["iid"] == 9)
        request.update(updated_at=f"{at:%Y-%m-%dT%H:%M:%S}.000Z", title="Changed")

    def double(self) -> None:
        for name, items in self.lists.items():
            if isinstance(items, list):
                self.lists[name] = [item for item in items for _ in "12"]


def _asked_for(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    if query.get("order_by") == "updated_at":
        items = sorted(items, key=lambda item: item["updated_at"] or "9")
        if "updated_after" in query:
            items = [item for item in items if _at(item["updated_at"]) >= _at(query["updated_after"])]
    if "created_before" in query:
        items = [item for item in items if _at(item["created_at"]) <= _at(query["created_before"])]
    if "since" in query:
        items = [item for item in items if _at(item["committed_date"]) >= _at(query["since"])]
    if "until" in query:
        items = [item for item in items if _at(item["committed_date"]) <= _at(query["until"])]
    return items


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Lab,
    scope=PROJECT,
    token="glpat-a-token-to-keep",
    shown="Bearer glpat-a-token-to-keep",
    settings={"status_label": "workflow"},
)
