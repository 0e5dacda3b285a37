from __future__ import annotations

import pytest

from connectors.tapd import CONNECTOR
from pipeline.events.errors import Rejected


def test_the_secret_may_be_in_the_body_or_shown() -> None:
    CONNECTOR.verify({}, b'{"event": "story::update", "secret": "s3cret"}', [b"old", b"s3cret"])
    CONNECTOR.verify({"Authorization": "Basic bGVhZGxpbmU6czNjcmV0"}, b'{"secret": ""}', [b"s3cret"])


@pytest.mark.parametrize("body", [b'{"secret": "guess"}', b'{"secret": ["s3cret"]}', b"{", b"{}"])
def test_another_or_none_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({}, body, [b"s3cret"])


def test_a_token_does_not_mend_a_wrong_secret() -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({"X-Leadline-Token": "s3cret"}, b'{"secret": "guess"}', [b"s3cret"])


def test_a_secret_in_the_body_needs_one_of_ours() -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({}, b'{"secret": "anything"}', [b""])
