"""Stories about the time of work items: when they flow, wait and are blocked, and by what that is known."""

from __future__ import annotations

from tests.simulation.company import TEAMS, org
from tests.simulation.story import (
    DAY,
    HOUR,
    Story,
    deployed,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket,
    ticket_closed,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    decision,
    dependency_added,
)

FLOW = (
    Story(
        "flow time is active and waiting time",
        (
            *TEAMS,
            ticket_seen("01 09:00", "GROW-1", kind="Story", status="To Do"),
            ticket_moved("02 09:00", "GROW-1", "In Progress", reason="sprint begins"),
            ticket_moved("03 09:00", "GROW-1", "In Review"),
            ticket_moved("03 15:00", "GROW-1", "Blocked"),
            ticket_moved("04 09:00", "GROW-1", "In Progress"),
            ticket_moved("05 09:00", "GROW-1", "Done"),
        ),
        {
            ticket("GROW-1"): {
                "started_at": us("02 09:00"),
                "finished_at": us("05 09:00"),
                "finish": "done",
                "flow_time": 72 * HOUR,
                "active_time": 54 * HOUR,  # 24 + 6 before it was blocked, 24 after
                "waiting_time": 18 * HOUR,
                "blocked_time": 18 * HOUR,
                "blocked_since": None,
                "moves": 5,
                "reasoned": 1,
            }
        },
        metrics={
            org("flow_time", "p50"): (72 * HOUR, 1),
            org("blocked_time", "p50"): (18 * HOUR, 1),
            org("flow_efficiency"): (0.75, 1),
            org("reasoned_moves"): (0.2, 5),
            ("flow_time", "p85", "team", "growth", 28): (72 * HOUR, 1),
            org("open_work", days=None): None,
        },
    ),
    Story(
        "a ticket that was reopened goes on flowing, and the time that it was done is waiting",
        (
            *TEAMS,
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_moved("03 09:00", "GROW-1", "Done"),
            ticket_moved("04 09:00", "GROW-1", "In Progress"),
            ticket_moved("06 09:00", "GROW-1", "Done"),
        ),
        {
            ticket("GROW-1"): {
                "finished_at": us("06 09:00"),
                "flow_time": 96 * HOUR,
                "active_time": 72 * HOUR,
                "waiting_time": 24 * HOUR,
            }
        },
    ),
    Story(
        "done and then dropped: it ended when it was done, and as dropped; unmapped time is neither kind",
        (
            *TEAMS,
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_moved("03 09:00", "GROW-1", "Done"),
            ticket_moved("04 09:00", "GROW-1", "Dropped"),
            ticket_moved("02 09:00", "GROW-2", "In Progress"),
            ticket_moved("03 09:00", "GROW-2", "Simmering"),
            ticket_moved("05 09:00", "GROW-2", "Done"),
        ),
        {
            ticket("GROW-1"): {"finished_at": us("03 09:00"), "finish": "cancelled", "flow_time": None},
            ticket("GROW-2"): {"flow_time": 72 * HOUR, "active_time": 24 * HOUR, "waiting_time": 0.0},
        },
        # 24 h and 0 h of the one that is done
        metrics={org("flow_time", "p50"): (72 * HOUR, 1), org("flow_efficiency"): (1.0, 1)},
    ),
    Story(
        "a ticket that was deleted ended then at the latest, and counts nowhere",
        (
            *TEAMS,
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_deleted("05 09:00", "GROW-1"),
            ticket_moved("02 09:00", "GROW-2", "In Progress"),
            ticket_moved("03 09:00", "GROW-2", "Done"),
            ticket_deleted("05 09:00", "GROW-2"),
            ticket_moved("02 09:00", "GROW-3", "In Progress"),
            ticket_moved("06 09:00", "GROW-3", "Done"),
            ticket_deleted("07 09:00", "GROW-3"),
            ticket_deleted("05 09:00", "GROW-3"),
        ),
        {
            ticket("GROW-1"): {"deleted": True, "finished_at": us("05 09:00"), "finish": "deleted", "flow_time": None},
            ticket("GROW-2"): {"deleted": True, "finished_at": us("03 09:00"), "finish": "done"},
            ticket("GROW-3"): {"deleted": True, "finished_at": us("05 09:00"), "finish": "deleted", "flow_time": None},
        },
        metrics={
            org("flow_time", "p50"): None,
            org("open_work", days=None): None,
            org("unmapped_work", days=None): None,
        },
    ),
    Story(
        "work that did not begin before it ended did not begin",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="Done"),
            ticket_closed("04 09:00", "GROW-2"),
            ticket_moved("05 09:00", "GROW-2", "In Progress"),
            ticket_moved("06 09:00", "GROW-2", "Simmering"),
        ),
        {
            ticket("GROW-1"): {"started_at": None, "finished_at": us("02 09:00"), "flow_time": None},
            ticket("GROW-2"): {
                "started_at": None,
                "finished_at": us("04 09:00"),
                "finish": "done",
                "blocked_time": None,
            },
        },
    ),
    Story(
        "blocked time is the union of status, flag and dependency",
        (
            *TEAMS,
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_seen("02 12:00", "GROW-1", flagged=True),
            ticket_moved("02 15:00", "GROW-1", "Blocked"),
            ticket_seen("02 18:00", "GROW-1"),
            dependency_added("03 06:00", "GROW-1", "AUTH-1"),
            ticket_moved("03 09:00", "GROW-1", "In Progress"),
            ticket_moved("03 12:00", "AUTH-1", "Done"),
            ticket_moved("04 09:00", "GROW-1", "Done"),
        ),
        # flagged 12 to 18, in status Blocked 15 to 09, waiting 06 to 12: without a gap from 12:00 to 12:00
        {ticket("GROW-1"): {"blocked_time": 24 * HOUR, "blocked_since": None}},
    ),
    Story(
        "what blocks is cut to the time of work, and excluded waits block nothing",
        (
            *TEAMS,
            ticket_seen("01 09:00", "GROW-1", status="To Do", flagged=True),
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_seen("02 10:00", "GROW-1"),
            dependency_added("02 11:00", "GROW-1", "GROW-1"),
            ticket_moved("03 09:00", "GROW-1", "Done"),
            ticket_seen("04 09:00", "GROW-1", flagged=True),
        ),
        {ticket("GROW-1"): {"blocked_time": 1 * HOUR, "blocked_since": None}},
    ),
    Story(
        "what blocks until now is told by when it began, and not before work did",
        (
            *TEAMS,
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_moved("03 09:00", "GROW-1", "Blocked"),
            ticket_moved("03 12:00", "GROW-1", "In Progress"),
            dependency_added("04 09:00", "GROW-1", "AUTH-1"),
            ticket_seen("05 09:00", "GROW-1", flagged=True),
            ticket_seen("02 09:00", "GROW-2", status="To Do", flagged=True),
        ),
        {
            ticket("GROW-1"): {"blocked_time": 3 * HOUR, "blocked_since": us("04 09:00")},
            ticket("GROW-2"): {"blocked_time": None, "blocked_since": None},
        },
        metrics={
            org("open_work", days=None): (1.0, 1),
            org("open_work", "p50", None): (26 * DAY + 3 * HOUR, 1),  # since 02 09:00
        },
    ),
    Story(
        "the latest change, review, merge, deployment and decision that name a ticket are its evidence",
        (
            *TEAMS,
            service(),
            ticket_seen("01 09:00", "GROW-1"),
            deployed("01 10:00", "d0"),
            opened("02 10:00", 1),
            seen("02 10:00", 1, title="GROW-1 first"),
            reviewed("02 12:00", 1),
            merged("03 10:00", 1),
            deployed("03 11:00", "d1"),
            opened("04 10:00", 2),
            seen("04 10:00", 2, body="part of GROW-1"),
            decision("05 09:00", "ADR-1", "decided", ticket="GROW-1"),
        ),
        {
            ticket("GROW-1"): {
                "last_change_at": us("04 10:00"),
                "last_review_at": us("02 12:00"),
                "last_merge_at": us("03 10:00"),
                "last_deployment_at": us("03 11:00"),
                "last_decision_at": us("05 09:00"),
            }
        },
    ),
)
