"""`POST /hooks/{connector}`: a pushed delivery is answered 202 when, and only when, it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from pipeline.api.problems import RESPONSES, status_of
from pipeline.api.services import Services
from pipeline.events.errors import Rejected, Retryable
from pipeline.exporter.instruments import UNKNOWN
from pipeline.ingest.intake import Accepted

#: Bodies up to this size are checked on the event loop: handing one to a thread costs more than its signature.
_SMALL = 64 * 1024
#: Bytes of bodies that may be on their way in at once; with all of them at the limit that is a dozen.
_IN_FLIGHT = 64 * 1024 * 1024
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "What the source sends, byte for byte; the signature is checked over it.",
        "content": {"application/json": {"schema": {}}},
    }
}
_Connector = Annotated[str, Path(description="The name of a connector, such as github.")]


class Receipt(BaseModel):
    """The delivery is stored. `delivery` is its id; a redelivery has the same one and is stored once."""

    delivery: str


class Budget:
    """Bounds the memory of bodies that are being read. Only used on the event loop, so it needs no lock."""

    def __init__(self, limit: int) -> None:
        self.free = limit

    @contextmanager
    def lease(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that sets bytes aside until the block ends; it raises `Retryable` when too few are left."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self.free:
                raise Retryable("too many bodies are being read", after=1.0)
            self.free -= size
            taken += size

        try:
            yield take
        finally:
            self.free += taken


def hooks(services: Services) -> APIRouter:
    """Return the routes of the door."""
    router = APIRouter(prefix="/hooks", tags=["hooks"], responses=RESPONSES)
    budget = Budget(max(_IN_FLIGHT, services.max_body))

    @router.post("/{connector}", status_code=202, summary="Take in a delivery", openapi_extra=_BODY)
    async def post_delivery(connector: _Connector, request: Request) -> Receipt:
        label = connector if connector in services.connectors else UNKNOWN
        status = 500
        with services.instruments.hook_seconds.time():
            try:
                accepted = await _accepted(services, budget, connector, request)
                await asyncio.wrap_future(accepted.durable)
                status = 202
            except ClientDisconnect as error:
                status = 400
                raise HTTPException(400, "the connection ended before the body did") from error
            except Exception as error:
                status = status_of(error)
                raise
            finally:
                services.instruments.delivery(label, status, services.clock())
        services.follower.wake()
        return Receipt(delivery=accepted.id)

    @router.options("/{connector}", status_code=204, summary="Answer the handshake of CloudEvents webhooks")
    async def allow_origin(connector: _Connector, request: Request) -> Response:
        _known(services, connector)
        origin = request.headers.get("webhook-request-origin")
        granted = {} if origin is None else {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
        return Response(status_code=204, headers={"Allow": "OPTIONS, POST", **granted})

    return router


async def _accepted(services: Services, budget: Budget, connector: str, request: Request) -> Accepted:
    # A stranger's gigabytes are not read to find that there is no such connector.
    _known(services, connector)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise HTTPException(
            415, f"Content-Encoding {encoding}: send the body as it was signed", {"Accept-Encoding": "identity"}
        )
    with budget.lease() as take:
        body = await _body(request, services, take)
        headers = dict(request.headers)
        if len(body) <= _SMALL:
            return services.intake.submit(connector, headers, body)
        return await asyncio.to_thread(services.intake.submit, connector, headers, body)


async def _body(request: Request, services: Services, take: Callable[[int], None]) -> bytes:
    """Read the body, and stop as soon as it is too large or too slow."""
    limit = services.max_body
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise Rejected(413, f"body of {declared} bytes; the limit is {limit}")
    chunks, size = [], 0
    try:
        async with asyncio.timeout(services.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise Rejected(413, f"body of more than {limit} bytes, which is the limit")
                take(len(chunk))
                chunks.append(chunk)
    except TimeoutError as error:
        raise HTTPException(408, f"the body did not arrive within {services.body_seconds:g} seconds") from error
    return b"".join(chunks)


def _known(services: Services, connector: str) -> None:
    if connector not in services.connectors:
        raise Rejected(404, f"no connector {connector!r}; there are: {', '.join(sorted(services.connectors))}")
