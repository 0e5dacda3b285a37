"""What some tools ask before they send anything: can the address repeat a text, so that it is whose it claims."""

from __future__ import annotations

from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_object

#: What such a message is called where it is left out.
CHALLENGE = "challenge"
_TYPE = "url_verification"
_LONGEST_BODY, _LONGEST = 4_096, 512


def challenge_in(body: bytes) -> str | None:
    """Return the text to be repeated; None for any other body.

    The question is `{"type": "url_verification", "challenge": "..."}`, as Slack and those that follow it ask, or
    `{"challenge": "..."}` and nothing else.
    """
    if len(body) > _LONGEST_BODY or CHALLENGE.encode() not in body:
        return None
    try:
        root = parse_object(body)
        challenge, kind = root.text_or_none(CHALLENGE), root.text_or_none("type")
    except Quarantined:
        return None
    asked = kind == _TYPE or (isinstance(root.value, dict) and root.value.keys() == {CHALLENGE})
    return challenge if asked and challenge is not None and len(challenge) <= _LONGEST else None
