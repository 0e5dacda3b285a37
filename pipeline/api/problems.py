"""Errors on the wire: RFC 9457 `application/problem+json`, whatever went wrong, and never what is inside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from pipeline.events.errors import LeadlineError, Rejected, Retryable

MEDIA_TYPE = "application/problem+json"
_LATER = "it cannot be done at the moment; send it again"


class Problem(BaseModel):
    """RFC 9457. `title` names the status, `detail` the place, the value and the fix; `request_id` is in the log too.

    `errors` tells what is wrong with each parameter: its `field`, and a `message`.
    """

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[dict[str, str]] | None = None


#: How the schema of the API declares errors; it also keeps FastAPI from declaring its own shape.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem, RFC 9457",
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
}


def problem(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Return the answer that tells of a problem; `members` extend it."""
    content = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=getattr(request.state, "request_id", None),
        **members,
    )
    return JSONResponse(content.model_dump(mode="json", exclude_none=True), status, headers, media_type=MEDIA_TYPE)


def status_of(error: Exception) -> int:
    """Return the status with which an error is answered."""
    if isinstance(error, Rejected):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    return 503 if isinstance(error, Retryable) else 500


def answer(request: Request, error: Exception) -> Response:
    """Return the answer to an error of any kind. One that is ours to repair is logged and not explained."""
    status = status_of(error)
    if isinstance(error, Rejected):
        # RFC 9110 wants a challenge with every 401, though what a hook needs is configured at its sender.
        # Amazon SNS shows the password of its URL only to who asks for one.
        headers = {"WWW-Authenticate": 'Signature realm="hooks", Basic realm="hooks"'} if status == 401 else None
        return problem(request, status, str(error), headers)
    if isinstance(error, HTTPException):
        return problem(request, status, error.detail, error.headers)
    if isinstance(error, Retryable):
        structlog.get_logger("leadline.http").warning("answered 503", error=str(error))
        return problem(request, status, _LATER, {"Retry-After": str(math.ceil(error.after or 1.0))})
    structlog.get_logger("leadline.http").error("answered 500", kind=type(error).__name__, exc_info=error)
    return problem(request, status, "something is wrong here; the log tells more under this request id")


def _invalid(request: Request, error: RequestValidationError) -> Response:
    found = [
        {"field": ".".join(str(part) for part in each["loc"][1:]), "message": each["msg"]} for each in error.errors()
    ]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in found)
    return problem(request, 422, detail, errors=found)


def handle_errors(app: FastAPI) -> None:
    """Answer every error of `app` with a problem; those that nobody expected are caught by `middleware.Shell`."""

    async def expected(request: Request, error: Exception) -> Response:
        return answer(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return _invalid(request, error)

    app.add_exception_handler(HTTPException, expected)
    app.add_exception_handler(LeadlineError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
