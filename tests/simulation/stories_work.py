"""Stories about work items: what their status means, and whose they are."""

from __future__ import annotations

from pipeline.simulate.telling import TRACKER
from tests.simulation.company import GROWTH, INITIATIVES, TEAMS, org
from tests.simulation.story import (
    Story,
    declared,
    service,
    ticket,
    ticket_closed,
    ticket_created,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.story_teamwork import (
    STATUSES,
    linked,
    team,
    transferred,
    words,
)

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

WORK = (*STATUS, *OWNERS)
