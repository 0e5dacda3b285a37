"""Stories about what a dependency means: between whom it is, when it is due, what it serves, and what is owed."""

from __future__ import annotations

from tests.simulation.company import DATA, GROWTH, IDENTITY, INITIATIVES, PAIR, TEAMS, org, still_open
from tests.simulation.stories_dependencies import BEGUN, edge
from tests.simulation.story import (
    DAY,
    HOUR,
    Story,
    ticket_closed,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    dependency_added,
    dependency_removed,
    interaction,
    linked,
    policy,
    team,
    transferred,
    words,
)

OVERDUE = (
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
        "a blocker that was closed in an unknown status is done; a ticket that is deleted no longer waits",
        (
            *BEGUN,
            dependency_added("03 09:00", "GROW-1", "AUTH-1"),
            ticket_moved("04 09:00", "AUTH-1", "Simmering"),
            ticket_closed("05 09:00", "AUTH-1"),
            ticket_seen("02 09:00", "GROW-2", status="To Do"),
            ticket_seen("02 09:00", "AUTH-2", status="To Do"),
            dependency_added("03 09:00", "GROW-2", "AUTH-2"),
            ticket_deleted("04 09:00", "GROW-2"),
        ),
        {
            edge(): {"end": "completed", "latency": 48 * HOUR},
            edge(ticket_key="GROW-2", blocker="AUTH-2"): {"ended_at": us("04 09:00"), "end": "overtaken"},
        },
    ),
    Story(
        "circles: of parents, which serve nothing, and of dependencies, each of which is a wait",
        (
            *BEGUN,
            *INITIATIVES,
            ticket_seen("02 09:00", "GROW-2", "GROW-3", status="To Do"),
            ticket_seen("02 09:00", "GROW-3", "GROW-2", status="To Do"),
            dependency_added("03 09:00", "GROW-2", "AUTH-1"),
            dependency_added("03 09:00", "AUTH-1", "GROW-2"),
        ),
        {
            edge(ticket_key="GROW-2"): still_open(initiative=None, candidates=[], provider="identity"),
            edge(ticket_key="AUTH-1", blocker="GROW-2"): still_open(consumer="identity", provider="growth"),
        },
        metrics={org("open_dependencies", days=None): (2.0, 2)},
    ),
    Story(
        "work that is put elsewhere takes its waits along",
        (
            *BEGUN,
            *INITIATIVES,
            ticket_seen("02 09:00", "GROW-2", "GROW-100", status="To Do"),
            dependency_added("03 09:00", "GROW-2", "AUTH-1"),
            ticket_seen("04 09:00", "GROW-2", "CORE-100", status="To Do"),
            ticket_seen("02 09:00", "GROW-3", "GROW-100", status="To Do"),
            linked("03 09:00", "ticket", "GROW-3", "core"),
            linked("03 09:00", "ticket", "GROW-4", "core"),
            linked("04 09:00", "ticket", "GROW-4", "nowhere"),
            ticket_seen("02 09:00", "GROW-4", status="To Do"),
            dependency_added("03 09:00", "GROW-3", "AUTH-1"),
            dependency_added("03 09:00", "GROW-4", "AUTH-1"),
        ),
        {
            edge(ticket_key="GROW-2"): {"initiative": "core"},
            edge(ticket_key="GROW-3"): {"initiative": "core"},  # what it names itself goes before its parent
            edge(ticket_key="GROW-4"): {"initiative": None, "candidates": []},
        },
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
            },
            edge(ticket_key="GROW-3"): {"initiative": "core"},
            edge(): {"initiative": None, "candidates": []},
        },
        metrics={("open_dependencies", "value", "initiative", "activation", None): (1.0, 1)},
    ),
)
