"""Segment: calls that a webhook destination forwards, one or many in a request."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from pipeline.events import calls, proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-signature"
#: Types of calls beside the spec: requests to forget a person are for those who hold raw events elsewhere.
IGNORED = ("delete",)


class Segment:
    """The connector; see README.md."""

    name = "segment"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return calls.read_calls(delivery, context, IGNORED)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Signature`, the hexadecimal HMAC-SHA1 of the body under the shared secret; raises `Rejected` (401).

        Of a request with many calls Segment signs the first alone, which vouches for none of the others. So such a
        request has to show the secret itself, in a header of its own that the destination is told to send.
        """
        sent = proofs.lowered(headers)
        if proofs.TOKEN_HEADER in sent or "authorization" in sent:
            proofs.check_token(self.name, headers, secrets)
            return
        known = [hmac.new(secret, body, "sha1").hexdigest().encode() for secret in proofs.usable(self.name, secrets)]
        proofs.check_signatures("X-Signature", [sent.get(SIGNATURE, "").lower()], known)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002 - the protocol's
        """Return (type of the call or `batch`, a hash of the body)."""
        return calls.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Segment()
