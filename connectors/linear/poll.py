"""Reads issues with their history, projects and initiatives from the GraphQL API, and what changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from connectors.linear import kinds
from pipeline.events.asking import UNTOLD_WAIT, Api, Item, iso, staged
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.limits import span_to
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.linear.app"
#: Linear refuses a query whose answer might cost more than 10,000 points; these two keep it near 7,000.
PER_PAGE, BELOW = 25, 25

_TEAM = re.compile(r"[A-Z][A-Z0-9_]*")
#: Refusals of a query come as 400 with a reason in the body.
_REFUSED = frozenset({httpx.codes.BAD_REQUEST})
_CHECK = (
    "connectors.linear.token (a personal API key with the permission Read: was it revoked?) and "
    "connectors.linear.poll.scopes (keys of teams)"
)
_MORE = "pageInfo { hasNextPage endCursor }"
_NAMED = "id slugId name createdAt updatedAt archivedAt trashed completedAt"
#: What is below an issue -> the fields of each.
_LISTS = {
    "history": "createdAt actor { id } fromTeam { key } toTeam { key } toState { name type }",
    "relations": "type createdAt issue { id identifier } relatedIssue { id identifier }",
    "inverseRelations": "type createdAt issue { id identifier } relatedIssue { id identifier }",
    "labels": "name",
}
_ISSUE = (
    "id identifier number title priority priorityLabel createdAt updatedAt archivedAt trashed completedAt canceledAt "
    "previousIdentifiers state { name type } team { key name } parent { id } project { id } assignee { id } "
    "creator { id } "
    + " ".join(f"{name}(first: {BELOW}) {{ {_MORE} nodes {{ {of} }} }}" for name, of in _LISTS.items())
)
_PROJECT = (
    f"{_NAMED} canceledAt priority status {{ name type }} lead {{ id }} creator {{ id }} labels {{ nodes {{ name }} }} "
    "initiatives { nodes { id } }"
)
_INITIATIVE = f"{_NAMED} status owner {{ id }} creator {{ id }} parentInitiative {{ id }}"


class _PageInfo(msgspec.Struct):
    hasNextPage: bool
    endCursor: str | None = None


class _List(msgspec.Struct):
    nodes: list[Item]
    pageInfo: _PageInfo


class _Answer(msgspec.Struct):
    """An answer; `errors` may come with or without data."""

    data: dict[str, Any] | None = None
    errors: list[Item] = []


class _Stale(Exception):
    """What a cursor points to is gone."""


class LinearPoller:
    """Reads a workspace, or teams of it."""

    name = "linear"
    scope = "key of a team, as in ENG"
    default_scope: str | None = ""
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        """Return a client. A personal API key is shown as it is, the token of an OAuth application as a bearer's."""
        token = access.token or ""
        shown = f"Bearer {token}" if token.startswith("lin_oauth_") else token
        headers = {"authorization": shown, "user-agent": "leadline"}
        base = base_url(self.name, access.url or API).removesuffix("/graphql")
        return httpx.Client(base_url=base, headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is a list and Linear's own cursor in it, in the order of creation."""
        if query.scope and not _TEAM.fullmatch(query.scope):
            raise ConfigError(f"linear: {query.scope!r} is no key of a team; write one such as ENG")
        reading = _Reading(Api(self.name, client, query.now, _CHECK), query)
        yield from staged(
            {"issues": reading.issues, "projects": reading.projects, "initiatives": reading.initiatives}, checkpoint
        )


POLLER: Poller = LinearPoller()


class _Reading:
    """One query about a workspace or one of its teams."""

    def __init__(self, api: Api, query: Query) -> None:
        self._api, self._query = api, query
        self._bounds: dict[str, object] = {}
        if query.since is not None:
            self._bounds["updatedAt"] = {"gte": iso(query.since)}
        if query.until is not None:
            self._bounds["createdAt"] = {"lt": iso(query.until)}

    def issues(self, cursor: str) -> Iterator[Page]:
        team = {"team": {"key": {"eq": self._query.scope}}} if self._query.scope else {}
        return self._list(kinds.GRAPHQL_ISSUES, "issues", "IssueFilter", _ISSUE, team, cursor)

    def projects(self, cursor: str) -> Iterator[Page]:
        some = {"accessibleTeams": {"some": {"key": {"eq": self._query.scope}}}} if self._query.scope else {}
        return self._list(kinds.GRAPHQL_PROJECTS, "projects", "ProjectFilter", _PROJECT, some, cursor)

    def initiatives(self, cursor: str) -> Iterator[Page]:
        return self._list(kinds.GRAPHQL_INITIATIVES, "initiatives", "InitiativeFilter", _INITIATIVE, {}, cursor)

    def _list(
        self, kind: str, name: str, filtered: str, fields: str, narrow: Mapping[str, object], cursor: str
    ) -> Iterator[Page]:
        """A list in the order of creation, which no update changes; with what was archived or thrown away."""
        text = (
            f"query($filter: {filtered}, $after: String) {{ organization {{ id }} {name}(filter: $filter, "
            f"after: $after, first: {PER_PAGE}, orderBy: createdAt, includeArchived: true) "
            f"{{ {_MORE} nodes {{ {fields} }} }} }}"
        )
        after = cursor or None
        while True:
            try:
                data = self._ask(
                    text, {"filter": {**self._bounds, **narrow}, "after": after}, name, resumed=bool(after)
                )
            except _Stale:
                after = None
                continue
            found = self._connection(data, name)
            after = found.pageInfo.endCursor
            deliveries = []
            for node in found.nodes:
                whole = self._completed(node) if kind == kinds.GRAPHQL_ISSUES else node
                answered = {"data": {"organization": data.get("organization"), name: {"nodes": [whole]}}}
                deliveries.append(self._api.delivery(kind, answered))
            more = found.pageInfo.hasNextPage and after
            if deliveries:
                yield Page(deliveries=deliveries, cursor=after or "" if more else "")
            if not more:
                return

    def _completed(self, issue: Item) -> Item:
        """An issue with all of its history, relations and labels, without the words of paging."""
        whole = dict(issue)
        for name, fields in _LISTS.items():
            found = self._connection(issue, name)
            nodes = found.nodes
            while found.pageInfo.hasNextPage:
                text = (
                    f"query($id: String!, $after: String) {{ issue(id: $id) {{ {name}(first: 100, after: $after) "
                    f"{{ {_MORE} nodes {{ {fields} }} }} }} }}"
                )
                data = self._ask(text, {"id": issue["id"], "after": found.pageInfo.endCursor}, "issue")
                found = self._connection(data["issue"], name)
                nodes = nodes + found.nodes
                if not found.nodes:
                    break
            whole[name] = {"nodes": nodes}
        return whole

    def _ask(self, text: str, variables: Mapping[str, object], needed: str, *, resumed: bool = False) -> dict[str, Any]:
        answer = self._api.post("/graphql", {"query": text, "variables": variables}, fine=_REFUSED)
        told = self._api.read(answer, _Answer)
        if told.errors:
            raise _refusal(told.errors, resumed=resumed)
        if told.data is None or not isinstance(told.data.get(needed), dict):
            raise Retryable(f"linear: {self._query.scope or 'the workspace'} was answered without {needed}")
        self._spare(answer)
        return told.data

    def _connection(self, data: object, name: str) -> _List:
        try:
            return msgspec.convert(data[name] if isinstance(data, dict) else None, _List)
        except (KeyError, msgspec.ValidationError) as error:
            raise Retryable(f"linear: the API did not answer {name} as it does: {error}") from error

    def _spare(self, answer: httpx.Response) -> None:
        """Wait where what is left of the hour's points is less than such a query costs."""
        left, cost = answer.headers.get("x-ratelimit-complexity-remaining", ""), answer.headers.get("x-complexity", "")
        if left.isdigit() and cost.isdigit() and int(left) < int(cost):
            reset = answer.headers.get("x-ratelimit-complexity-reset", "")
            wait = span_to(reset, self._query.now)
            self._api.rest(UNTOLD_WAIT if wait is None else wait)


def _refusal(errors: list[Item], *, resumed: bool) -> Exception:
    """Return what an error of the API means: GraphQL tells it in the body, whatever the status is."""
    extensions = errors[0].get("extensions")
    code = str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
    message = f"linear: {code} {str(errors[0].get('message', ''))[:200]}"
    if code == "RATELIMITED":
        return Retryable(message, after=UNTOLD_WAIT)
    if "INTERNAL" in code or "TIMEOUT" in code or "UNAVAILABLE" in code:
        return Retryable(message)
    if resumed and code not in {"AUTHENTICATION_ERROR", "FORBIDDEN"}:
        return _Stale()
    return ConfigError(f"{message}; check {_CHECK}")
