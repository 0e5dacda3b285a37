"""Stories about waits between teams: dependencies, reviews, hand-overs and tickets that change hands."""

from __future__ import annotations

from typing import Any

from pipeline.events.types import Ref
from tests.simulation.stories_work import DATA, GROWTH, IDENTITY, INITIATIVES, TEAMS, org
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
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    dependency_added,
    dependency_removed,
    handed_over,
    interaction,
    policy,
    review_asked,
    review_withdrawn,
    team,
    transferred,
    wait,
    words,
)

#: GROW-1 is in progress since 02 09:00, AUTH-1 is known.
BEGUN = (
    *TEAMS,
    ticket_seen("01 09:00", "GROW-1", status="To Do"),
    ticket_moved("02 09:00", "GROW-1", "In Progress"),
    ticket_seen("02 09:00", "AUTH-1", status="To Do"),
)
PAIR = "growth > identity"


def edge(number: int = 0, ticket_key: str = "GROW-1", blocker: str = "AUTH-1") -> FactKey:
    return wait(f"dependency|{ticket_key}|{blocker}|{number}")


def review(number: int, episode: int = 0, of: str = "identity") -> FactKey:
    return wait(f"review|acme/shop#{number}|{of}|{episode}")


def transfer(key: str, at: str) -> FactKey:
    return wait(f"transfer|{key}|{us(at)}")


def still_open(**more: Any) -> dict[str, Any]:
    return {"ended_at": None, "end": None, "latency": None, "excluded": None, **more}


def excluded(why: str) -> dict[str, Any]:
    return {"excluded": why, "ended_at": None, "end": None, "latency": None}


DEPENDENCIES = (
    Story(
        "a dependency is completed when its blocker is done",
        (*BEGUN, dependency_added("03 09:00", "GROW-1", "AUTH-1"), ticket_moved("05 09:00", "AUTH-1", "Done")),
        {
            edge(): {
                "kind": "dependency",
                "subject": "GROW-1",
                "on": "AUTH-1",
                "consumer": "growth",
                "provider": "identity",
                "cross_team": True,
                "mode": "x-as-a-service",
                "opened_at": us("03 09:00"),
                "due_at": us("05 09:00"),
                "ended_at": us("05 09:00"),
                "end": "completed",
                "latency": 48 * HOUR,
                "excluded": None,
                "discovery_lag": 24 * HOUR,
                "stub": False,
            }
        },
        metrics={
            org("dependency_latency", "p50"): (48 * HOUR, 1),
            ("dependency_latency", "p85", "team", "growth", 28): (48 * HOUR, 1),
            ("dependency_latency", "p85", "team", "identity", 28): None,
            ("dependency_latency", "p95", "pair", PAIR, 28): (48 * HOUR, 1),
            ("dependency_latency", "p50", "mode", "x-as-a-service", 28): (48 * HOUR, 1),
            org("dependency_wait", "p50"): (48 * HOUR, 1),
            org("discovery_lag", "p50"): (24 * HOUR, 1),
            org("late_discovery_rate"): (1.0, 1),
            org("open_dependencies", days=None): None,
            org("coordination_debt", days=None): None,
        },
    ),
    Story(
        "an edge that was removed, or whose blocker was dropped or deleted, is withdrawn and has no latency",
        (
            *BEGUN,
            ticket_seen("02 09:00", "AUTH-2", status="To Do"),
            ticket_seen("02 09:00", "AUTH-3", status="To Do"),
            *(dependency_added("03 09:00", "GROW-1", f"AUTH-{number}") for number in (1, 2, 3)),
            dependency_removed("04 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("05 09:00", "AUTH-2", "Dropped"),
            ticket_deleted("06 09:00", "AUTH-3"),
        ),
        {
            edge(): {"ended_at": us("04 09:00"), "end": "withdrawn", "latency": None, "negative": 0},
            edge(blocker="AUTH-2"): {"ended_at": us("05 09:00"), "end": "withdrawn", "latency": None},
            edge(blocker="AUTH-3"): {"ended_at": us("06 09:00"), "end": "withdrawn", "latency": None},
        },
        metrics={
            org("dependency_latency", "p50"): None,
            org("dependency_wait", "p50"): None,
            org("discovery_lag", "p50"): (24 * HOUR, 3),
        },
    ),
    Story(
        "a ticket that ends first overtakes what it waited for",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("04 09:00", "GROW-1", "Done"),
            ticket_moved("05 09:00", "AUTH-1", "Done"),
        ),
        {edge(): {"ended_at": us("04 09:00"), "end": "overtaken", "latency": None}},
    ),
    Story(
        "of several ends at one instant the answer goes first",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            dependency_removed("05 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("05 09:00", "AUTH-1", "Done"),
            ticket_moved("05 09:00", "GROW-1", "Done"),
        ),
        {edge(): {"end": "completed", "latency": 48 * HOUR}},
    ),
    Story(
        "an edge that is taken away and made again is another episode",
        (
            *BEGUN,
            dependency_removed("02 12:00", "GROW-1", "AUTH-1"),  # nothing was asked yet
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            dependency_added("03 12:00", "GROW-1", "AUTH-1"),  # asked already
            dependency_removed("04 09:00", "GROW-1", "AUTH-1"),
            dependency_added("06 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("07 09:00", "AUTH-1", "Done"),
        ),
        {
            edge(0): {"opened_at": us("03 09:00"), "ended_at": us("04 09:00"), "end": "withdrawn"},
            edge(1): {"opened_at": us("06 09:00"), "end": "completed", "latency": 24 * HOUR},
        },
        absent=(edge(2),),
    ),
    Story(
        "taken away and made again at one instant: the one ends and the other begins",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            dependency_added("04 09:00", "GROW-1", "AUTH-1"),
            dependency_removed("04 09:00", "GROW-1", "AUTH-1"),
        ),
        {
            edge(0): {"ended_at": us("04 09:00"), "end": "withdrawn"},
            edge(1): still_open(opened_at=us("04 09:00")),
        },
    ),
    Story(
        "a ticket that blocks itself, and one that is told under another key, wait for nobody",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "GROW-1"),
            ticket_seen("02 09:00", "AUTH-2", "AUTH-1", kind="Alias", closed=True),
            dependency_added("03 09:00", "GROW-1", "AUTH-2"),
            ticket_moved("04 09:00", "AUTH-2", "Done"),
        ),
        {
            edge(blocker="GROW-1"): {**excluded("self"), "cross_team": False},
            edge(blocker="AUTH-2"): {**excluded("alias"), "cross_team": True},
        },
        metrics={org("dependency_latency", "p50"): None, org("discovery_lag", "p50"): None},
    ),
    Story(
        "what had been done before, or had ended before, was never waited for; at the same instant it was",
        (
            *BEGUN,
            ticket_moved("03 08:00", "AUTH-1", "Done"),
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            ticket_seen("02 09:00", "AUTH-2", status="To Do"),
            ticket_moved("03 09:00", "AUTH-2", "Done"),
            dependency_added("03 09:00", "GROW-1", "AUTH-2"),
            ticket_moved("03 08:00", "GROW-2", "Done"),
            ticket_seen("02 09:00", "AUTH-3", status="To Do"),
            dependency_added("03 09:00", "GROW-2", "AUTH-3"),
        ),
        {
            edge(): excluded("already_done"),
            edge(blocker="AUTH-2"): {"excluded": None, "end": "completed", "latency": 0.0},
            edge(ticket_key="GROW-2", blocker="AUTH-3"): excluded("already_done"),
        },
    ),
    Story(
        "a blocker that nobody has seen is a stub, and no team's",
        (*BEGUN, dependency_added("03 09:00", "GROW-1", "SEC-1")),
        {
            edge(blocker="SEC-1"): still_open(
                stub=True, provider=None, cross_team=False, mode=None, due_at=us("08 09:00")
            )
        },
        absent=(ticket("SEC-1"),),
        metrics={org("open_dependencies", days=None): None},
    ),
    Story(
        "a stub becomes a ticket when it comes, and has waited since then",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-7"),
            ticket_seen("06 09:00", "AUTH-7", status="To Do"),
        ),
        {edge(blocker="AUTH-7"): still_open(stub=False, provider="identity", cross_team=True)},
        metrics={org("open_dependencies", days=None): (1.0, 1)},
    ),
    Story(
        "an edge of a ticket that nobody has seen has no consumer",
        (*TEAMS, ticket_seen("02 09:00", "AUTH-1", status="To Do"), dependency_added("03 09:00", "GROW-9", "AUTH-1")),
        {edge(ticket_key="GROW-9"): still_open(consumer=None, provider="identity", stub=False, discovery_lag=None)},
        absent=(ticket("GROW-9"),),
    ),
    Story(
        "waits of a team for itself, and for a team that nobody knows, are listed and not counted",
        (
            *BEGUN,
            ticket_seen("02 09:00", "GROW-2", status="To Do"),
            ticket_seen("02 09:00", "ZOO-1", status="To Do", team="ghosts"),
            dependency_added("03 09:00", "GROW-1", "GROW-2"),
            dependency_added("03 09:00", "GROW-1", "ZOO-1"),
            ticket_moved("04 09:00", "GROW-2", "Done"),
        ),
        {
            edge(blocker="GROW-2"): {"cross_team": False, "mode": None, "end": "completed", "latency": 24 * HOUR},
            edge(blocker="ZOO-1"): still_open(provider=None, cross_team=False, mode=None),
        },
        metrics={org("dependency_latency", "p50"): None, org("open_dependencies", days=None): None},
    ),
    Story(
        "the mode is the consumer's word, else the provider's, else implicit",
        (
            GROWTH,
            team("identity", aliases=["AUTH"], interactions=[interaction("data", "facilitating")]),
            DATA,
            words(),
            *(ticket_seen("02 09:00", f"{project}-1", status="To Do") for project in ("GROW", "AUTH", "DATA")),
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            dependency_added("03 09:00", "AUTH-1", "GROW-1"),
            dependency_added("03 09:00", "DATA-1", "AUTH-1"),
            dependency_added("03 09:00", "DATA-1", "GROW-1"),
        ),
        {
            edge(): {"mode": "x-as-a-service", "due_at": us("05 09:00")},
            # growth said how the two work together, but what identity may expect is the policy's default
            edge(ticket_key="AUTH-1", blocker="GROW-1"): {"mode": "x-as-a-service", "due_at": us("08 09:00")},
            edge(ticket_key="DATA-1", blocker="AUTH-1"): {"mode": "facilitating"},
            edge(ticket_key="DATA-1", blocker="GROW-1"): {"mode": "implicit"},
        },
        metrics={
            ("open_dependencies", "value", "mode", "implicit", None): (1.0, 1),
            ("open_dependencies", "value", "pair", "data > identity", None): (1.0, 1),
        },
    ),
    Story(
        "what may be expected is what held when the wait began",
        (
            team("growth", aliases=["GROW"]),
            team(
                "growth",
                since="10 00:00",
                aliases=["GROW"],
                interactions=[interaction("identity", "collaboration", dependency="1d")],
            ),
            IDENTITY,
            DATA,
            words(),
            policy(expectations={"dependency": "4d"}),
            policy(since="20 00:00", expectations={"dependency": "6d"}),
            *(ticket_seen("02 09:00", key, status="To Do") for key in ("GROW-1", "DATA-1", "AUTH-1", "AUTH-2")),
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            dependency_added("12 09:00", "GROW-1", "AUTH-2"),
            dependency_added("21 09:00", "DATA-1", "AUTH-1"),
        ),
        {
            edge(): {"mode": "implicit", "due_at": us("07 09:00")},
            edge(blocker="AUTH-2"): {"mode": "collaboration", "due_at": us("13 09:00")},
            edge(ticket_key="DATA-1"): {"mode": "implicit", "due_at": us("27 09:00")},
        },
    ),
    Story(
        "the teams of a wait are those that had the tickets when it began",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            transferred("04 09:00", "AUTH-1", "data", "identity"),
            dependency_removed("05 09:00", "GROW-1", "AUTH-1"),
            dependency_added("06 09:00", "GROW-1", "AUTH-1"),
        ),
        {
            edge(0): {"provider": "identity", "mode": "x-as-a-service"},
            edge(1): still_open(provider="data", mode="implicit", due_at=us("11 09:00")),
        },
    ),
    Story(
        "a blocker that is reopened blocks again, from the beginning",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("05 09:00", "AUTH-1", "Done"),
            ticket_moved("06 09:00", "AUTH-1", "In Progress"),
        ),
        {edge(): still_open(opened_at=us("03 09:00"))},
        metrics={org("dependency_latency", "p50"): None, org("open_dependencies", days=None): (1.0, 1)},
    ),
    Story(
        "debt is what is overdue; the age of what is open enters the trend",
        (
            *BEGUN,
            ticket_seen("02 09:00", "AUTH-2", status="To Do"),
            ticket_seen("02 09:00", "AUTH-3", status="To Do"),
            dependency_added("20 12:00", "GROW-1", "AUTH-1"),  # due 22 12:00, 6 days late
            dependency_added("27 12:00", "GROW-1", "AUTH-2"),  # due 29 12:00
            dependency_added("03 09:00", "GROW-1", "AUTH-3"),
            ticket_moved("05 09:00", "AUTH-3", "Done"),  # took 2 days
        ),
        {edge(): still_open(due_at=us("22 12:00"))},
        metrics={
            org("coordination_debt", days=None): (6 * DAY, 2),
            org("overdue_waits", days=None): (1.0, 2),
            ("coordination_debt", "value", "pair", PAIR, None): (6 * DAY, 2),
            org("open_dependencies", days=None): (2.0, 2),
            org("open_dependencies", "p50", None): (4.5 * DAY, 2),  # 8 days and 1 day
            org("dependency_latency", "p50"): (2 * DAY, 1),
            org("dependency_wait", "p50"): (2 * DAY, 3),  # 1, 2 and 8 days
            org("dependency_wait", "p50", 7): (4.5 * DAY, 2),
        },
    ),
    Story(
        "known before work began is a lag below zero; without work there is none",
        (
            *TEAMS,
            ticket_seen("01 09:00", "GROW-1", status="To Do"),
            ticket_seen("01 09:00", "GROW-2", status="To Do"),
            ticket_seen("01 09:00", "AUTH-1", status="To Do"),
            dependency_added("02 09:00", "GROW-1", "AUTH-1"),
            dependency_added("02 09:00", "GROW-2", "AUTH-1"),
            ticket_moved("03 09:00", "GROW-1", "In Progress"),
        ),
        {edge(): {"discovery_lag": -24 * HOUR}, edge(ticket_key="GROW-2"): {"discovery_lag": None}},
        metrics={org("late_discovery_rate"): (0.0, 1), org("discovery_lag", "p50"): (-24 * HOUR, 1)},
    ),
    Story(
        "a dependency serves what its ticket serves",
        (
            *BEGUN,
            *INITIATIVES,
            ticket_seen("02 09:00", "GROW-2", "GROW-100", status="To Do"),
            ticket_seen("02 09:00", "GROW-3", "CORE-100", status="To Do", labels=["x"]),
            dependency_added("03 09:00", "GROW-2", "AUTH-1"),
            dependency_added("03 09:00", "GROW-3", "AUTH-1"),
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
        ),
        {
            edge(ticket_key="GROW-2"): {
                "initiative": "activation",
                "candidates": [],
                "refs": [Ref("ticket", "GROW-2", "field")],
            },
            edge(ticket_key="GROW-3"): {"initiative": "core"},
            edge(): {"initiative": None, "candidates": []},
        },
        metrics={("open_dependencies", "value", "initiative", "activation", None): (1.0, 1)},
    ),
)

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
                "title": "A form",
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
                "latency": 0.0,
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

#: Dependencies that have no initiative of their own still count for their teams; see also `stories_decisions`.
WAITS = (*DEPENDENCIES, *REVIEWS, *HANDOFFS, *TRANSFERS)
