"""Connector `git`: commits and tags of any git repository, or of a recorded history. Pulled, never pushed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from connectors.git.translate import TagBody, translate
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Rejected


class GitConnector:
    """Implements `pipeline.events.delivery.Connector`. `connectors.git.read` makes the deliveries."""

    name = "git"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        """See `connectors.git.translate.translate`."""
        return translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Refuse every push: a repository is read, it does not call."""
        raise Rejected(404, "the git connector takes no pushed deliveries; use `leadline ingest git PATH`")

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`commit` or `tag`, hash of the body); what is no tag counts as a commit, readable or not."""
        try:
            msgspec.json.decode(body, type=TagBody)
            kind = "tag"
        except (ValueError, RecursionError):
            kind = "commit"
        return kind, hashlib.blake2b(body, digest_size=16).hexdigest()


CONNECTOR = GitConnector()
