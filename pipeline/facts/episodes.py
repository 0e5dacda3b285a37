"""Episodes: times during which something was asked for, of requests that can be withdrawn and made again."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

import msgspec

WITHDRAWN, ASKED = 0, 1


class Requests(msgspec.Struct, array_like=True):
    """What was told of one request: (time, 0 withdrawn or 1 asked, event id), sorted, each once."""

    events: list[tuple[int, int, str]] = []
    #: The ids of the waits that it last had.
    waits: list[str] = []

    def add(self, at: int, rank: int, event: str) -> None:
        """Take in that it was asked or withdrawn."""
        if (at, rank, event) not in self.events:
            insort(self.events, (at, rank, event))

    def episodes(self) -> Iterator[tuple[int, int | None]]:
        """Yield [from, to) of each episode, in order; to None: not withdrawn."""
        since: int | None = None
        for at, rank, _ in self.events:
            if rank == ASKED and since is None:
                since = at
            elif rank == WITHDRAWN and since is not None:
                yield since, at
                since = None
        if since is not None:
            yield since, None
