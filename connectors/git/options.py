"""How repositories and recorded histories are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.git.translate import REPO_HEADER
from pipeline.events.ids import event_id


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How repositories are read.

    `repo`: its name, if the remote's is not wanted. `exclude`: revisions whose history was ingested before; what can be
    reached from them is not read again. `paths`: tell the changed paths of each commit (slower; needed where a
    repository holds several services). `rule`: settings of `releases` that hold for the tags of this reading; they
    travel with the deliveries.
    """

    actor_key: bytes
    received_at: datetime
    repo: str | None = None
    exclude: Sequence[str] = ()
    paths: bool = False
    rule: Mapping[str, str] = {}

    def tag_headers(self, repo: str) -> dict[str, str]:
        """Return the headers of a tag's delivery."""
        return {REPO_HEADER: repo, **self.rule}

    def tag_id(self, repo: str, tag: str, target: str) -> str:
        """Return the delivery id of a tag; another rule makes it another delivery, so that the rule is heeded."""
        return f"{repo}:{tag}@{target}" + (f"+{event_id(*sorted(self.rule.items()))[:8]}" if self.rule else "")
