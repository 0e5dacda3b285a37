"""The door: is a pushed message from our Bitbucket, and what is it called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.events import proofs
from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_object

_UNKNOWN = "unknown"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body in `X-Hub-Signature`. Several may be valid."""
    proofs.check_hub_signature("bitbucket_server", headers, body, secrets)


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (event key, `X-Request-Id`): the key of the header, else of the body; else a hash of the body as id."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    kind = sent.get("x-event-key")
    if not kind:
        try:
            kind = parse_object(body).text_or_none("eventKey")
        except Quarantined:
            kind = None
    return kind or _UNKNOWN, sent.get("x-request-id") or proofs.body_id(body)
