from __future__ import annotations

import pytest

from connectors.trello import CONNECTOR, split_secret
from pipeline.events.errors import Rejected

URL = b"https://example.com/hooks/trello"
SECRET = b"secret@" + URL
BODY = b'{"hello":"world"}'
#: Computed with `openssl dgst -sha1 -hmac secret -binary | base64` over body and URL.
SIGNATURE = "tEVnNYzIvHdHJ+2ZivmmkblwUkI="


def refused(headers: dict[str, str], body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,)) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


@pytest.mark.parametrize("header", ["X-Trello-Webhook", "x-trello-webhook"])
@pytest.mark.parametrize("secrets", [[SECRET], [b"new@" + URL, SECRET], [SECRET, b"unusable"], [b"", SECRET]])
def test_one_of_the_secrets_vouches(header: str, secrets: list[bytes]) -> None:
    CONNECTOR.verify({header: SIGNATURE}, BODY, secrets)


def test_the_address_is_part_of_what_is_signed() -> None:
    assert "does not match" in refused({"X-Trello-Webhook": SIGNATURE}, secrets=(SECRET + b"/",))
    assert "has no callback URL" in refused({"X-Trello-Webhook": SIGNATURE}, secrets=(b"secret",))


def test_what_is_not_signed_by_us_is_refused() -> None:
    assert "does not match" in refused({})
    assert "does not match" in refused({"X-Trello-Webhook": SIGNATURE}, BODY + b" ")
    assert "does not match" in refused({"X-Trello-Webhook": SIGNATURE}, secrets=(b"other@" + URL,))
    assert "does not match" in refused({"X-Trello-Webhook": SIGNATURE.rstrip("=")})
    assert "no secret" in refused({"X-Trello-Webhook": SIGNATURE}, secrets=(b"",))


def test_a_secret_is_split_where_the_address_begins() -> None:
    assert split_secret(b"a@b@https://h/x?y=a@https://z") == (b"a@b", b"https://h/x?y=a@https://z")
    assert split_secret(b"k@http://localhost:8080/hooks/trello") == (b"k", b"http://localhost:8080/hooks/trello")
    assert split_secret(b"@https://h/") is None
    assert split_secret(b"no-address") is None


def test_a_message_is_known_by_its_action_and_by_what_is_watched() -> None:
    body = b'{"action": {"id": "a1", "type": "updateCard"}, "model": {"id": "m1"}}'
    assert CONNECTOR.describe({}, body) == ("updateCard", "a1/m1")
    assert CONNECTOR.describe({}, b'{"action": {"id": "a1", "type": "updateCard"}}') == ("updateCard", "a1")
    kind, identity = CONNECTOR.describe({}, b"[]")
    assert (kind, len(identity)) == ("unknown", 32)
