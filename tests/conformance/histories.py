"""Real git histories through the whole path: log, translation, fold. Every commit and tag is accounted for."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.git import CONNECTOR
from connectors.git.options import ReadOptions
from connectors.git.read import read
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.delivery import Context
from pipeline.facts.commits import Node
from pipeline.facts.rows import ChangeFact, DeploymentFact
from pipeline.facts.state import State
from pipeline.ingest.deliveries import store
from pipeline.ingest.translate import Translator
from pipeline.log.sqlite import SqliteLog
from pipeline.metrics.sums import quantile

Row = tuple[str, int, int, str]

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_KEY = b"conformance"


def check(root: Path) -> list[Row]:
    """Return two rows (name, checked, failed, note) a history: its commits and its tags."""
    rows: list[Row] = []
    for commits in sorted((root / "histories").glob("*.commits.jsonl.gz")):
        tags = commits.with_name(commits.name.replace(".commits.", ".tags."))
        with tempfile.TemporaryDirectory() as folder:
            rows += _history(commits, tags, Path(folder) / "leadline.db")
    return rows


def _history(commits: Path, tags: Path, database: Path) -> list[Row]:
    log = SqliteLog(database)
    options = ReadOptions(actor_key=_KEY, received_at=_NOW)
    for path in (commits, tags):
        store(log, read(path, options), _NOW)
    translator = Translator(log, {CONNECTOR.name: CONNECTOR}, lambda _: Context(actor_key=_KEY))
    report = translator.run(_NOW)
    engine = Engine(log, SqliteStore(database))
    engine.run()
    name = commits.name.partition(".")[0].replace("__", "/")
    return [
        _commits(name, commits, engine.state),
        _tags(name, tags, engine.state, report.quarantined),
    ]


def _commits(name: str, path: Path, state: State) -> Row:
    """In = delivered + excluded by reason + not deployed yet; every lead time is what the history's own dates say."""
    told = {line["sha"]: line for line in _lines(path)}
    facts = {key.rpartition("@")[2]: fact for key, fact in state.table("fact_change", ChangeFact).items()}
    nodes = {key.rpartition("|")[2]: node for key, node in state.table("node", Node).items()}
    fates: Counter[str] = Counter()
    wrong = [sha for sha in told if sha not in nodes or not nodes[sha].recorded]
    spans = []
    for sha, line in told.items():
        fact = facts.get(sha)
        if fact is None:
            fates["merge" if len(line["parents"]) > 1 else "not deployed yet"] += 1
            if len(line["parents"]) <= 1 and nodes[sha].first_deployed:
                wrong.append(sha)
            continue
        fates["seed" if fact.excluded else "delivered"] += 1
        if fact.lead_time is None:
            fates["of these negative"] += 1
        elif not fact.excluded:
            spans.append(round(fact.lead_time * 1000))
        authored = datetime.fromisoformat(line["author_date"]).timestamp()
        if fact.authored_at is None or abs(fact.authored_at / 1e6 - authored) > 1:
            wrong.append(sha)
    accounted = sum(count for fate, count in fates.items() if not fate.startswith("of these"))
    spans.sort()
    median = f"p50 {quantile(spans, 0.5) / 86_400_000:.1f} d" if spans else "no lead time"
    note = ", ".join(f"{count} {fate}" for fate, count in fates.most_common()) + f"; {median}"
    return f"history {name} commits", len(told), len(wrong) + abs(len(told) - accounted), note


def _tags(name: str, path: Path, state: State, quarantined: Mapping[str, int]) -> Row:
    """Each deployment's commits are those of the history that no earlier deployment of its service contains."""
    told = [line["tag"] for line in _lines(path)]
    deployments = [fact for _, fact in state.table("fact_deployment", DeploymentFact).items()]
    seeds = sum(fact.seed for fact in deployments)
    delivered = Counter(fact.deployment for _, fact in state.table("fact_change", ChangeFact).items())
    wrong = [fact.id for fact in deployments if fact.changes != delivered[fact.id]]
    empty = sum(fact.changes == 0 for fact in deployments)
    note = (
        f"{len(deployments)} deployments of {len({fact.service for fact in deployments})} services ({seeds} seeds, "
        f"{empty} without new commits), {len(told) - len(deployments)} other tags, "
        f"{sum(quarantined.values())} quarantined"
    )
    return f"history {name} tags", len(told), len(wrong) + sum(quarantined.values()), note


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
