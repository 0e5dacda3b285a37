"""Claims: a status that demands evidence, and whether the evidence was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from pipeline.contract.coordination import fitting
from pipeline.contract.durations import parse_duration
from pipeline.contract.resolve import Contract
from pipeline.events.times import SECOND_US
from pipeline.facts.rows import TicketFact
from pipeline.governance.declared import held
from pipeline.governance.known import Known

State = Literal["evidenced", "pending", "claimed, not evidenced"]
_WITHIN = "7d"
#: Kinds of evidence that a ticket keeps the latest instant of.
_KEPT = ("change", "review", "merge", "deployment", "decision")


class Demand(msgspec.Struct, rename="camel"):
    """What a StatusMap demands: canonical status -> kinds of evidence, and within which time."""

    tracker: str
    evidence: dict[str, list[str]] = {}
    evidence_within: str = _WITHIN

    @property
    def within_us(self) -> int:
        """How long evidence may take, in microseconds."""
        return int(parse_duration(self.evidence_within).total_seconds()) * SECOND_US


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's status and what was seen for it. Instants are microseconds; `until` ends the time for evidence.

    `seen` has the latest evidence of each kind demanded, None: none at all; `missing` are the kinds whose evidence is
    too old or absent.
    """

    ticket: str
    title: str
    initiative: str | None
    team: str | None
    status: str
    since: int
    state: State
    missing: list[str]
    seen: dict[str, int | None]
    until: int


def claims(
    contract: Contract, known: Known, as_of: int, samples: Mapping[str, Sequence[int]], initiative: str | None = None
) -> list[Claim]:
    """Return the claims of all tickets, or of one initiative's, those without evidence first.

    `samples` has the instants at which each outcome metric was sampled. Evidence of tickets below a ticket is its own.
    A ticket that took its status later than `as_of` claims nothing: which one it had then is not kept.
    """
    demands = _demands(contract)
    found = (
        claim
        for ticket in (known.of(TicketFact) if demands else ())
        if not ticket.deleted and initiative in (None, ticket.initiative)
        if (claim := _claim(ticket, contract, known, as_of, samples, demands)) is not None
    )
    order = {"claimed, not evidenced": 0, "pending": 1, "evidenced": 2}
    return sorted(found, key=lambda claim: (order[claim.state], claim.since, claim.ticket))


def _claim(
    ticket: TicketFact,
    contract: Contract,
    known: Known,
    as_of: int,
    samples: Mapping[str, Sequence[int]],
    demands: Sequence[Demand],
) -> Claim | None:
    demand = fitting(ticket.tracker, demands, lambda each: each.tracker.lower())
    kinds = () if demand is None else demand.evidence.get(ticket.canonical_status, ())
    since = ticket.status_since
    if demand is None or not kinds or since is None or since > as_of:
        return None
    outcomes = _outcomes(contract, ticket.initiative, as_of)
    sampled = [at for metric in outcomes for at in samples.get(metric, ()) if at <= as_of]
    parts = known.with_parts(ticket)
    seen = {kind: max(sampled if kind == "outcome" else _kept(parts, kind), default=None) for kind in kinds}
    missing = [kind for kind, at in seen.items() if at is None or at < since - demand.within_us]
    until = since + demand.within_us
    state: State = "evidenced" if not missing else "pending" if as_of < until else "claimed, not evidenced"
    return Claim(
        ticket=ticket.id,
        title=ticket.title,
        initiative=ticket.initiative,
        team=ticket.team,
        status=ticket.canonical_status,
        since=since,
        state=state,
        missing=missing,
        seen=seen,
        until=until,
    )


def _kept(parts: Iterable[TicketFact], kind: str) -> Iterator[int]:
    if kind in _KEPT:
        yield from (at for part in parts if (at := getattr(part, f"last_{kind}_at")) is not None)


def _outcomes(contract: Contract, initiative: str | None, as_of: int) -> list[str]:
    found = None if initiative is None else held(contract, initiative, as_of)
    return [] if found is None else [outcome.metric for outcome in found.intent.outcomes]


def _demands(contract: Contract) -> list[Demand]:
    """Return what the status maps demand, by name; one that cannot be read demands nothing."""
    return [
        demand
        for (kind, _), version in sorted(contract.objects().items(), key=lambda item: item[0])
        if kind == "StatusMap" and (demand := _read(version.spec)) is not None
    ]


def _read(spec: Any) -> Demand | None:
    try:
        demand = msgspec.convert(spec, Demand)
        parse_duration(demand.evidence_within)
    except (msgspec.ValidationError, ValueError):
        return None
    return demand
