"""Stories about work items: what their status means, where their time goes, and whose they are."""

from __future__ import annotations

from pipeline.simulate.telling import TRACKER
from tests.simulation.story import (
    DAY,
    HOUR,
    MetricKey,
    Story,
    declared,
    deployed,
    initiative,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket,
    ticket_closed,
    ticket_created,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    STATUSES,
    decision,
    dependency_added,
    interaction,
    linked,
    team,
    transferred,
    words,
)

GROWTH = team(
    "growth",
    aliases=["GROW"],
    interactions=[interaction("identity", "x-as-a-service", dependency="2d", review="1d", handoff="1d", decision="1d")],
)
IDENTITY = team("identity", aliases=["AUTH"])
DATA = team("data", aliases=["DATA"])
TEAMS = (GROWTH, IDENTITY, DATA, words())
INITIATIVES = (
    initiative("activation", aliases=["onboarding"], tracks={"jira": [{"epic": "GROW-100"}]}),
    initiative("core", tracks={"jira": [{"epic": "CORE-100"}]}),
)


def org(metric: str, stat: str = "value", days: int | None = 28) -> MetricKey:
    return metric, stat, "org", "all", days


STATUS = (
    Story(
        "a status and a type mean what the map of their tracker says, whatever their case",
        (*TEAMS, ticket_seen("02 09:00", "GROW-1", kind="story", status="IN PROGRESS")),
        {
            ticket("GROW-1"): {
                "status": "IN PROGRESS",
                "canonical_status": "in_progress",
                "canonical_type": "story",
                "status_since": us("02 09:00"),
            }
        },
        metrics={org("unmapped_work", days=None): (0.0, 1)},
    ),
    Story(
        "a word that no map knows is unmapped, and counted",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", kind="Story", status="Simmering"),
            ticket_seen("02 09:00", "GROW-2", kind="Saga", status="To Do"),
            ticket_seen("02 09:00", "GROW-3", kind="Story", status="To Do"),
        ),
        {
            ticket("GROW-1"): {"canonical_status": "unmapped", "canonical_type": "story"},
            ticket("GROW-2"): {"canonical_status": "ready", "canonical_type": "unmapped"},
        },
        metrics={
            org("unmapped_work", days=None): (2.0, 3),
            ("unmapped_work", "value", "team", "growth", None): (2.0, 3),
        },
    ),
    Story(
        "without a map everything is unmapped, and a ticket is done when it was closed",
        (GROWTH, ticket_seen("02 09:00", "GROW-1", status="In Progress"), ticket_closed("04 09:00", "GROW-1")),
        {
            ticket("GROW-1"): {
                "canonical_status": "unmapped",
                "status_since": us("02 09:00"),
                "started_at": None,
                "finished_at": us("04 09:00"),
                "finish": "done",
                "flow_time": None,
                "blocked_time": None,
                "blocked_since": None,
            }
        },
    ),
    Story(
        "closed and seen open later is not done; without any status nothing is known of the time before",
        (
            *TEAMS,
            ticket_created("02 09:00", "GROW-1"),
            ticket_closed("04 09:00", "GROW-1"),
            ticket_seen("05 09:00", "GROW-1", closed=False),
            ticket_created("02 09:00", "GROW-2"),
            ticket_closed("04 09:00", "GROW-2"),
        ),
        {
            ticket("GROW-1"): {
                "finished_at": None,
                "finish": None,
                "status_since": None,
                "canonical_status": "unmapped",
            },
            ticket("GROW-2"): {
                "finished_at": us("04 09:00"),
                "finish": "done",
                "status_since": None,
                "started_at": None,
            },
        },
    ),
    Story(
        "the map of the very tracker goes before those that its name mentions",
        (
            declared("StatusMap", "a", {"tracker": "acme", "map": {"Open": "ready"}}),
            declared("StatusMap", "b", {"tracker": TRACKER, "map": {"Open": "in_progress"}}),
            ticket_seen("02 09:00", "GROW-1", status="Open"),
        ),
        {ticket("GROW-1"): {"canonical_status": "in_progress"}},
    ),
    Story(
        "of several maps that fit alike, the first by name counts",
        (
            declared("StatusMap", "b", {"tracker": "tracker", "map": {"Open": "in_progress"}}),
            declared("StatusMap", "a", {"tracker": "acme", "map": {"Open": "ready"}}),
            declared("StatusMap", "0", {"tracker": "track", "map": {"Open": "done"}}),  # part of a word is no word
            ticket_seen("02 09:00", "GROW-1", status="Open"),
        ),
        {ticket("GROW-1"): {"canonical_status": "ready"}},
    ),
    Story(
        "a status map in its latest version speaks of the past as well",
        (
            *TEAMS,
            ticket_seen("02 09:00", "GROW-1", status="To Do"),
            ticket_moved("03 09:00", "GROW-1", "Doing"),
            words(at="20 00:00", map={**STATUSES, "Doing": "in_progress"}),
        ),
        {ticket("GROW-1"): {"canonical_status": "in_progress", "started_at": us("03 09:00")}},
    ),
    Story(
        "a first move that tells where it came from reaches back to the creation, if that is not later",
        (
            *TEAMS,
            ticket_created("02 08:00", "GROW-1"),
            ticket_moved("03 08:00", "GROW-1", "In Review", before="In Progress"),
            ticket_created("04 08:00", "GROW-2"),
            ticket_moved("03 08:00", "GROW-2", "In Review", before="In Progress"),
            ticket_created("02 08:00", "GROW-3"),
            ticket_moved("03 08:00", "GROW-3", "In Review"),
        ),
        {
            ticket("GROW-1"): {"started_at": us("02 08:00"), "status_since": us("03 08:00")},
            ticket("GROW-2"): {"started_at": us("03 08:00"), "status_since": us("03 08:00")},
            ticket("GROW-3"): {"started_at": us("03 08:00")},
        },
    ),
    Story(
        "of a move and a snapshot at one instant the snapshot counts, and neighbours that mean the same are one run",
        (
            *TEAMS,
            words(at="01 01:00", map={**STATUSES, "Doing": "in_progress"}),
            ticket_moved("02 09:00", "GROW-1", "In Progress"),
            ticket_seen("02 09:00", "GROW-1", status="Blocked"),
            ticket_seen("02 09:00", "GROW-2", status="In Progress"),
            ticket_moved("03 09:00", "GROW-2", "Doing"),
        ),
        {
            ticket("GROW-1"): {"status": "Blocked", "canonical_status": "blocked", "started_at": us("02 09:00")},
            ticket("GROW-2"): {"status": "Doing", "canonical_status": "in_progress", "status_since": us("02 09:00")},
        },
    ),
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

OWNERS = (
    Story(
        "a ticket is with the team that it names, else with that of its project, else with the owner of its repository",
        (
            *TEAMS,
            service(),
            ticket_seen("02 09:00", "GROW-1", team="Identity"),
            ticket_seen("02 09:00", "GROW-2", team="ghosts"),
            ticket_seen("02 09:00", "GROW-3"),
            ticket_seen("02 09:00", "acme/shop-4"),
            ticket_seen("02 09:00", "ZOO-5", team="ghosts"),
        ),
        {
            ticket("GROW-1"): {"team": "identity"},
            ticket("GROW-2"): {"team": "growth"},
            ticket("GROW-3"): {"team": "growth"},
            ticket("acme/shop-4"): {"project": "acme/shop", "team": "growth"},
            ticket("ZOO-5"): {"team": None},
        },
    ),
    Story(
        "an alias of two teams means neither, and a name goes before an alias",
        (
            team("growth", aliases=["WEB", "data"]),
            team("identity", aliases=["web"]),
            team("data"),
            ticket_seen("02 09:00", "WEB-1"),
            ticket_seen("02 09:00", "DATA-1"),
        ),
        {ticket("WEB-1"): {"team": None}, ticket("DATA-1"): {"team": "data"}},
    ),
    Story(
        "a word means the team that had it at that time",
        (
            words(),
            team("identity", aliases=["AUTH"]),
            team("identity", since="10 00:00"),
            team("security", since="10 00:00", aliases=["AUTH"]),
            ticket_seen("02 09:00", "AUTH-1", status="To Do"),
            ticket_moved("05 09:00", "AUTH-1", "Done"),
            ticket_seen("02 09:00", "AUTH-2", status="To Do"),
            ticket_moved("12 09:00", "AUTH-2", "Done"),
            ticket_seen("09 23:59:59.999999", "AUTH-3", status="To Do"),
            ticket_seen("10 00:00", "AUTH-4", status="To Do"),
        ),
        {
            ticket("AUTH-1"): {"team": "identity"},
            ticket("AUTH-2"): {"team": "security"},
            ticket("AUTH-3"): {"team": "identity"},
            ticket("AUTH-4"): {"team": "security"},
        },
    ),
    Story(
        "a finished ticket stays with the team that it was with; before the first entry it came from somewhere",
        (
            *TEAMS,
            ticket_moved("05 09:00", "GROW-1", "Done"),
            transferred("06 09:00", "GROW-1", "identity", "data"),
            ticket_moved("05 09:00", "GROW-2", "Done"),
            transferred("06 09:00", "GROW-2", "identity"),
            ticket_created("02 09:00", "GROW-3"),
            transferred("06 09:00", "GROW-3", "identity", "data"),
            transferred("07 09:00", "GROW-3", "ghosts"),
        ),
        {
            ticket("GROW-1"): {"team": "data"},
            ticket("GROW-2"): {"team": "identity"},  # its own word, for want of another
            ticket("GROW-3"): {"team": "growth"},  # no team is called so: that of its project
        },
    ),
    Story(
        "a person's link is an initiative that the ticket itself names, beside its own tracks; the latest holds",
        (
            *TEAMS,
            *INITIATIVES,
            ticket_seen("02 09:00", "OPS-1"),
            linked("03 09:00", "ticket", "OPS-1", "core"),
            linked("04 09:00", "ticket", "OPS-1", "Onboarding"),
            ticket_seen("02 09:00", "OPS-2", "OPS-1"),
            ticket_seen("02 09:00", "GROW-100"),
            linked("03 09:00", "ticket", "GROW-100", "core"),
            linked("03 09:00", "ticket", "OPS-9", "core"),
        ),
        {
            ticket("OPS-1"): {"initiative": "activation", "link": "Onboarding"},
            ticket("OPS-2"): {"initiative": "activation", "link": None},
            ticket("GROW-100"): {"initiative": None, "candidates": ["activation", "core"]},
        },
        absent=(ticket("OPS-9"),),  # it was linked, and never told of
    ),
)

WORK = (*STATUS, *FLOW, *OWNERS)
