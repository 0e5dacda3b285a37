"""Stories about dependencies: when they begin and end, and which of them count."""

from __future__ import annotations

from tests.simulation.company import PAIR, TEAMS, excluded, org, still_open
from tests.simulation.story import (
    HOUR,
    FactKey,
    Story,
    ticket,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    dependency_added,
    dependency_removed,
    wait,
)

#: GROW-1 is in progress since 02 09:00, AUTH-1 is known.
BEGUN = (
    *TEAMS,
    ticket_seen("01 09:00", "GROW-1", status="To Do"),
    ticket_moved("02 09:00", "GROW-1", "In Progress"),
    ticket_seen("02 09:00", "AUTH-1", status="To Do"),
)


def edge(number: int = 0, ticket_key: str = "GROW-1", blocker: str = "AUTH-1") -> FactKey:
    return wait(f"dependency|{ticket_key}|{blocker}|{number}")


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
)
