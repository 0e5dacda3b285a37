"""What was reported at any past snapshot can be asked for, and every difference since is explained."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.snapshots.columns import BOOKKEEPING, FACT_SCHEMAS, INSTANT
from pipeline.snapshots.manifest import chain
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
    query = f"SELECT * FROM restatements WHERE to_snapshot = {snapshot} ORDER BY field = 'retracted'"
    for row in ask(directory, query):
        kind, identity = key = row["kind"], row["id"]
        new = json.loads(row["new_value"])
        if row["field"] != "retracted":
            fields = [name for name in FACT_SCHEMAS[kind].names if name not in BOOKKEEPING]
            came_back: dict[str, Any] = {**dict.fromkeys(fields), "id": identity}
            facts.setdefault(key, came_back)[row["field"]] = new
        elif new:
            del facts[key]
    return facts


@pytest.mark.slow
@settings(max_examples=10)
@given(histories(), st.integers(0, 1000), st.integers(2, 4))
def test_every_past_snapshot_can_be_asked_for_and_every_difference_is_explained(
    events: list[Event], seed: int, parts: int
) -> None:
    Random(seed).shuffle(events)
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        copies: list[Facts] = []
        for part in in_parts(events, parts):
            desk.tell(*part)
            if desk.snap().new:
                copies.append(as_json(desk.facts()))
        manifests = [manifest for _, manifest in chain(desk.directory)]
        states = [reported(desk.directory, f"FROM as_of('{each.taken_at.isoformat()}')") for each in manifests]

        assert [untitled(state) for state in states] == [untitled(copy) for copy in copies]
        for manifest, state in zip(manifests, states, strict=True):
            assert reported(desk.directory, f"FROM facts_at({manifest.number})") == state
        for manifest, before, after in zip(manifests[1:], states, states[1:], strict=False):
            explained = restated(before, desk.directory, manifest.number)
            ever = {key for state in states[: manifest.number - 1] for key in state}
            assert explained == {key: fact for key, fact in after.items() if key in ever}


def untitled(facts: Facts) -> Facts:
    """The title of a commit is told by its event alone."""
    return {
        key: {name: value for name, value in fact.items() if not (name == "title" and fact.get("kind") == "commit")}
        for key, fact in facts.items()
    }
