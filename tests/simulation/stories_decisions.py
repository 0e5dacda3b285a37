"""Stories about decisions: asked for, made, superseded and reversed, by events and by work items."""

from __future__ import annotations

from tests.simulation.company import GROWTH, INITIATIVES, TEAMS, org, still_open
from tests.simulation.story import (
    DAY,
    HOUR,
    Story,
    ticket,
    ticket_created,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import decision, decision_fact, linked, policy, wait

CLASSES = policy(
    decisions={
        "pricing": {"approvers": ["Finance", "Product"], "latencyTarget": "4d"},
        "local": {"approvers": [], "latencyTarget": "1d"},
    }
)

DECISIONS = (
    Story(
        "a decision that was made without telling how is accepted",
        (
            *TEAMS,
            decision("02 09:00", "ADR-1", from_team="growth", to_team="identity", title="Which provider?"),
            decision("03 15:00", "ADR-1", "decided"),
        ),
        {
            decision_fact("ADR-1"): {
                "title": "Which provider?",
                "status": "accepted",
                "outcome": "accepted",
                "asked_at": us("02 09:00"),
                "decided_at": us("03 15:00"),
                "due_at": us("03 09:00"),  # growth expects a day of identity
                "latency": 30 * HOUR,
                "negative": 0,
                "lacking": [],
                "from_team": "growth",
                "to_team": "identity",
            },
            wait("decision|ADR-1"): {
                "kind": "decision",
                "subject": "ADR-1",
                "consumer": "growth",
                "provider": "identity",
                "mode": "x-as-a-service",
                "end": "decided",
                "latency": 30 * HOUR,
                "due_at": us("03 09:00"),
            },
        },
        metrics={
            org("decision_latency", "p50"): (30 * HOUR, 1),
            ("decision_latency", "p50", "pair", "growth > identity", 28): (30 * HOUR, 1),
            org("open_decisions", days=None): None,
        },
    ),
    Story(
        "made repeatedly, the first time holds, and of the outcomes the first that was told",
        (
            decision("02 09:00", "ADR-1"),
            decision("03 09:00", "ADR-1", "decided"),
            decision("04 09:00", "ADR-1", "decided", outcome="rejected"),
            decision("05 09:00", "ADR-1", "decided", outcome="accepted"),
        ),
        {
            decision_fact("ADR-1"): {
                "status": "rejected",
                "outcome": "rejected",
                "decided_at": us("03 09:00"),
                "latency": 24 * HOUR,
                "lacking": [],
            }
        },
    ),
    Story(
        "superseded while it was open, it is withdrawn; reversed afterwards, it stays decided",
        (
            decision("02 09:00", "ADR-1"),
            decision("04 09:00", "ADR-1", "superseded", by="ADR-2"),
            decision("02 09:00", "ADR-2"),
            decision("03 09:00", "ADR-2", "decided"),
            decision("08 09:00", "ADR-2", "reversed"),
            decision("09 09:00", "ADR-2", "superseded", by="ADR-3"),
        ),
        {
            decision_fact("ADR-1"): {"status": "superseded", "by": "ADR-2", "outcome": None, "latency": None},
            wait("decision|ADR-1"): {"ended_at": us("04 09:00"), "end": "withdrawn", "latency": None},
            decision_fact("ADR-2"): {
                "status": "superseded",
                "outcome": "accepted",
                "reversed_at": us("08 09:00"),
                "superseded_at": us("09 09:00"),
                "by": "ADR-3",
            },
            wait("decision|ADR-2"): {"ended_at": us("03 09:00"), "end": "decided"},
        },
    ),
    Story(
        "a decision that is reversed says so",
        (decision("03 09:00", "ADR-1", "decided"), decision("08 09:00", "ADR-1", "reversed", by="ADR-9")),
        {decision_fact("ADR-1"): {"status": "reversed", "outcome": "accepted", "asked_at": None, "by": "ADR-9"}},
        absent=(wait("decision|ADR-1"),),  # nobody asked, so nobody waited
    ),
    Story(
        "decided before it was asked is negative, counted and no latency",
        (decision("03 09:00", "ADR-1"), decision("02 09:00", "ADR-1", "decided")),
        {
            decision_fact("ADR-1"): {"status": "accepted", "latency": None, "negative": 1},
            wait("decision|ADR-1"): {"end": "decided", "ended_at": us("02 09:00"), "latency": None, "negative": 1},
        },
        metrics={org("decision_latency", "p50"): None},
    ),
    Story(
        "approvers add up and are compared without regard to case; what lacks is named as the policy writes it",
        (
            *TEAMS,
            CLASSES,
            decision("02 09:00", "ADR-1", category="pricing", approvers=["product"]),
            decision("03 09:00", "ADR-1", "decided"),
            decision("02 09:00", "ADR-2", category="pricing", approvers=["product"]),
            decision("03 09:00", "ADR-2", "decided", approvers=["FINANCE"]),
            decision("02 09:00", "ADR-3", category="pricing"),
            decision("03 09:00", "ADR-3", "decided", outcome="rejected"),
            decision("02 09:00", "ADR-4", category="pricing"),
        ),
        {
            decision_fact("ADR-1"): {"approvers": ["product"], "lacking": ["Finance"], "due_at": us("06 09:00")},
            decision_fact("ADR-2"): {"approvers": ["FINANCE", "product"], "lacking": []},
            decision_fact("ADR-3"): {"lacking": []},
            decision_fact("ADR-4"): {"status": "open", "lacking": []},
        },
    ),
    Story(
        "a decision is due when it is needed, else by its class, else as the teams agreed, else by the policy",
        (
            GROWTH,
            *TEAMS[1:],
            CLASSES,
            decision("02 09:00", "ADR-1", category="pricing", needed_by="03 09:00", from_team="growth"),
            decision("02 09:00", "ADR-2", category="pricing", from_team="growth", to_team="identity"),
            decision("02 09:00", "ADR-3", from_team="growth", to_team="identity"),
            decision("02 09:00", "ADR-4", from_team="growth", to_team="data", category="unheard of"),
        ),
        {
            wait("decision|ADR-1"): still_open(due_at=us("03 09:00")),
            wait("decision|ADR-2"): still_open(due_at=us("06 09:00")),
            wait("decision|ADR-3"): still_open(due_at=us("03 09:00")),
            wait("decision|ADR-4"): still_open(due_at=us("05 09:00")),
        },
        metrics={org("open_decisions", days=None): (4.0, 4), org("overdue_waits", days=None): (4.0, 4)},
    ),
    Story(
        "the policy is that of the time at which it was asked",
        (
            CLASSES,
            policy(since="10 00:00", decisions={"pricing": {"approvers": ["Board"], "latencyTarget": "1d"}}),
            decision("09 09:00", "ADR-1", category="pricing"),
            decision("12 09:00", "ADR-1", "decided"),
            decision("11 09:00", "ADR-2", category="pricing"),
            decision("12 09:00", "ADR-2", "decided"),
            decision("12 09:00", "ADR-3", "decided", category="pricing"),
        ),
        {
            decision_fact("ADR-1"): {"due_at": us("13 09:00"), "lacking": ["Finance", "Product"]},
            decision_fact("ADR-2"): {"due_at": us("12 09:00"), "lacking": ["Board"]},
            decision_fact("ADR-3"): {"due_at": None, "lacking": ["Board"]},
        },
    ),
    Story(
        "a decision within one team counts for that team, and for no pair",
        (
            *TEAMS,
            decision("02 09:00", "ADR-1", from_team="growth", to_team="growth"),
            decision("02 21:00", "ADR-1", "decided"),
            decision("02 09:00", "ADR-2", from_team="ghosts"),
        ),
        {
            wait("decision|ADR-1"): {"cross_team": False, "mode": None, "latency": 12 * HOUR},
            wait("decision|ADR-2"): still_open(consumer=None, provider=None, due_at=us("05 09:00")),
        },
        metrics={
            ("decision_latency", "p50", "team", "growth", 28): (12 * HOUR, 1),
            ("decision_latency", "p50", "pair", "growth > growth", 28): None,
            org("open_decisions", days=None): (1.0, 1),
            org("coordination_debt", days=None): (23 * DAY + 3 * HOUR, 1),  # since 05 09:00
        },
    ),
    Story(
        "what a decision is comes from the latest event that tells it",
        (
            *TEAMS,
            decision("02 09:00", "ADR-1", title="Old", category="local", from_team="data", url="https://old"),
            decision("03 09:00", "ADR-1", "decided", title="New", from_team="growth"),
        ),
        {
            decision_fact("ADR-1"): {
                "title": "New",
                "category": "local",
                "from_team": "growth",
                "url": "https://old",
            }
        },
    ),
    Story(
        "a decision serves the initiative that it names, else that of its ticket; a link by hand is one more name",
        (
            *INITIATIVES,
            ticket_seen("02 09:00", "GROW-1", "GROW-100"),
            decision("02 09:00", "ADR-1", initiative="core", ticket="GROW-1"),
            decision("02 09:00", "ADR-2", ticket="GROW-1"),
            decision("02 09:00", "ADR-3", initiative="core"),
            linked("03 09:00", "decision", "ADR-3", "activation"),
            decision("02 09:00", "ADR-4", ticket="GROW-1"),
            linked("03 09:00", "decision", "ADR-4", "activation"),
            linked("04 09:00", "decision", "ADR-4", "core"),
            linked("04 09:00", "decision", "ADR-9", "core"),
        ),
        {
            decision_fact("ADR-1"): {"initiative": "core", "candidates": []},
            wait("decision|ADR-1"): {"initiative": "core"},
            decision_fact("ADR-2"): {"initiative": "activation"},
            decision_fact("ADR-3"): {"initiative": None, "candidates": ["activation", "core"]},
            decision_fact("ADR-4"): {"initiative": "core"},
        },
        absent=(decision_fact("ADR-9"),),
        metrics={("open_decisions", "value", "initiative", "core", None): (2.0, 2)},
    ),
)

ITEMS = (
    Story(
        "a ticket of type decision is one: asked when it was created, made when it was finished",
        (
            *TEAMS,
            CLASSES,
            ticket_created("02 09:00", "GROW-1"),
            ticket_seen("02 09:00", "GROW-1", kind="DECISION", title="Which price?", status="To Do"),
            ticket_moved("03 09:00", "GROW-1", "Done"),
            ticket_created("02 09:00", "GROW-2"),
            ticket_seen("02 09:00", "GROW-2", kind="Task", labels=["Decision/Pricing"], status="To Do"),
            ticket_moved("05 09:00", "GROW-2", "Dropped"),
            ticket_created("02 09:00", "GROW-3"),
            ticket_seen("02 09:00", "GROW-3", kind="Task", labels=["decisions"], status="To Do"),
        ),
        {
            decision_fact("GROW-1"): {
                "title": "Which price?",
                "status": "accepted",
                "category": None,
                "ticket": "GROW-1",
                "asked_at": us("02 09:00"),
                "decided_at": us("03 09:00"),
                "latency": 24 * HOUR,
            },
            wait("decision|GROW-1"): {"consumer": None, "end": "decided", "latency": 24 * HOUR},
            decision_fact("GROW-2"): {
                "status": "rejected",
                "category": "pricing",
                "lacking": [],
                "due_at": us("06 09:00"),
            },
            ticket("GROW-1"): {"last_decision_at": us("03 09:00")},
        },
        absent=(decision_fact("GROW-3"), wait("decision|GROW-3")),
    ),
    Story(
        "what events tell of a ticket that is a decision goes before what it says itself",
        (
            *TEAMS,
            ticket_created("02 09:00", "GROW-1"),
            ticket_seen("02 09:00", "GROW-1", labels=["decision:local"], title="The ticket", status="To Do"),
            decision("01 09:00", "GROW-1", category="pricing"),
            decision("03 09:00", "GROW-1", "decided", outcome="rejected"),
            ticket_moved("05 09:00", "GROW-1", "Done"),
        ),
        {
            decision_fact("GROW-1"): {
                "title": "The ticket",
                "category": "pricing",
                "asked_at": us("01 09:00"),
                "decided_at": us("03 09:00"),
                "status": "rejected",
                "latency": 48 * HOUR,
            }
        },
    ),
    Story(
        "a ticket that stops being a decision is one no more",
        (
            *TEAMS,
            ticket_created("02 09:00", "GROW-1"),
            ticket_seen("02 09:00", "GROW-1", kind="Decision", status="To Do"),
            ticket_seen("03 09:00", "GROW-1", kind="Task", status="To Do"),
        ),
        absent=(decision_fact("GROW-1"), wait("decision|GROW-1")),
        metrics={org("open_decisions", days=None): None},
    ),
    Story(
        "a ticket that was deleted is no decision; what events tell of one remains",
        (
            *TEAMS,
            ticket_created("02 09:00", "GROW-1"),
            ticket_seen("02 09:00", "GROW-1", kind="Decision", status="To Do"),
            ticket_deleted("04 09:00", "GROW-1"),
            ticket_created("02 09:00", "GROW-2"),
            ticket_seen("02 09:00", "GROW-2", kind="Decision", title="The ticket", status="To Do"),
            ticket_deleted("04 09:00", "GROW-2"),
            decision("03 09:00", "GROW-2", "decided"),
        ),
        {decision_fact("GROW-2"): {"title": "", "asked_at": None, "status": "accepted", "ticket": None}},
        absent=(decision_fact("GROW-1"), wait("decision|GROW-1"), wait("decision|GROW-2")),
    ),
    Story(
        "the policy may say which tickets are decisions",
        (
            *TEAMS,
            policy(decisionItems={"types": ["rfc"], "labels": ["choice/*"]}),
            ticket_created("02 09:00", "GROW-1"),
            ticket_seen("02 09:00", "GROW-1", kind="RFC", status="To Do"),
            ticket_created("02 09:00", "GROW-2"),
            ticket_seen("02 09:00", "GROW-2", kind="Decision", status="To Do"),
            ticket_created("02 09:00", "GROW-3"),
            ticket_seen("02 09:00", "GROW-3", kind="Task", labels=["Choice/pricing"], status="To Do"),
        ),
        {
            decision_fact("GROW-1"): {"status": "open"},
            decision_fact("GROW-3"): {"status": "open", "category": None},  # only `decision/` names a class
        },
        absent=(decision_fact("GROW-2"),),
    ),
)

DECIDED = (*DECISIONS, *ITEMS)
