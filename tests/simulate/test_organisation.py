import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise
from typing import TypeVar

import pytest

from pipeline.events import coordination, references
from pipeline.events.codec import decode, encode
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import (
    BranchUpdated,
    ChangeCreated,
    ChangeMerged,
    ChangeUpdated,
    CommitRecorded,
    ContractDeclared,
    DeploymentEvent,
    PipelineRun,
    TicketCreated,
)
from pipeline.events.vocabulary import PAYLOADS, TYPES
from pipeline.simulate.organisation import everything, organisation, records
from pipeline.simulate.plan import Plan

T = TypeVar("T")

SMALL = Plan(seed=3, days=20, teams=2, events=400)
#: Of the bytes of SMALL. It changes with every deliberate change of the simulation, and with none but those.
DIGEST = "4aded569a7413b224e0e1a3c7ee5723af055dd9d2415456e482ace458fdb1962"

_PRINT_DIGEST = """
import hashlib
from pipeline.simulate.organisation import records
from pipeline.simulate.plan import Plan
digest = hashlib.sha256()
for entry in records(Plan(seed=3, days=20, teams=2, events=400)):
    digest.update(entry.value + b"\\n")
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(everything(Plan()))


def test_the_bytes_of_a_plan_are_pinned() -> None:
    digest = hashlib.sha256()
    for entry in records(SMALL):
        digest.update(entry.value + b"\n")
    assert digest.hexdigest() == DIGEST


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_every_process_generates_the_same_bytes(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_DIGEST], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == DIGEST


def test_another_seed_is_another_organisation() -> None:
    one, other = (list(organisation(Plan(seed=seed, days=10, teams=1))) for seed in (1, 2))
    assert {event.id for event in one} != {event.id for event in other}


def test_events_come_in_event_time_order_within_the_plan(events: list[Event]) -> None:
    assert all(one.time <= other.time for one, other in pairwise(events))
    assert to_us(events[0].time) == Plan().start_us
    assert to_us(events[-1].time) < Plan().end_us


def test_ids_are_unique_and_every_event_survives_the_codec(events: list[Event]) -> None:
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert all(decode(encode(event)) == event for event in events)


def test_the_whole_vocabulary_is_spoken(events: list[Event]) -> None:
    of_coordination = {
        name for payload in PAYLOADS if payload.__module__ == coordination.__name__ for name in payload.TYPES
    }
    assert {event.type for event in events} == set(TYPES) - of_coordination


def test_an_entry_is_its_event_encoded() -> None:
    for entry, event in zip(records(SMALL), everything(SMALL), strict=True):
        assert (entry.source, entry.id, entry.key, entry.time) == (
            event.source,
            event.id,
            event.partitionkey,
            event.time,
        )
        assert decode(entry.value) == event


def test_commits_form_histories_in_which_every_parent_is_known(events: list[Event]) -> None:
    known: set[tuple[str, str]] = set()
    merges = 0
    for event in events:
        if isinstance(event.data, CommitRecorded):
            commit = event.data
            assert re.fullmatch("[0-9a-f]{40}", commit.sha)
            assert {(commit.repo, parent) for parent in commit.parents or []} <= known
            assert commit.authored_at <= commit.committed_at == event.time
            known.add((commit.repo, commit.sha))
            merges += len(commit.parents or []) == 2
        if isinstance(event.data, BranchUpdated):
            assert {(event.data.repo, sha) for sha in event.data.commits} <= known
        if isinstance(event.data, DeploymentEvent):
            assert (event.data.repo, event.data.sha) in known
    assert merges > 100


def test_changes_are_squashed_in_some_repositories_and_merged_in_others(events: list[Event]) -> None:
    parents = {data.sha: len(data.parents or []) for data in _all(events, CommitRecorded)}
    ways = {(data.repo, parents[data.merge_sha or ""]) for data in _all(events, ChangeMerged)}
    assert {way for _, way in ways} == {1, 2}
    assert len({repo for repo, _ in ways}) == len(ways)


def test_references_are_those_of_the_texts(events: list[Event]) -> None:
    for change in _all(events, ChangeUpdated):
        in_sight = references.merge(
            references.in_text(change.title, "title", change.repo),
            references.in_branch(change.branch),
            references.in_labels(change.labels),
        )
        in_body = {ref for ref in change.refs if ref.via in ("body", "trailer")}
        assert set(change.refs) == set(in_sight) | in_body


def test_a_change_brings_about_the_usual_mix(events: list[Event]) -> None:
    counts = Counter(type(event.data) for event in events)
    created = counts[ChangeCreated]
    assert counts[ChangeMerged] / created > 0.85
    assert 2.5 < counts[ChangeUpdated] / created < 4
    assert 3 < counts[CommitRecorded] / created < 5
    assert 2 < counts[PipelineRun] / created < 6
    assert counts[TicketCreated] > 1_000


@pytest.mark.parametrize(("wanted", "teams", "days"), [(5_000, 6, 120), (40_000, 6, 120), (40_000, 3, 60)])
def test_about_as_many_events_as_asked_for(wanted: int, teams: int, days: int) -> None:
    told = sum(1 for _ in organisation(Plan(events=wanted, teams=teams, days=days)))
    assert 0.8 * wanted < told < 1.25 * wanted


def test_a_huge_plan_is_streamed() -> None:
    first = list(islice(organisation(Plan(events=50_000_000)), 1_000))
    assert len(first) == 1_000


def test_a_contract_declares_every_service_that_deploys(events: list[Event]) -> None:
    declared = {data.name for data in _all(events, ContractDeclared) if data.kind == "Service"}
    told = {data.service for data in _all(events, DeploymentEvent)} - {None}
    assert told < declared


def _all(events: list[Event], payload: type[T]) -> list[T]:
    return [event.data for event in events if isinstance(event.data, payload)]
