"""`make bench`: one line a benchmark, `name figure goal ok|short`; exits 1 if one falls short.

Every figure is a ratio against a baseline measured in the same run, so that it means the same on any machine.
`LEADLINE_BENCH_EVENTS` (default 1000000) scales the history for a quick look; the goals are those of the default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from tests.benchmarks import replay
from tests.benchmarks.report import Line


def main() -> int:
    """Run all benchmarks; returns the exit code."""
    events = int(os.environ.get("LEADLINE_BENCH_EVENTS", "1000000"))
    return report(replay.run(events))


def report(lines: Iterable[Line]) -> int:
    """Print lines as they come; returns 1 if one fell short."""
    short = 0
    for line in lines:
        print(line.text(), flush=True)
        short += not line.ok()
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
