"""What must hold of a connector whatever it is sent; nothing here fails but by an assertion or a foreign exception."""

from __future__ import annotations

import msgspec

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Challenged, Dated, Delivery, Greeting, Translation
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import REASONS
from tests.connectors.casebook import Case, connector, translate

_SECRETS = (b"k9-nobody-guesses", b"whsec_azktbm9ib2R5", b"k9@https://leadline.example/hooks/x")


def check(case: Case, body: bytes) -> str:
    """Send a body as that of a case through all of its connector; return in a word what became of it.

    Nothing but `Quarantined` comes out of a translation, and nothing but `Rejected` out of the door. What is translated
    is so twice alike, and survives its encoding; a quarantine has a reason of the closed set, and tells the place.
    """
    _door(case, body)
    delivery = msgspec.structs.replace(case.delivery, body=body)
    try:
        told = translate(case.connector, delivery, case.context)
    except Quarantined as error:
        reason, detail = error.reason, error.detail
    else:
        _translated(case, delivery, told)
        return _outcome(told)
    assert reason in REASONS, f"{reason!r} is no reason"
    assert detail, f"{reason} without a detail"
    return reason


def _translated(case: Case, delivery: Delivery, told: Translation) -> None:
    again = translate(case.connector, delivery, case.context)
    events = [encode(event) for event in told.events]
    assert [encode(event) for event in again.events] == events, "translated twice, it is not the same"
    assert [decode(raw) for raw in events] == list(told.events), "an event does not survive its encoding"
    assert again.observations == told.observations, "observed twice, it is not the same"
    assert again.ignored == told.ignored


def _outcome(told: Translation) -> str:
    if told.ignored is not None:
        return "ignored"
    return "translated" if told.events or told.observations else "nothing"


def _door(case: Case, body: bytes) -> None:
    found, headers = connector(case.connector), case.delivery.headers
    try:
        found.verify(headers, body, _SECRETS)
    except Rejected:
        pass
    else:
        raise AssertionError("a message that nobody signed is let in")
    try:
        described = found.describe(headers, body)
    except Rejected:
        described = ("refused", "refused")
    assert all(described), "kind and id must not be empty"
    if isinstance(found, Dated):
        try:
            signed = found.signed_at(headers, body)
        except Rejected:
            signed = None
        assert signed is None or signed.utcoffset() is not None
    if isinstance(found, Greeting):
        assert found.greet("GET", headers) is None
    if isinstance(found, Challenged):
        answer = found.respond(headers, body)
        assert answer is None or len(answer.body) < 8_192
