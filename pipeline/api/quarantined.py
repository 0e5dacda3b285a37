"""`/api/v1/quarantine`: which deliveries could not become events, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from pipeline.api.paging import decode_cursor, encode_cursor
from pipeline.api.problems import RESPONSES
from pipeline.api.services import Services
from pipeline.ingest.quarantine import Entry

_Limit = Annotated[int, Query(ge=1, le=1_000)]
_State = Literal["open", "resolved", "dropped"]


class Count(BaseModel):
    """Open deliveries of a connector with one reason."""

    connector: str
    reason: str
    count: int


class Quarantined(BaseModel):
    """A delivery, by its offset in the log. `recorded`: when it came to its state; `note`: why a person dropped it."""

    delivery: int
    connector: str
    kind: str
    reason: str
    detail: str
    state: str
    recorded: datetime
    note: str


class QuarantinePage(BaseModel):
    """Deliveries by their offset, and the counts of all that are open. `next` is the cursor of the next page."""

    counts: list[Count]
    items: list[Quarantined]
    next: str | None


def quarantined(services: Services) -> APIRouter:
    """Return the route of the quarantine."""
    router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"], responses=RESPONSES)

    # Not async: it waits for the log.
    @router.get("", summary="Deliveries that could not become events")
    def list_quarantine(
        state: _State = "open",
        connector: str | None = None,
        reason: str | None = None,
        cursor: str | None = None,
        limit: _Limit = 100,
    ) -> QuarantinePage:
        after = 0 if cursor is None else decode_cursor(cursor, int)
        entries = services.quarantine.entries(state, connector, reason)
        chosen = [entry for entry in entries if entry.failure.delivery > after]
        items = [_told(entry) for entry in chosen[:limit]]
        return QuarantinePage(
            counts=[
                Count(connector=name, reason=why, count=count)
                for (name, why), count in sorted(services.quarantine.counts().items())
            ],
            items=items,
            next=encode_cursor(items[-1].delivery) if len(chosen) > limit else None,
        )

    return router


def _told(entry: Entry) -> Quarantined:
    failure = entry.failure
    return Quarantined(
        delivery=failure.delivery,
        connector=failure.connector,
        kind=failure.kind,
        reason=failure.reason,
        detail=failure.detail,
        state=entry.state,
        recorded=entry.recorded,
        note=entry.note,
    )
