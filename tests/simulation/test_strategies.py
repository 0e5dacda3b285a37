"""The strategies keep what they promise: consistent histories, and every disease within reach."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from hypothesis import Phase, given, settings

from pipeline.contract.model import KINDS
from pipeline.events.codec import decode, encode
from pipeline.events.envelope import Event
from pipeline.events.types import (
    BranchUpdated,
    ChangeMerged,
    ChangeUpdated,
    CommitRecorded,
    ContractDeclared,
    DeploymentEvent,
    IncidentEvent,
    ServiceRolledBack,
    TicketDeleted,
    TicketUpdated,
)
from tests.simulation.strategies import LARGEST, SMALLEST, histories

T = TypeVar("T")

SUCCEEDED, _, FAILED, _ = DeploymentEvent.TYPES
DETECTED, _, _, REOPENED = IncidentEvent.TYPES


def _payloads(history: list[Event], payload: type[T]) -> list[tuple[Event, T]]:
    return [(event, event.data) for event in history if isinstance(event.data, payload)]


@given(histories())
def test_a_history_is_small_ordered_consistent_and_encodable(history: list[Event]) -> None:
    assert SMALLEST <= len(history) <= LARGEST
    assert history == sorted(history, key=lambda event: event.time)
    assert len({(event.source, event.id) for event in history}) == len(history)
    assert [decode(encode(event)) for event in history] == history


@given(histories())
def test_a_declared_contract_is_one_that_a_person_could_have_written(history: list[Event]) -> None:
    for _, declared in _payloads(history, ContractDeclared):
        if declared.spec is not None:
            metadata = {"name": declared.name, **declared.metadata}
            told = {"apiVersion": "leadline/v1", "kind": declared.kind, "metadata": metadata, "spec": declared.spec}
            assert KINDS[declared.kind].model_validate(told).metadata.name == declared.name


@given(histories())
def test_facts_about_one_commit_do_not_contradict(history: list[Event]) -> None:
    authored: dict[tuple[str, str], object] = {}
    for _, commit in _payloads(history, CommitRecorded):
        assert authored.setdefault((commit.repo, commit.sha), commit.authored_at) == commit.authored_at


def _missing_parent(history: list[Event]) -> bool:
    commits = [commit for _, commit in _payloads(history, CommitRecorded)]
    known = {commit.sha for commit in commits}
    return any(parent not in known for commit in commits for parent in commit.parents or [])


def _outcomes(history: list[Event], *wanted: str) -> bool:
    """Whether one deployment has these outcomes in this order at different times."""
    told: dict[tuple[str, object], list[tuple[object, str]]] = {}
    for event, data in _payloads(history, DeploymentEvent):
        place = (data.deployment, data.repo, data.sha, data.service, data.environment)
        told.setdefault((event.source, place), []).append((event.time, event.type))
    for events in told.values():
        types = [kind for _, kind in events if kind in (SUCCEEDED, FAILED)]
        if types[:2] == list(wanted) and len({time for time, _ in events}) > 1:
            return True
    return False


def _circle(history: list[Event]) -> bool:
    parents = {data.ticket: data.parent for _, data in _payloads(history, TicketUpdated)}
    return any(
        parent is not None and parent != ticket and parents.get(parent) == ticket for ticket, parent in parents.items()
    )


def _reparented(history: list[Event]) -> bool:
    parents: dict[str, set[str | None]] = {}
    for _, data in _payloads(history, TicketUpdated):
        parents.setdefault(data.ticket, set()).add(data.parent)
    return any(len(known - {None}) > 1 for known in parents.values())


def _disputed_commit(history: list[Event]) -> bool:
    claims: dict[str, set[str]] = {}
    for _, data in _payloads(history, ChangeUpdated):
        for sha in data.commits or []:
            claims.setdefault(f"{data.repo}@{sha}", set()).add(data.change)
    return any(len(changes) > 1 for changes in claims.values())


def _early_incident(history: list[Event]) -> bool:
    deployed = [event.time for event in history if event.type == SUCCEEDED]
    return any(event.type == DETECTED and all(event.time < time for time in deployed) for event in history)


_DISEASES: dict[str, Callable[[list[Event]], bool]] = {
    "missing parents": _missing_parent,
    "no graph": lambda history: any(data.sha is None for _, data in _payloads(history, DeploymentEvent)),
    "unknown service": lambda history: any(data.service == "ghost" for _, data in _payloads(history, DeploymentEvent)),
    "incident before deployment": _early_incident,
    "reopened incident": lambda history: any(event.type == REOPENED for event in history),
    "rollback of a named deployment": lambda history: any(
        data.rolled_back is not None for _, data in _payloads(history, ServiceRolledBack)
    ),
    "rollback of nothing named": lambda history: any(
        data.rolled_back is None for _, data in _payloads(history, ServiceRolledBack)
    ),
    "merge without a commit": lambda history: any(
        data.merge_sha is None for _, data in _payloads(history, ChangeMerged)
    ),
    "new parent": _reparented,
    "circle of parents": _circle,
    "disputed commit": _disputed_commit,
    "forced push": lambda history: any(data.forced for _, data in _payloads(history, BranchUpdated)),
    "paths": lambda history: any(data.paths for _, data in _payloads(history, CommitRecorded)),
    "failed, then succeeded": lambda history: _outcomes(history, FAILED, SUCCEEDED),
    "succeeded, then failed": lambda history: _outcomes(history, SUCCEEDED, FAILED),
    "succeeded twice": lambda history: _outcomes(history, SUCCEEDED, SUCCEEDED),
    "deleted ticket": lambda history: bool(_payloads(history, TicketDeleted)),
    "withdrawn service": lambda history: any(data.spec is None for _, data in _payloads(history, ContractDeclared)),
}


def test_every_disease_is_common() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    @given(histories())
    def diagnose(history: list[Event]) -> None:
        seen.update(name for name, has in _DISEASES.items() if has(history))

    diagnose()
    # What hypothesis draws depends on the constants in the modules that happen to be loaded, so this is a wide net.
    assert {name for name in _DISEASES if not seen[name]} == set()
