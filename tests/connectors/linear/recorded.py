"""Linear with one workspace; what it tells is of the documentation's shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.linear import CONNECTOR
from connectors.linear.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

_SIZE, _BELOW = 1, 2
_TOKENS = re.compile(r"[{}]|\([^()]*\)|\w+")


class Space(Recording):
    """One workspace; two nodes a page, and as many below an issue. It answers the fields that a query asks for."""

    def __init__(self) -> None:
        super().__init__()
        recorded = pages_of("linear")
        self.organization = recorded.pop("organization")
        self.lists: dict[str, list[dict[str, Any]]] = recorded
        self.queries: list[str] = []

    def answer_post(self, path: str, query: dict[str, str], body: Any) -> Answer:
        assert (path, query) == ("/graphql", {})
        self.queries.append(body["query"])
        variables = body["variables"]
        if "id" in variables:
            issue = next(issue for issue in self.lists["issues"] if issue["id"] == variables["id"])
            (name,) = re.findall(r"issue\(id: \$id\) \{ (\w+)\(", body["query"])
            whole = {"issue": {name: _page(issue[name]["nodes"], variables["after"], _BELOW)}}
        else:
            (name,) = set(re.findall(r"\b(issues|projects|initiatives)\(", body["query"]))
            assert "orderBy: createdAt" in body["query"], "the one order that no update changes"
            assert "includeArchived: true" in body["query"]
            found = sorted(self.lists[name], key=lambda node: str(node["createdAt"]), reverse=True)
            listed = _page([node for node in found if _matches(node, variables["filter"])], variables["after"])
            listed["nodes"] = [_cut(node) for node in listed["nodes"]]
            whole = {"organization": {"id": self.organization}, name: listed}
        return Answer(body={"data": _asked_for(whole, body["query"])})

    def held(self) -> Iterator[Held]:
        for name, nodes in self.lists.items():
            data = {"organization": {"id": self.organization}, name: {"nodes": nodes}}
            yield f"graphql.{name}", {"data": data}, {}

    def change(self, at: datetime) -> None:
        issue = next(each for each in self.lists["issues"] if each["number"] == 143)
        issue.update(updatedAt=f"{at:%Y-%m-%dT%H:%M:%S}.123Z", title="Changed")

    def double(self) -> None:
        self.lists = {name: [node for node in nodes for _ in "12"] for name, nodes in self.lists.items()}


def _page(nodes: list[Any], after: str | None, size: int = _SIZE) -> dict[str, Any]:
    start = int(after) if after else 0
    more = start + size < len(nodes)
    return {"nodes": nodes[start : start + size], "pageInfo": {"hasNextPage": more, "endCursor": str(start + size)}}


def _cut(node: dict[str, Any]) -> dict[str, Any]:
    lists = ("history", "relations", "inverseRelations", "labels")
    return {**node, **{name: _page(node[name]["nodes"], None, _BELOW) for name in lists if name in node}}


def _matches(node: dict[str, Any], bounds: dict[str, Any]) -> bool:
    updated, made = bounds.get("updatedAt", {}).get("gte"), bounds.get("createdAt", {}).get("lt")
    return (updated is None or _at(node["updatedAt"]) >= _at(updated)) and (
        made is None or _at(node["createdAt"]) < _at(made)
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _asked_for(whole: Any, query: str) -> Any:
    """Return only what a query asks for, as a GraphQL server does."""
    tokens = [token for token in _TOKENS.findall(query) if not token.startswith("(")]
    return _selected(whole, iter(tokens[tokens.index("{") + 1 :]))


def _selected(value: Any, tokens: Iterator[str]) -> Any:
    wanted: dict[str, list[str] | None] = {}
    depth, name = 0, ""
    for token in tokens:
        if token == "{":
            depth += 1
            if depth == 1:
                wanted[name] = []
                continue
        elif token == "}":
            depth -= 1
            if depth < 0:
                break
        if depth == 0 and token != "}":
            name = token
            wanted[name] = None
        elif depth > 0:
            below = wanted[name]
            assert below is not None
            below.append(token)
    return _project(value, wanted)


def _project(value: Any, wanted: dict[str, list[str] | None]) -> Any:
    if isinstance(value, list):
        return [_project(item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: value.get(name) if below is None else _selected(value.get(name), iter(below))
        for name, below in wanted.items()
    }


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Space,
    scope="",
    token="lin_api_a-token-to-keep",
    shown="lin_api_a-token-to-keep",
)
