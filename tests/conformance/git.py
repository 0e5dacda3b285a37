"""Real git histories through the connector: every commit and every tag accounted for, as the history has it."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.git import CONNECTOR
from connectors.git.options import ReadOptions
from connectors.git.read import read
from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.types import ArtifactPublished, CommitRecorded, DeploymentEvent

Row = tuple[str, int, int, str]

_OPTIONS = ReadOptions(actor_key=b"conformance", received_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
_CONTEXT = Context(actor_key=b"conformance")
#: The last word of a tag when it is a number of a final release, told without the connector's expressions.
_NUMBER = re.compile(r"v?\d+(\.\d+)+")


def check(root: Path) -> list[Row]:
    """Check all histories under `root/histories`; each row is (what, how many checked, how many wrong, note)."""
    folder = root / "histories"
    rows = [_commits(path) for path in sorted(folder.glob("*.commits.jsonl.gz"))]
    return rows + [_tags(path) for path in sorted(folder.glob("*.tags.jsonl.gz"))]


def _pairs(path: Path) -> Iterator[tuple[dict[str, Any], list[Event]]]:
    """Yield each line of a history beside its events."""
    with gzip.open(path) as lines:
        for line, delivery in zip(lines, read(path, _OPTIONS), strict=True):
            yield json.loads(line), list(CONNECTOR.translate(delivery, _CONTEXT).events)


def _row(name: str, checked: int, mistakes: list[str], note: str) -> Row:
    return name, checked, len(mistakes), "; ".join(mistakes[:3]) or note


def _commits(path: Path) -> Row:
    ids: set[str] = set()
    refs: Counter[bool] = Counter()
    mistakes = []
    for line, events in _pairs(path):
        (event,) = events
        data = event.data
        assert isinstance(data, CommitRecorded)
        told = (data.sha, data.parents, data.authored_at, data.committed_at)
        dates = (datetime.fromisoformat(line[name]) for name in ("author_date", "commit_date"))
        if told != (line["sha"], line["parents"], *dates) or event.time != data.committed_at:
            mistakes.append(f"{line['sha']} differs")
        if decode(encode(event)) != event:
            mistakes.append(f"{line['sha']} does not survive the codec")
        ids.add(event.id)
        refs[bool(data.refs)] += 1
    if len(ids) != refs.total():
        mistakes.append(f"{refs.total()} commits have {len(ids)} ids")
    return _row(f"git commits of {path.name.split('.')[0]}", refs.total(), mistakes, f"{refs[True]} mention something")


def _tags(path: Path) -> Row:
    counts: Counter[str] = Counter()
    mistakes = []
    for line, events in _pairs(path):
        published, *deployed = (event.data for event in events)
        assert isinstance(published, ArtifactPublished)
        date = datetime.fromisoformat(line["tagger_date"] or line["creator_date"])
        if (published.tag, published.sha, events[0].time) != (line["tag"], line["commit"], date):
            mistakes.append(f"{line['tag']} differs")
        final = _NUMBER.fullmatch(re.split("[-/]", line["tag"].removesuffix("-incubating"))[-1]) is not None
        if final != any(isinstance(data, DeploymentEvent) for data in deployed):
            mistakes.append(f"{line['tag']}: final is {final}")
        counts["deployments" if deployed else "prereleases" if published.prerelease else "other tags"] += 1
    note = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return _row(f"git tags of {path.name.split('.')[0]}", counts.total(), mistakes, note)
