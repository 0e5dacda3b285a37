"""The fold: stages chained over one state. The same fold runs in one process on SQLite and as workers on Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contract.resolve import Contract
from pipeline.events.envelope import Event
from pipeline.facts.correlate import Correlator
from pipeline.facts.rows import Revision
from pipeline.facts.state import State
from pipeline.identity.attribution import Attribution
from pipeline.metrics.coordination import CoordinationMetrics
from pipeline.metrics.delivery import DeliveryMetrics

#: Raised with every release that derives something else from the same events: state of another number is folded anew.
DERIVATION = "2"


class Fold:
    """correlate -> attribute -> aggregate. Pure in (state, events) under one contract: no clock, no I/O of its own."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._correlator = Correlator(state, contract)
        self._attribution = Attribution(state, contract)
        self._metrics = (DeliveryMetrics(state), CoordinationMetrics(state))

    def apply(self, events: Sequence[Event]) -> list[Revision]:
        """Take in a batch of events; returns the fact revisions that it caused."""
        self._correlator.prefetch(events)
        revisions = self._attribution.apply(self._correlator.apply(events))
        for family in self._metrics:
            family.apply(revisions)
        return revisions
