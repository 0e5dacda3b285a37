"""Reads the pipelines of a project from the REST API v2, with their workflows and jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import httpx
import msgspec

from connectors.circleci.translate import PROJECT_HEADER
from pipeline.events.asking import Api, Item, by_token, moment
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://circleci.com/api/v2"
#: Pipelines are listed by when they were created; one whose workflows have ended is looked at again for so long.
LOOKBACK = timedelta(days=1)
#: A workflow that has not ended by then waits for an approval that will not come.
PATIENCE = timedelta(days=30)
#: What a page token that is no longer known is answered with.
_STALE = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND})
_GONE = frozenset({httpx.codes.NOT_FOUND})
_ENDED = frozenset({"success", "failed", "error", "canceled", "unauthorized", "not_run"})


class _List(msgspec.Struct):
    """A page of any list."""

    items: list[Item]
    next_page_token: str | None = None


class CircleCIPoller:
    """Reads projects, the newest pipeline first; one page is one pipeline with all that is below it."""

    name = "circleci"
    scope = "slug of a project, as in gh/OWNER/NAME"
    default_scope: str | None = None
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {"accept": "application/json", "circle-token": access.token or "", "user-agent": "leadline"}
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=30)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is the token of a page and the last pipeline of it that was told.

        A new pipeline goes to the front and pipelines are not deleted: what is added can only repeat, never hide. The
        memory holds pipelines with workflows that had not ended: the list is not read down to them when they do.
        """
        if len([part for part in query.scope.split("/") if part]) != 3:
            raise ConfigError(f"circleci: {query.scope!r} is no project; write its slug, as in gh/OWNER/NAME")
        reading = _Reading(client, query, checkpoint.memory)
        if not checkpoint.cursor:
            yield from reading.unfinished()
        yield from reading.newest_first(checkpoint.cursor)
        yield Page()


POLLER: Poller = CircleCIPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, memory: Mapping[str, str]) -> None:
        check = (
            f"that {query.scope} is the slug of a project, and connectors.circleci.token: is it valid, has it expired, "
            f"and may it see the project"
        )
        self._api = Api("circleci", client, query.now, check)
        self._query, self._memory = query, memory
        self._oldest = None if query.since is None else query.since - LOOKBACK

    def unfinished(self) -> Iterator[Page]:
        """Yield the pipelines that had not ended when they were read, and that the list is not read down to."""
        for identity, created in self._memory.items():
            created_at = moment(created)
            if created_at is None or self._oldest is None or created_at >= self._oldest:
                continue
            answer = self._api.get(f"/pipeline/{identity}", absent=_GONE)
            if answer.is_success:
                (pipeline,) = self._api.complete(answer, [self._api.read(answer, Item)], "id", "created_at")
                yield self._told(pipeline, "")
            else:
                yield Page(memory={identity: ""})

    def newest_first(self, cursor: str) -> Iterator[Page]:
        """Yield the pipelines of the list."""
        for pipeline, place in by_token(self._list, "id", cursor):
            created_at = moment(pipeline["created_at"])
            if self._oldest is not None and created_at is not None and created_at < self._oldest:
                return
            if self._query.until is None or created_at is None or created_at < self._query.until:
                yield self._told(pipeline, place)

    def _list(self, token: str) -> tuple[list[Item], str | None] | None:
        path = f"/project/{self._query.scope.strip('/')}/pipeline"
        answer = self._api.get(path, _params(token), absent=_STALE if token else ())
        if not answer.is_success:
            return None
        page = self._api.read(answer, _List)
        return self._api.complete(answer, page.items, "id", "created_at"), page.next_page_token

    def _told(self, pipeline: Item, cursor: str) -> Page:
        identity = str(pipeline["id"])
        headers = {PROJECT_HEADER: str(pipeline.get("project_slug") or self._query.scope)}
        workflows = self._everything(f"/pipeline/{identity}/workflow")
        deliveries: list[Delivery] = []
        if workflows:
            told = {"pipeline": pipeline, "items": workflows}
            deliveries.append(self._api.delivery("rest.workflows", told, headers))
        for workflow in workflows:
            if jobs := self._everything(f"/workflow/{workflow['id']}/job"):
                told = {"pipeline": pipeline, "workflow": workflow, "items": jobs}
                deliveries.append(self._api.delivery("rest.jobs", told, headers))
        return Page(deliveries=deliveries, cursor=cursor, memory=self._news(identity, pipeline, workflows))

    def _news(self, identity: str, pipeline: Item, workflows: Sequence[Item]) -> dict[str, str]:
        created_at = moment(pipeline["created_at"])
        waits = any(workflow.get("status") not in _ENDED for workflow in workflows)
        young = created_at is not None and created_at > self._query.now - PATIENCE
        now = created_at.isoformat() if created_at is not None and waits and young else ""
        return {identity: now} if self._memory.get(identity, "") != now else {}

    def _everything(self, path: str) -> list[Item]:
        """Return a whole list; what was added between two of its pages is there once."""

        def ask(token: str) -> tuple[list[Item], str | None]:
            answer = self._api.get(path, _params(token))
            page = self._api.read(answer, _List)
            return self._api.complete(answer, page.items, "id"), page.next_page_token

        return list({str(item["id"]): item for item, _ in by_token(ask, "id", "")}.values())


def _params(token: str) -> dict[str, str]:
    return {"page-token": token} if token else {}
