"""`make bench`: one line a benchmark, `name figure goal ok|short`; exits 1 if one falls short.

Every figure is a ratio against a baseline measured in the same run, so that it means the same on any machine.
`python -m tests.benchmarks intake` runs only the benchmarks that are named. `LEADLINE_BENCH_EVENTS` (default 1000000)
scales the history for a quick look; the goals are those of the default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from tests.benchmarks import coordination, explain, exporter, intake, replay
from tests.benchmarks.report import Line

_EVENTS = int(os.environ.get("LEADLINE_BENCH_EVENTS", "1000000"))

BENCHMARKS: Mapping[str, Callable[[], Iterator[Line]]] = {
    "intake": intake.run,
    "replay": lambda: replay.run(_EVENTS),
    "coordination": lambda: coordination.run(_EVENTS),
    "explain": lambda: explain.run(_EVENTS),
    "exporter": exporter.run,
}


def main(names: Sequence[str]) -> int:
    """Run the benchmarks that are named, all if none is; returns the exit code."""
    unknown = sorted({*names} - {*BENCHMARKS})
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    return report(chain.from_iterable(BENCHMARKS[name]() for name in names or BENCHMARKS))


def report(lines: Iterable[Line]) -> int:
    """Print lines as they come; returns 1 if one fell short."""
    short = 0
    for line in lines:
        print(line.text(), flush=True)
        short += not line.ok()
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
