"""The journey of an initiative: from the first signal to the outcome read, and where it stands still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.facts.rows import ArtifactFact, DecisionFact, DeploymentFact, TicketFact
from pipeline.governance.declared import held, horizon_end, initiatives
from pipeline.governance.known import Known
from pipeline.metrics.catalogue import PERCENTILES
from pipeline.metrics.sums import quantile

STOPS = ("signal", "decision", "scoped", "shipped", "outcome read")
#: From where to where each leg goes.
LEGS = tuple(f"{start} to {end}" for start, end in pairwise(STOPS))


class Stop(msgspec.Struct):
    """When a stop was reached, in microseconds, and by what: kind and id of a fact, or the metric of a sample."""

    name: str
    at: int | None = None
    kind: str | None = None
    id: str | None = None

    def reach(self, at: int | None, kind: str, key: str) -> None:
        """Take in what reached it; the earliest counts, of several at one instant the first by id."""
        if at is not None and (self.at is None or (at, key) < (self.at, self.id or "")):
            self.at, self.kind, self.id = at, kind, key


class Journey(msgspec.Struct, frozen=True):
    """The stops of one initiative, in order. `readable_at` is from when on its outcome can be read."""

    initiative: str
    stops: list[Stop]
    readable_at: int | None = None

    def spans(self) -> dict[str, float | None]:
        """Return the seconds of each leg, negative where the stops came in another order; None: an end is not known."""
        return {
            leg: None if start.at is None or end.at is None else (end.at - start.at) // 1000 / 1000
            for leg, (start, end) in zip(LEGS, pairwise(self.stops), strict=True)
        }

    def open_leg(self, as_of: int) -> tuple[str, float] | None:
        """Return the leg under way and its age in seconds: from the last stop reached on. None: not begun, or over."""
        last = max((number for number, stop in enumerate(self.stops) if stop.at is not None), default=None)
        if last is None or last == len(LEGS):
            return None
        since = self.stops[last].at
        return None if since is None else (LEGS[last], (as_of - since) // 1000 / 1000)


class Leg(msgspec.Struct, frozen=True):
    """One leg over all initiatives: percentiles of how long it took, and what is under way. Seconds."""

    name: str
    n: int
    percentiles: dict[str, float]
    open: int
    open_p50: float | None
    open_p85: float | None


def journeys(contract: Contract, known: Known, as_of: int, samples: Mapping[str, Sequence[int]]) -> list[Journey]:
    """Return the journeys of all initiatives that exist at an instant, by name. `samples`: see `claims`."""
    found = {name: {stop: Stop(stop) for stop in STOPS} for name in initiatives(contract, as_of)}
    _work(known, found, as_of)
    for decision in known.of(DecisionFact):
        stops = found.get(decision.initiative or "")
        if stops is not None and decision.outcome == "accepted" and _by(decision.decided_at, as_of):
            stops["decision"].reach(decision.decided_at, "decision", decision.id)
    for deployment in known.of(DeploymentFact):
        if deployment.production and deployment.outcome == "success" and _by(deployment.finished_at, as_of):
            for name in deployment.initiatives:
                if name in found:
                    found[name]["shipped"].reach(deployment.finished_at, "deployment", deployment.id)
    return [_read(contract, name, stops, as_of, samples) for name, stops in found.items()]


def legs(found: Sequence[Journey], as_of: int) -> list[Leg]:
    """Return each leg over several initiatives. Spans that are not known or negative are left out."""
    under_way = [each for journey in found if (each := journey.open_leg(as_of)) is not None]
    result = []
    for name in LEGS:
        spans = _milliseconds(journey.spans()[name] for journey in found)
        ages = _milliseconds(age for leg, age in under_way if leg == name)
        stats = {stat: quantile(spans, share) / 1000 for stat, share in PERCENTILES.items()} if spans else {}
        p50, p85 = (quantile(ages, PERCENTILES[stat]) / 1000 if ages else None for stat in ("p50", "p85"))
        result.append(Leg(name, len(spans), stats, len(ages), p50, p85))
    return result


def _work(known: Known, found: Mapping[str, Mapping[str, Stop]], as_of: int) -> None:
    for ticket in known.of(TicketFact):
        stops = found.get(ticket.initiative or "")
        if stops is not None and not ticket.deleted:
            if _by(ticket.created_at, as_of):
                stops["signal"].reach(ticket.created_at, "ticket", ticket.id)
            if _by(ticket.started_at, as_of):
                stops["scoped"].reach(ticket.started_at, "ticket", ticket.id)
    for artifact in known.of(ArtifactFact):
        stops = found.get(artifact.initiative or "")
        if stops is not None and artifact.proposed_at <= as_of:
            stops["signal"].reach(artifact.proposed_at, "artifact", artifact.id)


def _read(
    contract: Contract, name: str, stops: Mapping[str, Stop], as_of: int, samples: Mapping[str, Sequence[int]]
) -> Journey:
    """Add the first sample of an outcome that came when the effect of what was shipped could be read."""
    declared, shipped = held(contract, name, as_of), stops["shipped"].at
    readable: list[int] = []
    if declared is not None and shipped is not None:
        for outcome in declared.intent.outcomes:
            end = horizon_end(outcome.horizon or declared.intent.horizon, shipped)
            if end is not None:
                readable.append(end)
                for at in samples.get(outcome.metric, ()):
                    if end <= at <= as_of:
                        stops["outcome read"].reach(at, "outcome", outcome.metric)
    return Journey(name, list(stops.values()), min(readable, default=None))


def _milliseconds(spans: Iterable[float | None]) -> list[int]:
    return sorted(round(span * 1000) for span in spans if span is not None and span >= 0)


def _by(at: int | None, as_of: int) -> bool:
    return at is not None and at <= as_of
