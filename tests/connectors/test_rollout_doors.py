"""Connectors of rollouts, samples and alerts whose senders sign nothing."""

import pytest

from pipeline.events.errors import Rejected
from tests.connectors.casebook import connector


@pytest.mark.parametrize("name", ["cloudwatch", "gcpmonitoring", "samples", "unleash"])
def test_the_secret_may_be_shown_and_another_is_refused(name: str) -> None:
    shown = [
        {"X-Leadline-Token": "s3cret"},
        {"Authorization": "Bearer s3cret"},
        {"Authorization": "Basic bGVhZGxpbmU6czNjcmV0"},
    ]
    for headers in shown:
        connector(name).verify(headers, b"{}", [b"new", b"s3cret"])
        with pytest.raises(Rejected) as caught:
            connector(name).verify(headers, b"{}", [b"another"])
        assert caught.value.status == 401
