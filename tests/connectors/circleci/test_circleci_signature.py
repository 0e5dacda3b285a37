from __future__ import annotations

import pytest

from connectors.circleci import CONNECTOR
from pipeline.events.errors import Rejected

# The examples of CircleCI's documentation: body, secret, signature.
VECTORS = [
    (b"hello world", b"secret", "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"),
    (b"lalala", b"another-secret", "daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00"),
    (b"an-important-request-payload", b"hunter123", "9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa"),
]
each_vector = pytest.mark.parametrize(("body", "secret", "signature"), VECTORS)


@each_vector
def test_documented_signatures_are_accepted(body: bytes, secret: bytes, signature: str) -> None:
    CONNECTOR.verify({"circleci-signature": f"v1={signature}"}, body, [b"old", secret])
    CONNECTOR.verify({"Circleci-Signature": f"v1={signature},v2=abc"}, body, [secret])


@each_vector
def test_another_body_secret_or_version_is_refused(body: bytes, secret: bytes, signature: str) -> None:
    for headers, message, known in (
        ({"circleci-signature": f"v1={signature}"}, body + b" ", secret),
        ({"circleci-signature": f"v1={signature}"}, body, secret + b"x"),
        ({"circleci-signature": f"v2={signature}"}, body, secret),
        ({"circleci-signature": signature}, body, secret),
        ({"circleci-signature": ""}, body, secret),
    ):
        with pytest.raises(Rejected):
            CONNECTOR.verify(headers, message, [known])


def test_a_token_does_not_mend_a_wrong_signature() -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({"circleci-signature": "v1=00", "x-leadline-token": "secret"}, b"{}", [b"secret"])


def test_a_retry_has_the_id_of_the_event() -> None:
    body = b'{"type": "job-completed", "id": "8bd71c28-4969-3677-8940-3e3a61c46f5d"}'
    assert CONNECTOR.describe({}, body) == ("job-completed", "8bd71c28-4969-3677-8940-3e3a61c46f5d")
    kind, identity = CONNECTOR.describe({"Circleci-Event-Type": "job-completed"}, b"{")
    assert kind == "job-completed"
    assert identity
