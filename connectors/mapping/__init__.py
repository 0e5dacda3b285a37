"""Mapping: the JSON of any in-house tool, by expressions that a YAML file gives for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from connectors.mapping.challenge import challenge_in
from connectors.mapping.translate import BODY, translate
from pipeline.events import proofs
from pipeline.events.delivery import Answer, Connector, Context, Delivery, Translation

KIND_HEADER = "x-leadline-kind"


class MappingConnector:
    """The connector; see README.md."""

    name = "mapping"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless the sender shows a secret; see `pipeline.events.proofs.check_token`."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (`X-Leadline-Kind`, or `body` where the body itself tells its kind; a hash of the body)."""
        return proofs.lowered(headers).get(KIND_HEADER, "").strip() or BODY, proofs.body_id(body)

    def respond(self, headers: Mapping[str, str], body: bytes) -> Answer | None:  # noqa: ARG002
        """Repeat the challenge with which some tools ask whether an address is ours; see `challenge.py`."""
        challenge = challenge_in(body)
        if challenge is None:
            return None
        return Answer(body=msgspec.json.encode({"challenge": challenge}), media_type="application/json")


CONNECTOR: Connector = MappingConnector()
