"""`POST /hooks/{connector}`: a pushed delivery is answered 202 when, and only when, it is durable."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.api.problems import RESPONSES, status_of
from pipeline.api.services import Services
from pipeline.events.delivery import Answer
from pipeline.events.errors import Rejected, Retryable
from pipeline.exporter.instruments import UNKNOWN
from pipeline.ingest.intake import Checked

#: Bodies up to this size are checked on the event loop: handing one to a thread costs more than its signature.
_SMALL = 64 * 1024
#: Bytes of bodies that may be on their way in at once; with all of them at the limit that is a dozen.
_IN_FLIGHT = 64 * 1024 * 1024
#: Who asks in the handshake of CloudEvents: the name of a host, or a pattern of one. It goes into a header of ours.
_ORIGIN = re.compile(r"[A-Za-z0-9*][A-Za-z0-9.*:_-]{0,254}")
_PREFIX = "/hooks/"
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


class Door:
    """Takes in deliveries; an app has one."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._budget = Budget(max(_IN_FLIGHT, services.max_body))

    async def take_in(self, connector: str, request: Request) -> Response:
        """Return the answer to a delivery that is durable; raises what kept it from being so, and counts either."""
        services = self._services
        label = connector if connector in services.connectors else UNKNOWN
        status = 500
        with services.instruments.hook_seconds.time():
            try:
                response = await self._answer(connector, request)
                status = response.status_code
            except ClientDisconnect as error:
                status = 400
                raise HTTPException(400, "the connection ended before the body did") from error
            except Exception as error:
                status = status_of(error)
                raise
            finally:
                services.instruments.delivery(label, status, services.clock())
        services.follower.wake()
        return response

    async def _answer(self, connector: str, request: Request) -> Response:
        services = self._services
        # A stranger's gigabytes are not read to find that there is no such connector.
        _known(services, connector)
        headers = _headers(request)
        greeting = services.intake.greet(connector, "POST", headers)
        if greeting is not None:
            return _told(greeting)
        checked = await _checked(services, self._budget, connector, headers, request)
        await services.intake.store(checked)
        if checked.answer is not None:
            return _told(checked.answer)
        return Response(msgspec.json.encode({"delivery": checked.id}), 202, media_type="application/json")


class ShortWay:
    """Middleware that brings deliveries to the door at once: what an app does for any request costs more than one.

    The route for them is what describes them, and where a delivery arrives without this.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_PREFIX):
            connector: str = scope["path"][len(_PREFIX) :]
            if connector and "/" not in connector:
                response = await self._door.take_in(connector, Request(scope, receive))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def hooks(services: Services, door: Door) -> APIRouter:
    """Return the routes of the door."""
    router = APIRouter(prefix="/hooks", tags=["hooks"], responses=RESPONSES)

    @router.post(
        "/{connector}", status_code=202, response_model=Receipt, summary="Take in a delivery", openapi_extra=_BODY
    )
    async def post_delivery(connector: _Connector, request: Request) -> Response:
        return await door.take_in(connector, request)

    @router.head("/{connector}", summary="Answer a source that asks whether somebody is here", response_class=Response)
    async def greet(connector: _Connector, request: Request) -> Response:
        _known(services, connector)
        answer = services.intake.greet(connector, "HEAD", _headers(request))
        if answer is None:
            raise HTTPException(405, f"{connector} does not ask: POST is taken", {"Allow": "OPTIONS, POST"})
        return _told(answer)

    @router.options("/{connector}", status_code=204, summary="Answer the handshake of CloudEvents webhooks")
    async def allow_origin(connector: _Connector, request: Request) -> Response:
        _known(services, connector)
        origin = request.headers.get("webhook-request-origin", "")
        granted = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if _ORIGIN.fullmatch(origin) else {}
        return Response(status_code=204, headers={"Allow": "OPTIONS, POST", **granted})

    return router


def _told(answer: Answer) -> Response:
    return Response(answer.body, 200, dict(answer.headers), answer.media_type)


async def _checked(
    services: Services, budget: Budget, connector: str, headers: Mapping[str, str], request: Request
) -> Checked:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise HTTPException(
            415, f"Content-Encoding {encoding}: send the body as it was signed", {"Accept-Encoding": "identity"}
        )
    with budget.lease() as take:
        body = await _body(request, services, headers.get("content-length", ""), take)
        if len(body) <= _SMALL:
            return services.intake.check(connector, headers, body)
        return await asyncio.to_thread(services.intake.check, connector, headers, body)


def _headers(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; of one that is repeated the first counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(request.scope["headers"])}


async def _body(request: Request, services: Services, declared: str, take: Callable[[int], None]) -> bytes:
    """Read the body, and stop as soon as it is too large or too slow."""
    limit = services.max_body
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
