"""What every answer has: a request id, headers that a browser obeys, and a problem after an unexpected error."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from pipeline.api.problems import answer

REQUEST_ID = "x-request-id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Shell:
    """The outermost middleware. A sender's own `X-Request-ID` is kept if it is a plain word of up to 64 characters.

    Otherwise an id is what `new_id` returned once, and a number: randomness for each would be a system call for each.
    """

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self._app, self._run, self._numbers = app, new_id(), count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ID.fullmatch(given) else f"{self._run}-{next(self._numbers):x}"
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, dressed)
            except Exception as error:
                if started:
                    raise
                await answer(Request(scope), error)(scope, receive, dressed)
