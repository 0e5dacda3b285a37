"""`/api/v1/facts`: the evidence under the numbers, fact by fact."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.api.paging import decode_cursor, encode_cursor, etag_of, fresh, not_modified
from pipeline.api.problems import RESPONSES
from pipeline.api.services import Services
from pipeline.events.times import from_us
from pipeline.facts.rows import FACTS, Fact

_Kind = Annotated[str, Path(json_schema_extra={"enum": list(FACTS)})]
_Limit = Annotated[int, Query(ge=1, le=1_000)]
_Json = dict[str, Any]


class FactPage(BaseModel):
    """Facts in the order of their ids, as `docs/definitions.md` describes them. Spans are seconds, null is not known.

    `position` is the offset of the last event in them. `next` is the cursor of the next page, None on the last.
    """

    position: int
    items: list[_Json]
    next: str | None


def facts(services: Services) -> APIRouter:
    """Return the routes of the facts."""
    router = APIRouter(prefix="/api/v1/facts", tags=["facts"], responses=RESPONSES)

    # These are not async: they wait for the database.
    @router.get("/{kind}", summary="Facts of a kind", response_model=FactPage)
    def list_facts(
        request: Request, response: Response, kind: _Kind, cursor: str | None = None, limit: _Limit = 100
    ) -> FactPage | Response:
        _check(kind)
        found = services.reader.facts(kind, "" if cursor is None else decode_cursor(cursor, str), limit + 1)
        if fresh(request, response, etag_of(found.position, found.sequence)):
            return not_modified(response)
        items = [_told(fact) for fact in found.facts[:limit]]
        more = len(found.facts) > limit
        return FactPage(position=found.position, items=items, next=encode_cursor(items[-1]["id"]) if more else None)

    @router.get("/{kind}/{identity:path}", summary="One fact", response_model=_Json)
    def get_fact(
        request: Request,
        response: Response,
        kind: _Kind,
        identity: Annotated[str, Path(description="The id, percent-encoded: acme/shop%237.")],
    ) -> _Json | Response:
        _check(kind)
        found = services.reader.fact(kind, identity)
        if not found.facts:
            raise HTTPException(404, f"no {kind} {identity!r}; a # in an id has to be written as %23")
        if fresh(request, response, etag_of(found.position, found.sequence)):
            return not_modified(response)
        return _told(found.facts[0])

    return router


def _check(kind: str) -> None:
    if kind not in FACTS:
        raise HTTPException(404, f"no facts of kind {kind!r}; there are: {', '.join(FACTS)}")


def _told(fact: Fact) -> _Json:
    """Return a fact as JSON; instants, which are microseconds in the fold, become RFC 3339."""
    told: _Json = msgspec.to_builtins(msgspec.structs.asdict(fact))
    return {
        name: from_us(value) if name.endswith(("_at", "_since")) and value is not None else value
        for name, value in told.items()
    }
