"""Answers of a tracker, folded under a contract that knows its words and has a team for each of its projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.types import ContractDeclared, TicketUpdated
from pipeline.facts.lives import live
from pipeline.facts.rows import TicketFact, WaitFact
from pipeline.facts.work import Ticket
from pipeline.metrics.windows import read_metrics
from tests.conformance.lifelines import Interval
from tests.conformance.told import Told
from tests.simulation.folding import contract_of, facts_of, fold

#: Status as the tracker writes it, in lower case -> canonical status.
Words = Mapping[str, str]

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Folded(NamedTuple):
    """What the fold made of some deliveries.

    `lives` are the histories of the tickets in canonical words, `unmapped` is the metric `unmapped_work`.
    """

    tickets: Mapping[str, TicketFact]
    waits: list[WaitFact]
    lives: Mapping[str, list[Interval]]
    unmapped: float | None


def _events(told: Iterable[Told]) -> list[Event]:
    return list({(event.source, event.id): event for item in told for event in item.events}.values())


def _declared(kind: Literal["StatusMap", "Team"], name: str, spec: dict[str, Any]) -> Event:
    data = ContractDeclared(kind=kind, name=name, spec=spec, metadata={"name": name})
    identity = event_id(kind, name)
    (event_type,) = ContractDeclared.TYPES
    return Event(
        id=identity, source="contract", type=event_type, time=_AT, subject=name, partitionkey="contract", data=data
    )


def team_of(project: str) -> str:
    """Return the team that stands for a project."""
    return f"team of {project}"


def folded_under(told: Iterable[Told], tracker: str, words: Words, size: int | None = None) -> Folded:
    """Fold under a contract with a StatusMap of these words, and a team for each project."""
    events = _events(told)
    looks = [event.data for event in events if isinstance(event.data, TicketUpdated)]
    types = {data.kind: "task" for data in looks if data.kind}
    contract = [
        _declared("StatusMap", tracker, {"tracker": tracker, "map": dict(words), "types": types}),
        *(
            _declared("Team", team_of(project), {"aliases": [project]})
            for project in sorted({data.project for data in looks})
        ),
    ]
    state = fold([*contract, *events], size=size)
    compiled = contract_of(contract)
    points = read_metrics(state, _AT, latest=_AT)
    counted = [point.value for point in points if (point.metric, point.scope_kind) == ("unmapped_work", "org")]
    return Folded(
        tickets={key: fact for key, fact in facts_of(state, "ticket").items() if isinstance(fact, TicketFact)},
        waits=[fact for fact in facts_of(state, "wait").values() if isinstance(fact, WaitFact)],
        lives={
            key: [Interval(run.status, run.start, run.end) for run in live(ticket, compiled).runs]
            for key, ticket in state.table("ticket", Ticket).items()
        },
        unmapped=counted[0] if counted else None,
    )
