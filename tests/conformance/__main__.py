"""`make conformance`: everything that is checked against real data that nobody here made.

The data is found through `LEADLINE_REAL_DATA`. Prints a table; exits 1 if a check failed. Without data it says so
loudly and exits 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tests.conformance

#: What was checked, how many items, how many of them failed, and a note.
Row = tuple[str, int, int, str]


def checks() -> list[Callable[[Path], list[Row]]]:
    """Return the `check` of every module in this folder that has one, by name."""
    names = sorted(module.name for module in iter_modules(tests.conformance.__path__) if module.name != "__main__")
    modules = [import_module(f"tests.conformance.{name}") for name in names]
    return [module.check for module in modules if hasattr(module, "check")]


def main() -> int:
    """Run all checks; returns the exit code."""
    root = Path(os.environ.get("LEADLINE_REAL_DATA", ""))
    if not os.environ.get("LEADLINE_REAL_DATA") or not root.is_dir():
        print("!!! CONFORMANCE SKIPPED: LEADLINE_REAL_DATA names no folder; nothing was checked against real data !!!")
        return 0
    rows = [row for check in checks() for row in check(root)]
    width = max(len(row[0]) for row in rows)
    print(f"{'check':<{width}}  checked  failed  note")
    for name, checked, failed, note in rows:
        print(f"{name:<{width}}  {checked:>7}  {failed:>6}  {note}")
    failures = sum(row[2] for row in rows)
    print(f"{sum(row[1] for row in rows)} checked, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
