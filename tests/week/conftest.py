"""The recorded week, replayed once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.week.replayed import Week, moment, replayed

NOON_OF_WEDNESDAY = moment(4, "12:00:01")


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """The week as it was on Friday evening, and what was seen on the way."""
    found = replayed(tmp_path_factory.mktemp("week"), (NOON_OF_WEDNESDAY,))
    yield found
    found.replay.close()
