"""What a snapshot is taken of: the committed state of the fold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.facts.state import Backend


class Source(Backend, Protocol):
    """A store of the engine, as a snapshot reads it."""

    def mark(self, name: str) -> str | None:
        """Return what was committed with the state: `cursor`, `as_of` (microseconds) and `contract` (fingerprint)."""
        ...

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield (id, bytes) of the facts of a kind that commits after `sequence` changed; None: retracted."""
        ...

    def sequence(self) -> int:
        """Return the number of the last commit (0: none yet)."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold one view of the store: all that is read within it is as of one commit."""
        ...
