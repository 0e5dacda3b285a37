"""Reads issues with their activity, or releases with their deploys, from Sentry's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from connectors.sentry.answers import OVER
from pipeline.events.asking import Api, Item, by_token, iso, moment
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://sentry.io/api/0"
PER_PAGE = 100
#: Issues are listed by when they were last seen; one that was not for so long is ended unseen.
LOOKBACK = timedelta(days=30)
#: Releases are listed by when they were made; an older one can be deployed again, for so long.
RELEASE_LOOKBACK = timedelta(days=30)
#: Lists that have no lower bound begin here, since Sentry shows a quarter of a year otherwise; Sentry is younger.
BEGINNING = datetime(2008, 1, 1, tzinfo=UTC)
#: Sentry's clock may be ahead of ours.
MARGIN = timedelta(days=1)
DEPLOYS = "deploys"
_GONE = frozenset({httpx.codes.NOT_FOUND})
#: What a cursor that is no longer known is answered with.
_STALE = frozenset({httpx.codes.BAD_REQUEST})
#: What is kept of an issue and of a release; counts change with every event, and the rest is of persons.
_OF_ISSUE = ("id", "shortId", "title", "level", "status", "substatus", "permalink", "firstSeen", "project")
_OF_RELEASE = ("version", "dateCreated", "projects", "lastCommit")
_OF_COMMIT = ("id", "repository")


class SentryPoller:
    """Reads the issues of an organization or of a project, or what was deployed of its releases."""

    name = "sentry"
    scope = "ORGANIZATION or ORGANIZATION/PROJECT for issues, and with deploys: before it for deploys"
    default_scope: str | None = None
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is Sentry's own and the last issue or release that was told behind it.

        Sentry's cursors are places in the order of the list. A backfill lists issues by when they were first seen,
        which does not change; a poll by when they were last seen: a new event takes an issue to the front, where the
        next poll finds it. The memory holds the status of an issue and the deploys of a release when they were read.
        """
        kind, colon, place = query.scope.strip().rpartition(":")
        organization, slash, project = place.partition("/")
        if not organization.strip() or (colon and kind != DEPLOYS) or (slash and not project) or "/" in project:
            raise ConfigError(f"sentry: {query.scope!r} is no organization or project; write {self.scope}")
        reading = _Reading(client, query, checkpoint.memory, organization, project)
        yield from (reading.deploys if kind else reading.issues)(checkpoint.cursor)
        yield Page()


POLLER: Poller = SentryPoller()


class _Reading:
    def __init__(
        self, client: httpx.Client, query: Query, memory: Mapping[str, str], organization: str, project: str
    ) -> None:
        check = (
            "that organization and project of the scope are spelled as in Sentry's addresses, and "
            "connectors.sentry.token: is it valid, has it expired, and may it read issues and releases"
        )
        self._api = Api("sentry", client, query.now, check)
        self._query, self._memory = query, memory
        self._organization, self._project = f"/organizations/{quote(organization)}", project
        self._above = self._organization if not project else f"/projects/{quote(organization)}/{quote(project)}"

    def issues(self, cursor: str) -> Iterator[Page]:
        since, until = self._query.since, self._query.until
        oldest = None if since is None else since - LOOKBACK
        terms = [f"project:{self._project}"] if self._project else []
        terms += [f"firstSeen:<{iso(until)}"] if until is not None else []
        params: dict[str, str | int] = {
            # Without a query Sentry leaves out what is resolved.
            "query": " ".join(terms),
            "sort": "new" if since is None else "date",
            "start": iso(oldest or BEGINNING),
            "end": iso(self._query.now + MARGIN),
            "limit": PER_PAGE,
        }

        def ask(token: str) -> tuple[list[Item], str | None] | None:
            return self._list(f"{self._organization}/issues/", params, token, "id", "status", "firstSeen", "lastSeen")

        for issue, place in by_token(ask, "id", cursor):
            last_seen = moment(issue["lastSeen"])
            if oldest is not None and last_seen is not None and last_seen < oldest:
                return
            yield self._issue(issue, place)

    def _issue(self, issue: Item, cursor: str) -> Page:
        """Return an issue; its activity is asked for unless it is new, or has the status of last time."""
        identity, status = str(issue["id"]), f"{issue['status']} {issue.get('substatus')}"
        since, first_seen = self._query.since, moment(issue["firstSeen"])
        kept = _kept(issue, _OF_ISSUE)
        if isinstance(issue.get("project"), dict):
            kept["project"] = _kept(issue["project"], ("id", "slug"))
        if issue["status"] == "unresolved" and issue.get("substatus") == "new":
            old = since is not None and first_seen is not None and first_seen < since
            told = [] if old else [self._api.delivery("rest.issue", {"issue": kept, "activity": []})]
            return Page(deliveries=told, cursor=cursor)
        if self._memory.get(identity) == status and since is not None:
            return Page(cursor=cursor)
        answer = self._api.get(f"{self._organization}/issues/{identity}/", absent=_GONE)
        if not answer.is_success:
            return Page(cursor=cursor)
        (whole,) = self._api.complete(answer, [self._api.read(answer, Item)], "id", "activity")
        activity = [_kept(each, ("id", "type", "dateCreated")) for each in _objects(whole["activity"])]
        if issue["status"] in OVER and not activity:
            kept["lastSeen"] = issue["lastSeen"]
        delivery = self._api.delivery("rest.issue", {"issue": kept, "activity": activity})
        return Page(deliveries=[delivery], cursor=cursor, memory={identity: status})

    def deploys(self, cursor: str) -> Iterator[Page]:
        since = self._query.since

        def ask(token: str) -> tuple[list[Item], str | None] | None:
            return self._list(f"{self._above}/releases/", {"per_page": PER_PAGE}, token, "version", "dateCreated")

        for release, place in by_token(ask, "version", cursor):
            made = moment(release["dateCreated"])
            if since is not None and made is not None and made < since - RELEASE_LOOKBACK:
                return
            if self._query.until is None or made is None or made < self._query.until:
                yield self._release(release, place)

    def _release(self, release: Item, cursor: str) -> Page:
        """Return the deploys of a release, unless there are none, or as many as last time."""
        version, count = str(release["version"]), str(release.get("deployCount") or 0)
        if count == "0" or (self._query.since is not None and self._memory.get(version) == count):
            return Page(cursor=cursor)
        path = f"{self._organization}/releases/{quote(version, safe='')}/deploys/"

        def ask(token: str) -> tuple[list[Item], str | None] | None:
            return self._list(path, {"per_page": PER_PAGE}, token, "id", "environment")

        told = {str(deploy["id"]): deploy for deploy, _ in by_token(ask, "id", "")}
        kept = _kept(release, _OF_RELEASE)
        kept["projects"] = [_kept(project, ("slug",)) for project in _objects(release.get("projects"))]
        if isinstance(release.get("lastCommit"), dict):
            kept["lastCommit"] = _kept(release["lastCommit"], _OF_COMMIT)
        delivery = self._api.delivery("rest.deploys", {"release": kept, "deploys": list(told.values())})
        return Page(deliveries=[delivery], cursor=cursor, memory={version: count})

    def _list(
        self, path: str, params: Mapping[str, str | int], token: str, *needed: str
    ) -> tuple[list[Item], str | None] | None:
        """Return a page and the cursor of the next one, which a `Link` header tells also where there is none."""
        answer = self._api.get(path, {**params, **({"cursor": token} if token else {})}, absent=_STALE if token else ())
        if not answer.is_success:
            return None
        link = answer.links.get("next", {})
        return self._api.items(answer, *needed), link.get("cursor") if link.get("results") == "true" else None


def _kept(item: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: item[name] for name in names if name in item}


def _objects(told: object) -> list[dict[str, Any]]:
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
