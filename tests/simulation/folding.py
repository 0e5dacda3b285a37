"""Folding event lists in tests: whole, in pieces, with restarts between them, and what is compared afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.engine.core import Fold
from pipeline.engine.store import MemoryStore
from pipeline.events.coordination import GateEvaluated
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared
from pipeline.facts.rows import FACTS, Fact
from pipeline.facts.state import State

#: The tables that hold results; all others are working memory, whose shape may depend on the order of arrival.
RESULTS = (*(f"fact_{kind}" for kind in FACTS), "cell", "teamwork_cell", "open", "mapped", "evidence")


def contract_of(events: Iterable[Event]) -> Contract:
    """Compile the contract that the events declare."""
    return Contract.compile(
        (to_us(event.time), event.id, event.data) for event in events if isinstance(event.data, ContractDeclared)
    )


def fold(events: Sequence[Event], *, size: int | None = None, restart: bool = False) -> State:
    """Fold events in batches of `size` (None: one), committing after each; `restart`: with a fresh fold each time."""
    contract = contract_of(events)
    store = MemoryStore()
    state = State(store)
    stages = Fold(state, contract)
    step = size or max(1, len(events))
    for start in range(0, len(events), step):
        stages.apply(events[start : start + step])
        store.commit({name: table.drain() for name, table in state.tables.items()}, {})
        if restart:
            state = State(store)
            stages = Fold(state, contract)
    return state


def latest_of(events: Iterable[Event]) -> datetime | None:
    """Return the default instant of the metrics, for events that were recorded after they happened."""
    return max(
        (event.time for event in events if not isinstance(event.data, (ContractDeclared, GateEvaluated))), default=None
    )


def results(state: State) -> Mapping[str, Mapping[str, bytes]]:
    """Return all facts and cells, encoded, for comparison."""
    return {
        name: {key: msgspec.json.encode(value) for key, value in state.tables[name].items()}
        for name in RESULTS
        if name in state.tables
    }


def facts_of(state: State, kind: str) -> dict[str, Fact]:
    """Return the facts of a kind by id."""
    return dict(state.table(f"fact_{kind}", FACTS[kind]).items())
