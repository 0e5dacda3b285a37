"""`/healthz`: the process runs. `/readyz`: what it publishes can be relied upon."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from pipeline.api.problems import RESPONSES, problem
from pipeline.api.services import Services
from pipeline.events.errors import LeadlineError
from pipeline.exporter.model import LogFigures

#: Seconds after which work without a sign of life counts as stuck, and those that the log has to answer in.
_STUCK_AFTER = 120.0
_LOG_SECONDS = 5.0


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"
    version: str


class Readiness(BaseModel):
    """How far it is. Lags are offsets still to be done; `position` is the offset of the last event in the numbers."""

    status: str = "ready"
    position: int
    untranslated: int | None
    unfolded: int | None
    as_of: datetime | None
    last_success: datetime | None


def health(services: Services) -> APIRouter:
    """Return the routes of health."""
    router = APIRouter(tags=["health"], responses=RESPONSES)

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Health:
        return Health(version=services.version)

    @router.get("/readyz", summary="Can its numbers be relied upon?", response_model=Readiness)
    async def readyz(request: Request) -> Readiness | Response:
        status = services.follower.status()
        reasons = status.problems(_STUCK_AFTER)
        figures = await _figures(services, reasons)
        model = services.follower.model
        position = 0 if model is None else model.position
        told = Readiness(
            position=position,
            untranslated=None if figures is None else figures.untranslated,
            unfolded=None if figures is None else figures.unfolded(position),
            as_of=None if model is None else model.as_of,
            last_success=status.last_success,
        )
        if not reasons:
            return told
        members = told.model_dump(exclude={"status"}, exclude_none=True)
        return problem(request, 503, "; ".join(reasons), {"Retry-After": "5"}, reasons=reasons, **members)

    return router


async def _figures(services: Services, reasons: list[str]) -> LogFigures | None:
    """Ask the log how far it reaches; add to `reasons` if it does not say."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(services.figures), _LOG_SECONDS)
    except TimeoutError:
        reasons.append(f"the log has not answered within {_LOG_SECONDS:g} seconds")
    except LeadlineError as error:
        reasons.append(f"the log cannot be read: {type(error).__name__}")
    return None
