"""Pages and revalidation: a cursor says what came last, an ETag from which commit the answer is."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.events.times import to_us

_T = TypeVar("_T")


def encode_cursor(last: Any) -> str:
    """Return the opaque cursor after what `last` (JSON) identifies."""
    return base64.urlsafe_b64encode(msgspec.json.encode(last)).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type[_T]) -> _T:
    """Return what the cursor was made of. Answers 422 for one that `encode_cursor` did not make."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise HTTPException(422, "cursor: not one of this query; pass `next` of the page before, unchanged") from error


def etag_of(position: int, sequence: int, as_of: datetime | None = None) -> str:
    """Return the ETag of what was read at a place of the log: offset of the last event folded, number of the commit."""
    moment = "" if as_of is None else f"-{to_us(as_of)}"
    return f'W/"{position}-{sequence}{moment}"'


def fresh(request: Request, response: Response, etag: str) -> bool:
    """Give the answer its ETag, and return whether the asker has it already (then answer `not_modified`)."""
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    return "*" in known or etag in known


def not_modified(response: Response) -> Response:
    """Return 304 with the headers that `fresh` set."""
    return Response(status_code=304, headers=dict(response.headers))
