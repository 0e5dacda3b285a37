"""Strategies for tickets, dependencies and the contract: late links, new parents, circles, re-organisations."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import (
    ContractDeclared,
    DependencyEvent,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)
from pipeline.simulate.telling import TRACKER, tell
from tests.simulation.ground import HOUR_US, MONO, SHOP, START_US, TICKETS, instants, people, times

CREATED = TicketCreated.TYPES[0]
UPDATED = TicketUpdated.TYPES[0]
MOVED = TicketMoved.TYPES[0]
CLOSED = TicketClosed.TYPES[0]
DELETED = TicketDeleted.TYPES[0]
DECLARED = ContractDeclared.TYPES[0]

#: Parents that come often: some make a hierarchy, some a circle.
_LIKELY_PARENTS = {
    "GROW-1": ["GROW-2", "GROW-2"],
    "GROW-2": ["GROW-1", "GROW-1"],
    "GROW-3": ["GROW-1", "GROW-2"],
    "CORE-1": ["CORE-2", "GROW-1"],
    "CORE-2": ["CORE-1", "CORE-1"],
}
_ENVIRONMENTS = {"production": ["production", "PROD"], "staging": ["staging"]}

#: Statuses of the tracker; `Parked` is in no map, and case differs from the map's.
statuses = st.sampled_from(["To Do", "In Progress", "in review", "Blocked", "Done", "Dropped", "Parked"])
_STATUS_MAP = {
    "To Do": "ready",
    "In Progress": "in_progress",
    "In Review": "in_review",
    "Blocked": "blocked",
    "Done": "done",
    "Dropped": "cancelled",
}


@st.composite
def tickets(draw: st.DrawFn, ticket: str) -> list[Event]:
    """One ticket: its parents come late, change, form circles or are unknown; it may be moved, closed, deleted."""
    project = ticket.rpartition("-")[0]
    created = TicketCreated(tracker=TRACKER, ticket=ticket, project=project, creator=draw(people))
    events = [tell(CREATED, at, created) for at in draw(times(0, 1))]
    for at in draw(times(0, 4)):
        snapshot = TicketUpdated(
            tracker=TRACKER,
            ticket=ticket,
            project=project,
            title=draw(st.sampled_from(["Sign-up", "Ledger"])),
            kind=draw(st.sampled_from(["Epic", "Story", "Sub-task", "Decision", "alias"])),
            status=draw(statuses | st.just("")),
            team=draw(st.sampled_from([None, None, "growth", "Core", "platform-squad", "nobody"])),
            closed=draw(st.sampled_from([None, None, True, False])),
            parent=draw(st.sampled_from([*_LIKELY_PARENTS[ticket], None, *TICKETS, "GROW-99"])),
            labels=draw(st.lists(st.sampled_from(["growth", "core", "ui", "Decision/risk"]), max_size=2, unique=True)),
            flagged=draw(st.booleans()),
        )
        events.append(tell(UPDATED, at, snapshot))
    for at in draw(times(0, 4)):
        moved = TicketMoved(
            tracker=TRACKER,
            ticket=ticket,
            to_status=draw(statuses),
            from_status=draw(st.none() | statuses),
            reason=draw(st.sampled_from([None, "because"])),
        )
        events.append(tell(MOVED, at, moved))
    ended = draw(st.sampled_from([None, None, "closed", "deleted"]))
    if ended == "closed":
        events.append(tell(CLOSED, draw(instants), TicketClosed(tracker=TRACKER, ticket=ticket, resolution="Done")))
    if ended == "deleted":
        events.append(tell(DELETED, draw(instants), TicketDeleted(tracker=TRACKER, ticket=ticket)))
    return events


@st.composite
def dependencies(draw: st.DrawFn) -> list[Event]:
    """One edge, added and removed in any order; both ends may be one ticket."""
    edge = DependencyEvent(
        tracker=TRACKER, ticket=draw(st.sampled_from(TICKETS)), blocked_by=draw(st.sampled_from([*TICKETS, "CORE-99"]))
    )
    return [tell(draw(st.sampled_from(DependencyEvent.TYPES)), at, edge) for at in draw(times(1, 3))]


def _declared(at: int, kind: Any, name: str, spec: dict[str, Any] | None, effective: int | None) -> Event:
    since = None if effective is None else from_us(effective)
    payload = ContractDeclared(kind=kind, name=name, spec=spec, effective_from=since)
    return tell(DECLARED, at, payload)


@st.composite
def contracts(draw: st.DrawFn) -> list[Event]:
    """A contract: two initiatives, two teams, services with owners that may change, a policy or none."""
    at = START_US - HOUR_US
    specs: list[tuple[str, str, dict[str, Any]]] = [
        ("Team", "growth", draw(_teams("core", ["GROW", "shared"]))),
        ("Team", "core", draw(_teams("growth", ["Platform-Squad", "shared"]))),
        (
            "StatusMap",
            "tracker",
            {"tracker": "tracker", "map": _STATUS_MAP, "types": {"Story": "story", "Epic": "epic"}},
        ),
        ("Initiative", "faster-activation", draw(_initiatives("growth", "GROW-1", "growth"))),
        ("Initiative", "safer-core", draw(_initiatives("core", "CORE-1", "initiative/safer-core"))),
        ("Service", "shop", {"owner": "growth", "repos": [SHOP], "environments": _ENVIRONMENTS}),
        ("Service", "gateway", {"owner": "core", "repos": [MONO], "paths": ["gateway/"]}),
        ("Service", "ledger", {"owner": "core", "repos": [MONO], "paths": ["ledger/**"]}),
    ]
    kept = [spec for spec in specs if draw(st.sampled_from([True, True, True, True, False]))]
    events = [_declared(at, kind, name, spec, None) for kind, name, spec in kept]
    if draw(st.booleans()):
        events.append(_declared(at, "Policy", "default", draw(_policies()), None))
    return events + [draw(_reorganisations(moment)) for moment in draw(times(0, 2))]


@st.composite
def _initiatives(draw: st.DrawFn, owner: str, epic: str, label: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"owner": owner, "stage": draw(st.sampled_from(["bet", "bet", "stopped"])), "tracks": {}}
    if draw(st.booleans()):
        spec["aliases"] = ["old-name"] if owner == "growth" else ["the-core"]
    if draw(st.sampled_from([True, True, False])):
        spec["tracks"]["jira"] = [{"epic": epic}]
    if draw(st.booleans()):
        spec["tracks"]["github"] = [{"label": label}]
    if draw(st.sampled_from([True, False, False])):
        spec["tracks"]["service"] = ["shop"]
    return spec


@st.composite
def _teams(draw: st.DrawFn, other: str, aliases: list[str]) -> dict[str, Any]:
    spec: dict[str, Any] = {"aliases": draw(st.sampled_from([aliases, aliases[:1], []]))}
    if draw(st.booleans()):
        expect = draw(st.sampled_from([{}, {"dependency": "2d"}, {"review": "4h", "decision": "1d", "handoff": "1h"}]))
        mode = draw(st.sampled_from(["collaboration", "x-as-a-service"]))
        spec["interactions"] = [{"with": other, "mode": mode, "expect": expect}]
    return spec


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Any]:
    spec: dict[str, Any] = {"attributionWindow": draw(st.sampled_from(["1h", "24h", "72h"]))}
    if draw(st.booleans()):
        spec["rework"] = {"branches": ["hotfix/*"], "labels": ["growth"]}
    if draw(st.booleans()):
        spec["exempt"] = {"branches": ["chore/*"], "labels": ["chore"]}
    if draw(st.booleans()):
        spec["expectations"] = {"dependency": "1d", "decision": "12h"}
        spec["decisions"] = {
            "product": {"approvers": ["legal", "growth"], "latencyTarget": "6h"},
            "risk": {"approvers": ["legal"], "latencyTarget": "3d"},
        }
    if draw(st.booleans()):
        spec["decisionItems"] = draw(st.sampled_from([{"types": ["sub-*"]}, {"labels": ["ui"]}, {"types": []}]))
    if draw(st.booleans()):
        spec["agents"] = {"automated": ["comment"], "human": ["merge"], "crossFunctional": ["deploy", "merge"]}
    return spec


@st.composite
def _reorganisations(draw: st.DrawFn, moment: int) -> Event:
    """A service changes hands, is withdrawn, or gets its successor; declared before, at or after it takes effect."""
    effective = draw(st.sampled_from([None, moment, moment - 24 * HOUR_US, moment + 24 * HOUR_US]))
    name, spec = draw(
        st.sampled_from(
            [
                ("shop", {"owner": "core", "repos": [SHOP]}),
                ("shop", None),
                ("webshop", {"owner": "growth", "repos": [SHOP]}),
                ("ledger", {"owner": "growth", "repos": [MONO], "paths": ["ledger/**"]}),
                ("gateway", {"owner": "core", "repos": [MONO, SHOP]}),
                ("growth", {"aliases": ["shared"]}),
                ("core", None),
            ]
        )
    )
    return _declared(moment, "Team" if name in ("growth", "core") else "Service", name, spec, effective)
