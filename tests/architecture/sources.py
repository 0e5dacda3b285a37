"""The files of the project, as the architecture tests look at them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "connectors", "queries")


def python_files(*folders: str) -> list[Path]:
    """Return all Python files below some folders of the project, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    """Return a path as seen from the root of the project, with slashes on every system."""
    return path.relative_to(ROOT).as_posix()
