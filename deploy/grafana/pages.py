"""Where a reader is sent: the page of a metric, the runbooks, the server itself."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_METRICS = ROOT / "docs" / "metrics"


@cache
def _pages() -> dict[str, str]:
    return {
        heading: f"{page.relative_to(ROOT).as_posix()}#{heading}"
        for page in sorted(_METRICS.glob("*.md"))
        for heading in re.findall(r"^## ([a-z_]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }


def definition(metric: str) -> str:
    """Return the link to what a metric of the catalogue means; `KeyError` if no page explains it."""
    return f"${{docs}}/{_pages()[metric]}"


def document(path: str) -> str:
    """Return the link to a file of the project; `FileNotFoundError` if there is none."""
    if not (ROOT / path).exists():
        raise FileNotFoundError(f"{path}: a dashboard links to it; it must exist below {ROOT}")
    return f"${{docs}}/{path}"
