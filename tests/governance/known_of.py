"""Small histories, folded, as governance reads them."""

from __future__ import annotations

from typing import Any, Literal

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import DecisionEvent
from pipeline.events.envelope import Event
from pipeline.events.types import DependencyEvent, Ref
from pipeline.governance.known import Known
from pipeline.simulate.telling import TRACKER, tell
from tests.simulation.folding import contract_of, fold
from tests.simulation.story import declared, us

WORDS = {"To Do": "ready", "In Progress": "in_progress", "Done": "done", "Dropped": "cancelled"}


def known_of(*events: Event) -> tuple[Contract, Known]:
    """Fold events; returns the contract that they declare, and all facts."""
    return contract_of(events), Known(fold(list(events)))


def decision(at: str, what: Literal["asked", "decided", "superseded", "reversed"], key: str, **fields: Any) -> Event:
    """A decision; `initiative` is the one that it names."""
    initiative = fields.pop("initiative", None)
    refs = [Ref("initiative", initiative, "field")] if initiative else []
    event_type = DecisionEvent.TYPES[("asked", "decided", "superseded", "reversed").index(what)]
    return tell(event_type, us(at), DecisionEvent(decision=key, refs=refs, **fields))


def blocked(at: str, ticket: str, by: str) -> Event:
    return tell(DependencyEvent.TYPES[0], us(at), DependencyEvent(tracker=TRACKER, ticket=ticket, blocked_by=by))


def status_map(**fields: Any) -> Event:
    """A map of the tracker's words."""
    return declared("StatusMap", "tracker", {"tracker": "tracker", "map": WORDS, "types": {"Story": "story"}, **fields})


def complete(**changed: Any) -> dict[str, Any]:
    """An initiative that lacks nothing for its gate but the decision itself."""
    outcome = {"metric": "adoption", "target": 0.5, "direction": "up", "horizon": "7d"}
    spec = {
        "owner": "growth",
        "stage": "bet",
        "outcomes": [outcome],
        "horizon": "28d",
        "decision": "D-1",
        "tracks": {"jira": [{"epic": "GROW-1"}]},
        **changed,
    }
    return {key: value for key, value in spec.items() if value is not None}


def since(at: str, spec: dict[str, Any] | None, name: str = "speed") -> Event:
    """A version of an initiative that holds from an instant on."""
    return declared("Initiative", name, spec, at, at)


def growth() -> Event:
    return declared("Team", "growth", {"aliases": ["GROW"]})


def core() -> Event:
    return declared("Team", "core", {"aliases": ["CORE"]})
