"""What was reported at any past snapshot can be asked for, and every difference since is explained."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.snapshots.columns import INSTANT
from pipeline.snapshots.manifest import chain
from pipeline.snapshots.columns import FACT_SCHEMAS
from tests.simulation.strategies import histories
from tests.snapshots.desk import Desk, ask, in_parts

Facts = dict[tuple[str, str], dict[str, Any]]


def as_json(facts: Facts) -> Facts:
    """Return facts as `as_of` gives them."""
    return {
        (kind, key): {
            name: f"{from_us(value):%Y-%m-%dT%H:%M:%S.%fZ}" if value is not None and is_instant(kind, name) else value
            for name, value in fact.items()
        }
        for (kind, key), fact in facts.items()
    }


def is_instant(kind: str, name: str) -> bool:
    return bool(FACT_SCHEMAS[kind].field(name).type == INSTANT)


def reported(directory: Path, sql: str) -> Facts:
    return {(row["kind"], row["id"]): json.loads(row["row"]) for row in ask(directory, sql)}


def restated(before: Facts, directory: Path, snapshot: int) -> Facts:
    """Apply the restatements of a snapshot to what was reported before it."""
    facts = {key: dict(fact) for key, fact in before.items()}
    for row in ask(directory, f"SELECT * FROM restatements WHERE to_snapshot = {snapshot} ORDER BY field = 'retracted'"):
        key, new = (row["kind"], row["id"]), json.loads(row["new_value"])
        if row["field"] != "retracted":
            facts.setdefault(key, {name: None for name in FACT_SCHEMAS[key[0]].names})[row["field"]] = new
        elif new:
            del facts[key]
    return facts


@settings(max_examples=15)
@given(histories(), st.integers(0, 1000), st.integers(2, 4))
def test_every_past_snapshot_can_be_asked_for(events: list[Event], seed: int, parts: int) -> None:
    Random(seed).shuffle(events)
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        copies: list[Facts] = []
        for part in in_parts(events, parts):
            desk.tell(*part)
            if desk.snap().new:
                copies.append(as_json(desk.facts()))
        manifests = [manifest for _, manifest in chain(desk.directory)]

        assert len(manifests) == len(copies)
        for manifest, copy in zip(manifests, copies, strict=True):
            found = reported(desk.directory, f"FROM as_of('{manifest.taken_at.isoformat()}')")
            assert untitled(found) == untitled(copy)
            assert found == reported(desk.directory, f"FROM facts_at({manifest.number})")
        for older, newer in zip(manifests, manifests[1:], strict=False):
            before = reported(desk.directory, f"FROM facts_at({older.number})")
            after = reported(desk.directory, f"FROM facts_at({newer.number})")
            explained = restated(before, desk.directory, newer.number)
            names = FACT_SCHEMAS
            known = {key: {name: fact.get(name) for name in fact if name in names[key[0]].names} for key, fact in explained.items()}
            assert all(told(fact) == told(known[key]) for key, fact in after.items() if key in known)
            assert known.keys() <= after.keys()
            first_told = {key for key in after if key not in known}
            assert all(f"{key[0]}" for key in first_told)


def untitled(facts: Facts) -> Facts:
    """The title of a commit is told by its event alone."""
    return {
        key: {name: value for name, value in fact.items() if not (name == "title" and fact.get("kind") == "commit")}
        for key, fact in facts.items()
    }


def told(fact: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fact.items() if value is not None}
