"""Stories about other waits between teams: reviews, hand-overs and tickets that change hands."""

from __future__ import annotations

from tests.simulation.company import INITIATIVES, PAIR, TEAMS, excluded, org, still_open
from tests.simulation.story import (
    DAY,
    HOUR,
    FactKey,
    Story,
    abandoned,
    deployed,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    handed_over,
    review_asked,
    review_withdrawn,
    transferred,
    wait,
)


def review(number: int, episode: int = 0, of: str = "identity") -> FactKey:
    return wait(f"review|acme/shop#{number}|{of}|{episode}")


def transfer(key: str, at: str) -> FactKey:
    return wait(f"transfer|{key}|{us(at)}")


#: The shop is growth's.
SHOPPED = (*TEAMS, service())

REVIEWS = (
    Story(
        "a review is answered by the first word of somebody else that is no machine",
        (
            *SHOPPED,
            opened("02 09:00", 1, author="p-ann"),
            seen("02 09:00", 1, title="A form"),
            reviewed("02 09:30", 1, "p-eve"),  # before it was asked
            review_asked("02 10:00", 1, "identity"),
            reviewed("02 11:00", 1, "p-ann"),
            reviewed("02 12:00", 1, "p-bot", automated=True),
            reviewed("02 15:00", 1, "p-bob"),
            merged("03 09:00", 1),
        ),
        {
            review(1): {
                "kind": "review",
                "subject": "acme/shop#1",
                "on": None,
                "consumer": "growth",
                "provider": "identity",
                "mode": "x-as-a-service",
                "due_at": us("03 10:00"),
                "end": "answered",
                "latency": 5 * HOUR,
            }
        },
        metrics={org("review_wait", "p50"): (5 * HOUR, 1), ("review_wait", "p50", "pair", PAIR, 28): (5 * HOUR, 1)},
    ),
    Story(
        "where author or reviewer is not known, any person's word is an answer; each word for a team is a request",
        (
            *SHOPPED,
            opened("02 09:00", 1, author=None),
            review_asked("02 10:00", 1, "identity"),
            review_asked("02 11:00", 1, "AUTH"),
            reviewed("02 12:00", 1, "p-ann"),
            opened("02 09:00", 2, author="p-ann"),
            review_asked("02 10:00", 2, "identity"),
            reviewed("02 13:00", 2, None),
        ),
        {
            review(1): {"end": "answered", "latency": 2 * HOUR},
            review(1, of="AUTH"): {"end": "answered", "latency": 1 * HOUR, "provider": "identity"},
            review(2): {"end": "answered", "latency": 3 * HOUR},
        },
        metrics={org("review_wait", "p50"): (2 * HOUR, 3)},
    ),
    Story(
        "a review that is withdrawn and asked again is another episode; a merge overtakes it",
        (
            *SHOPPED,
            opened("02 09:00", 1),
            review_asked("02 10:00", 1, "AUTH"),
            review_withdrawn("02 12:00", 1, "AUTH"),
            review_asked("03 10:00", 1, "AUTH"),
            merged("04 10:00", 1),
            opened("02 09:00", 2),
            review_asked("02 10:00", 2, "identity"),
            abandoned("03 10:00", 2),
        ),
        {
            review(1, 0, "AUTH"): {
                "provider": "identity",
                "ended_at": us("02 12:00"),
                "end": "withdrawn",
                "latency": None,
            },
            review(1, 1, "AUTH"): {"ended_at": us("04 10:00"), "end": "overtaken", "latency": None},
            review(2): {"ended_at": us("03 10:00"), "end": "overtaken", "latency": None},
        },
        metrics={org("review_wait", "p50"): None, org("open_reviews", days=None): None},
    ),
    Story(
        "a review that is asked of a change that was over is no wait; nor is one asked of a person",
        (
            *SHOPPED,
            opened("02 09:00", 1),
            merged("02 10:00", 1),
            review_asked("02 11:00", 1, "identity"),
            opened("02 09:00", 2),
            review_asked("02 10:00", 2, reviewer="p-bob"),
            opened("02 09:00", 3),
            review_asked("02 10:00", 3, "ghosts"),
        ),
        {
            review(1): excluded("already_done"),
            review(3, of="ghosts"): still_open(provider=None, cross_team=False),
        },
        absent=(review(2), wait("review|acme/shop#2|None|0")),
        metrics={org("open_reviews", days=None): None},
    ),
    Story(
        "the consumer is the one team that owns all services of the change",
        (
            *TEAMS,
            service("shop"),
            service("till", owner="data"),
            opened("02 09:00", 1),
            review_asked("02 10:00", 1, "identity"),
            service("app", owner="data", repos=["acme/app"]),
            review_asked("02 10:00", 7, "identity", repo="acme/app"),  # a change that nobody told of
        ),
        {
            review(1): still_open(consumer=None, cross_team=False),
            wait("review|acme/app#7|identity|0"): still_open(
                consumer="data", provider="identity", mode="implicit", title="", due_at=us("03 10:00")
            ),
        },
        metrics={
            org("open_reviews", days=None): (1.0, 1),
            org("open_reviews", "p85", None): (26 * DAY + 2 * HOUR, 1),
        },
    ),
    Story(
        "a review serves what its change surely serves",
        (
            *SHOPPED,
            *INITIATIVES,
            deployed("01 09:00", "d0"),
            opened("02 09:00", 1),
            seen("02 09:00", 1, body="Initiative: activation"),
            review_asked("02 10:00", 1, "identity"),
            opened("02 09:00", 2),
            seen("02 09:00", 2, body="Initiative: activation\nInitiative: core"),
            review_asked("02 10:00", 2, "identity"),
        ),
        {
            review(1): still_open(initiative="activation"),
            review(2): still_open(initiative=None),
        },
    ),
)

HANDOFFS = (
    Story(
        "a hand-over is accepted, and complete in all its legs",
        (
            *TEAMS,
            *INITIATIVES,
            handed_over(
                *("02 09:00", "h1"),
                from_team="growth",
                to_team="AUTH",
                title="The form",
                needed_by="05 09:00",
                initiative="onboarding",
            ),
            handed_over("03 09:00", "h1", "accepted"),
            handed_over("04 09:00", "h1", "delivered"),
        ),
        {
            wait("handoff|h1"): {
                "kind": "handoff",
                "subject": "h1",
                "title": "The form",
                "consumer": "growth",
                "provider": "identity",
                "opened_at": us("02 09:00"),
                "due_at": us("05 09:00"),
                "ended_at": us("03 09:00"),
                "end": "accepted",
                "latency": 24 * HOUR,
                "missing": [],
                "bounces": 0,
                "initiative": "activation",
            }
        },
        metrics={org("handoff_wait", "p50"): (24 * HOUR, 1), org("handoff_return_rate"): (0.0, 1)},
    ),
    Story(
        "legs that should be known and are not are missing, rather than zero",
        (
            *TEAMS,
            handed_over("02 09:00", "h1", from_team="growth", to_team="identity"),
            handed_over("04 09:00", "h1", "delivered"),
            handed_over("03 09:00", "h2", "accepted", from_team="data", to_team="identity", needed_by="04 09:00"),
        ),
        {
            wait("handoff|h1"): {
                "end": "completed",
                "latency": 48 * HOUR,
                "missing": ["needed_by", "accepted"],
                "due_at": us("03 09:00"),  # growth expects a day of identity
            },
            wait("handoff|h2"): {
                "opened_at": us("03 09:00"),
                "end": "accepted",
                "latency": None,  # nobody knows since when it was waited for
                "negative": 0,
                "missing": ["requested"],
                "due_at": us("04 09:00"),
            },
        },
    ),
    Story(
        "a hand-over that came back was returned; asked again it is open, and accepted it is not returned",
        (
            *TEAMS,
            handed_over("02 09:00", "h1", from_team="growth", to_team="identity"),
            handed_over("03 09:00", "h1", "returned"),
            handed_over("02 09:00", "h2", from_team="growth", to_team="identity"),
            handed_over("03 09:00", "h2", "returned"),
            handed_over("04 09:00", "h2"),
            handed_over("02 09:00", "h3", from_team="growth", to_team="identity"),
            handed_over("03 09:00", "h3", "returned"),
            handed_over("04 09:00", "h3", "returned"),
            handed_over("05 09:00", "h3", "accepted"),
        ),
        {
            wait("handoff|h1"): {"ended_at": us("03 09:00"), "end": "returned", "latency": None, "bounces": 1},
            wait("handoff|h2"): still_open(opened_at=us("02 09:00"), bounces=1),
            wait("handoff|h3"): {"end": "accepted", "latency": 72 * HOUR, "bounces": 2},
        },
        metrics={
            org("handoff_return_rate"): (0.5, 2),
            org("handoff_wait", "p50"): (72 * HOUR, 1),
            org("open_handoffs", days=None): (1.0, 1),
        },
    ),
    Story(
        "what a hand-over is comes from the latest event that tells it",
        (
            *TEAMS,
            *INITIATIVES,
            ticket_seen("01 09:00", "GROW-2", "GROW-100"),
            handed_over("02 09:00", "h1", from_team="data", to_team="identity", title="Old", needed_by="03 09:00"),
            handed_over("03 09:00", "h1", from_team="growth", title="New", ticket="GROW-2", needed_by="06 09:00"),
        ),
        {
            wait("handoff|h1"): still_open(
                consumer="growth", provider="identity", title="New", due_at=us("06 09:00"), initiative="activation"
            )
        },
    ),
)

TRANSFERS = (
    Story(
        "a ticket that goes to another team waits until its status moves there",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="To Do"),
            transferred("03 09:00", "GROW-1", "identity", "GROW"),
            ticket_moved("03 15:00", "GROW-1", "In Progress"),
        ),
        {
            transfer("GROW-1", "03 09:00"): {
                "kind": "handoff",
                "subject": "GROW-1",
                "consumer": "growth",
                "provider": "identity",
                "opened_at": us("03 09:00"),
                "due_at": us("04 09:00"),
                "end": "accepted",
                "latency": 6 * HOUR,
            }
        },
        metrics={org("handoff_wait", "p50"): (6 * HOUR, 1)},
    ),
    Story(
        "there and back is returned, and further on is forwarded",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="To Do"),
            transferred("03 09:00", "GROW-1", "identity", "growth"),
            transferred("04 09:00", "GROW-1", "growth", "identity"),
            ticket_moved("05 09:00", "GROW-1", "In Progress"),
            ticket_seen("02 09:00", "GROW-2", status="To Do", team="growth"),
            ticket_seen("03 09:00", "GROW-2", status="To Do", team="identity"),
            ticket_seen("04 09:00", "GROW-2", status="To Do", team="data"),
        ),
        {
            transfer("GROW-1", "03 09:00"): {"ended_at": us("04 09:00"), "end": "returned", "latency": None},
            transfer("GROW-1", "04 09:00"): {
                "consumer": "identity",
                "provider": "growth",
                "end": "accepted",
                "latency": 24 * HOUR,
            },
            transfer("GROW-2", "03 09:00"): {"ended_at": us("04 09:00"), "end": "forwarded", "latency": None},
            transfer("GROW-2", "04 09:00"): still_open(consumer="identity", provider="data"),
        },
        metrics={org("handoff_return_rate"): (round(1 / 3, 9), 3)},
    ),
    Story(
        "the first word of a team is no transfer, nor is one from or to a team that nobody knows, nor to the same",
        (
            *TEAMS,
            transferred("03 09:00", "ZOO-1", "identity"),
            transferred("04 09:00", "ZOO-1", "ghosts", "identity"),
            transferred("05 09:00", "ZOO-1", "data", "ghosts"),
            ticket_seen("02 09:00", "GROW-2", team="growth"),
            transferred("03 09:00", "GROW-2", "GROW", "growth"),
        ),
        {ticket("ZOO-1"): {"team": "data"}, ticket("GROW-2"): {"team": "growth"}},
        absent=(
            *(transfer("ZOO-1", at) for at in ("03 09:00", "04 09:00", "05 09:00")),
            transfer("GROW-2", "03 09:00"),
        ),
    ),
    Story(
        "a ticket that is finished is handed to nobody, and a move at that very instant is no answer",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="To Do"),
            ticket_moved("03 09:00", "GROW-1", "Done"),
            transferred("03 09:00", "GROW-1", "identity", "growth"),
            ticket_seen("02 09:00", "GROW-2", status="To Do"),
            transferred("03 09:00", "GROW-2", "identity", "growth"),
            ticket_moved("03 09:00", "GROW-2", "In Progress"),
            ticket_moved("03 12:00", "GROW-2", "In Progress"),  # the same status is no change
            ticket_moved("03 18:00", "GROW-2", "Blocked"),
        ),
        {
            transfer("GROW-1", "03 09:00"): excluded("already_done"),
            transfer("GROW-2", "03 09:00"): {"end": "accepted", "latency": 9 * HOUR},
        },
    ),
    Story(
        "of several entries at one instant the last counts, and the wait is between the teams of before and after",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="To Do", team="growth"),
            ticket_seen("03 09:00", "GROW-1", status="To Do", team="identity"),
            ticket_seen("03 09:00", "GROW-1", status="To Do", team="identity", title="Told twice"),
        ),
        {transfer("GROW-1", "03 09:00"): still_open(consumer="growth", provider="identity")},
        metrics={org("open_handoffs", days=None): (1.0, 1)},
    ),
)

WAITS = (*REVIEWS, *HANDOFFS, *TRANSFERS)
