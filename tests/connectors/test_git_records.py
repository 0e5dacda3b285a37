"""Decision records in a real repository: every version that changed one tells what it says, in git's own order."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from connectors.git import CONNECTOR
from connectors.git.options import ReadOptions
from connectors.git.read import read
from pipeline.events.coordination import DecisionEvent
from pipeline.events.delivery import Context

KEY = b"key"
OPTIONS = ReadOptions(actor_key=KEY, received_at=datetime(2026, 3, 30, tzinfo=UTC), repo="acme/shop")
RECORD = "# Names are optional\n\n## Status\n\n{}\n\nSigned-off-by: Ann <ann@acme.example>\n"


def git(folder: Path, *arguments: str, day: int = 1) -> None:
    at = f"2026-03-{day:02d}T12:00:00+00:00"
    identity = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@acme.example"}
    committer = {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@acme.example"}
    environment = {**identity, **committer, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "HOME": str(folder)}
    subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, env={"PATH": PATH, **environment}
    )


PATH = "/usr/bin:/bin:/usr/local/bin"


def written(folder: Path, name: str, text: str, day: int) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    git(folder, "add", "-A", day=day)
    git(folder, "commit", "-m", f"Write {name}", day=day)


def told(folder: Path) -> list[tuple[str, str, str, int]]:
    """Return (predicate, decision, title, day) of the decisions that reading a repository tells, by time."""
    found = []
    for delivery in read(folder, OPTIONS):
        for event in CONNECTOR.translate(delivery, Context(actor_key=KEY)).events:
            if isinstance(event.data, DecisionEvent):
                predicate = event.type.split(".")[3]
                found.append((predicate, event.data.decision, event.data.title, event.time.day))
    return sorted(found, key=lambda each: each[3])


def test_each_version_of_a_record_tells_its_status_across_a_rename(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "main")
    written(tmp_path, "docs/adr/0007-names.md", RECORD.format("Proposed"), day=2)
    written(tmp_path, "docs/adr/0008-other.md", RECORD.format("Rejected"), day=3)
    git(tmp_path, "mv", "docs/adr/0007-names.md", "docs/adr/0007-names-are-optional.md")
    written(tmp_path, "docs/adr/0007-names-are-optional.md", RECORD.format("Accepted"), day=4)
    written(tmp_path, "docs/adr/README.md", "# Decisions\n", day=5)
    written(tmp_path, "src/notes.md", RECORD.format("Accepted"), day=6)

    title = "Names are optional"
    assert told(tmp_path) == [
        ("requested", "acme/shop/ADR-7", title, 2),
        ("decided", "acme/shop/ADR-8", title, 3),
        ("decided", "acme/shop/ADR-7", title, 4),
    ]


def test_nobody_is_named_and_reading_again_tells_the_same(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "main")
    written(tmp_path, "docs/decisions/0001-x.md", RECORD.format("Accepted"), day=2)
    first, second = ([(each.id, each.body) for each in read(tmp_path, OPTIONS)] for _ in range(2))
    assert first == second
    assert not any(b"ann@acme.example" in body or b"Ann" in body for _, body in first)


def test_a_repository_without_a_commit_has_no_records(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "main")
    assert list(read(tmp_path, OPTIONS)) == []
