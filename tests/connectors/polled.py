"""Polling of recorded sources, one query at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.polling import Access, Checkpoint, Page, Query
from tests.connectors.recorded import Recorded, Recording
from tests.ingest.sources import NOW, Source, _Handler


def show_in(source: Source, header: str) -> None:
    """Have a source take what is in `header` for the Authorization of a request."""

    class Handler(_Handler):
        def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
            self.headers["authorization"] = self.headers.get(header, "")
            super().do_GET()

    source.RequestHandlerClass = Handler


def read(
    what: Recorded,
    source: Recording,
    scope: str | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    checkpoint: Checkpoint = Checkpoint(),  # noqa: B008 - it is frozen
    now: datetime = NOW,
) -> list[Page]:
    """Return the pages that a query gives."""
    query = Query(scope=what.scope if scope is None else scope, now=now, since=since, until=until)
    with what.poller.client(Access(url=source.url + what.url, token=what.token)) as client:
        return list(what.poller.pages(client, query, checkpoint))


def bodies(pages: list[Page]) -> list[Any]:
    """Return what the deliveries of some pages say."""
    return [json.loads(delivery.body) for page in pages for delivery in page.deliveries]


def memory(pages: list[Page]) -> dict[str, str]:
    """Return what is remembered after some pages."""
    return {name: value for page in pages for name, value in page.memory.items()}


def events(what: Recorded, pages: list[Page], settings: Mapping[str, str] | None = None) -> list[Event]:
    """Return the events of some pages."""
    context = what.context() if settings is None else Context(actor_key=b"key", settings=settings)
    return [
        event
        for page in pages
        for delivery in page.deliveries
        for event in what.connector.translate(delivery, context).events
    ]
