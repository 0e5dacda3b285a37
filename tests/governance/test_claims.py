"""Claims beside evidence, and progress that activity does not move."""

from __future__ import annotations

import pytest

from pipeline.events.envelope import Event
from pipeline.facts.rows import TicketFact
from pipeline.governance.claims import Claim, claims
from pipeline.governance.confidence import confidence
from pipeline.governance.progress import Progress, progress
from pipeline.metrics.windows import read_metrics
from tests.governance.known_of import complete, growth, known_of, since, status_map
from tests.simulation.folding import fold
from tests.simulation.story import (
    committed,
    initiative,
    merged,
    moment,
    opened,
    reviewed,
    seen,
    ticket_created,
    ticket_moved,
    ticket_seen,
    us,
)

_DEMANDS = status_map(evidence={"in_progress": ["change"], "done": ["merge", "outcome"]}, evidenceWithin="2d")
_SPEED = initiative("speed", tracks={"jira": [{"epic": "GROW-1"}]}, outcomes=[{"metric": "adoption"}])


def _claims(*events: Event, at: str, samples: dict[str, list[int]] | None = None) -> dict[str, Claim]:
    contract, known = known_of(growth(), _DEMANDS, _SPEED, *events)
    return {claim.ticket: claim for claim in claims(contract, known, us(at), samples or {})}


def test_s3_a_status_without_evidence_is_pending_and_then_claimed_not_evidenced() -> None:
    told = (ticket_created("01 09:00", "GROW-2"), ticket_moved("05 10:00", "GROW-2", "In Progress"))
    assert _claims(*told, at="07 09:59")["GROW-2"].state == "pending"
    late = _claims(*told, at="07 10:00")["GROW-2"]
    assert (late.state, late.missing, late.status) == ("claimed, not evidenced", ["change"], "in_progress")


def test_before_its_status_a_ticket_claims_nothing() -> None:
    told = (ticket_created("01 09:00", "GROW-2"), ticket_moved("05 10:00", "GROW-2", "In Progress"))
    assert _claims(*told, at="05 09:59") == {}
    assert _claims(*told, at="05 10:00").keys() == {"GROW-2"}


@pytest.mark.parametrize(("opened_at", "state"), [("03 09:59", "claimed, not evidenced"), ("03 10:00", "evidenced")])
def test_s3_evidence_may_come_before_the_claim_but_not_too_long(opened_at: str, state: str) -> None:
    told = (
        ticket_created("01 09:00", "GROW-2"),
        ticket_moved("05 10:00", "GROW-2", "In Progress"),
        opened(opened_at, 1),
        seen(opened_at, 1, title="GROW-2 faster"),
    )
    assert _claims(*told, at="20 00:00")["GROW-2"].state == state


def test_evidence_of_a_ticket_below_is_evidence_of_the_one_above() -> None:
    told = (
        ticket_seen("01 09:00", "GROW-2", status="In Progress"),
        ticket_seen("01 09:00", "GROW-3", "GROW-2", status="To Do"),
        ticket_seen("01 09:00", "GROW-4", "GROW-3", status="To Do"),
        opened("02 09:00", 1),
        seen("02 09:00", 1, title="GROW-4 faster"),
    )
    found = _claims(*told, at="20 00:00")
    assert found.keys() == {"GROW-2"}
    assert (found["GROW-2"].state, found["GROW-2"].seen) == ("evidenced", {"change": us("02 09:00")})


def test_every_kind_that_is_demanded_has_to_be_seen() -> None:
    told = (
        ticket_seen("01 09:00", "GROW-1", status="To Do"),
        ticket_seen("05 09:00", "GROW-2", "GROW-1", status="Done"),
        opened("05 09:00", 1),
        seen("05 09:00", 1, title="GROW-2 faster"),
        merged("05 10:00", 1, "a1"),
    )
    assert _claims(*told, at="20 00:00")["GROW-2"].missing == ["outcome"]
    assert _claims(*told, at="20 00:00", samples={"adoption": [us("06 00:00")]})["GROW-2"].state == "evidenced"
    assert _claims(*told, at="20 00:00", samples={"other": [us("06 00:00")]})["GROW-2"].missing == ["outcome"]


def test_progress_counts_each_ticket_once_and_no_parents() -> None:
    _, known = known_of(
        _SPEED,
        status_map(),
        ticket_seen("01 09:00", "GROW-1", status="In Progress"),
        ticket_seen("01 09:00", "GROW-2", "GROW-1", status="Done"),
        ticket_seen("01 09:00", "GROW-3", "GROW-1", status="In Progress"),
        ticket_seen("01 09:00", "GROW-4", "GROW-1", status="Dropped"),
        ticket_seen("01 09:00", "GROW-5", "GROW-5", status="To Do"),
    )
    assert progress(known) == {"speed": Progress(1, 2)}
    assert progress(known)["speed"].share == 0.5
    assert Progress().share is None


def test_t2_a_thousand_commits_and_comments_change_no_status_progress_or_rank() -> None:
    story = [
        growth(),
        _DEMANDS,
        since("01 00:00", complete()),
        since("01 00:00", complete(tracks={"jira": [{"epic": "CORE-1"}]}), "trust"),
        ticket_seen("01 09:00", "GROW-1", status="In Progress"),
        ticket_seen("01 09:00", "GROW-2", "GROW-1", status="Done"),
        ticket_seen("02 09:00", "GROW-3", "GROW-1", status="In Progress"),
        ticket_seen("02 09:00", "CORE-1", status="In Progress"),
        opened("03 09:00", 1),
        seen("03 09:00", 1, title="GROW-3 faster"),
        reviewed("03 10:00", 1),
    ]
    noise = [
        event
        for number in range(500)
        for event in (
            committed(f"n{number}", "04 09:00", f"n{number - 1}" if number else "a0", message="GROW-3 more"),
            reviewed(f"04 {number // 60:02}:{number % 60:02}", 1, f"p-{number}"),
        )
    ]
    assert len(noise) == 1000

    def judged(events: list[Event]) -> object:
        contract, known = known_of(*events)
        as_of = us("20 00:00")
        told = [confidence(contract, known, name, as_of, {}) for name in ("speed", "trust")]
        statuses = {ticket.id: (ticket.canonical_status, ticket.status_since) for ticket in known.of(TicketFact)}
        numbers = read_metrics(fold(events), moment("20 00:00"), latest=moment("20 00:00"))
        return told, statuses, progress(known), claims(contract, known, as_of, {}), numbers

    assert judged([*story, *noise]) == judged(story)
