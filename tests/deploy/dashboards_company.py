"""A company of which every dashboard has something to tell: it delivers, waits, decides, fails and uses assistants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.events.envelope import Event
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from tests.simulation.company import DATA, GROWTH, IDENTITY
from tests.simulation.story import (
    committed,
    deployed,
    initiative,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket_moved,
    ticket_seen,
    trouble,
)
from tests.simulation.story_teamwork import (
    decision,
    dependency_added,
    handed_over,
    proposed,
    review_asked,
    words,
)

#: A scope of each kind that the company's own story is about.
TEAM, INITIATIVE, PAIR = "growth", "activation", "growth > identity"

_PLAN = Plan(seed=7, days=28, teams=3, start=datetime(2026, 3, 1, tzinfo=UTC))


def history() -> Iterator[Event]:
    """The simulated organisation of March 2026, and within it what happens between growth and identity."""
    yield from everything(_PLAN)
    yield from (
        GROWTH,
        IDENTITY,
        DATA,
        words(),
        service(),
        initiative(INITIATIVE, tracks={"jira": [{"epic": "GROW-9100"}]}),
    )
    yield from _code()
    yield from _tickets()
    yield from _between_teams()


def news(hour: int) -> Iterator[Event]:
    """What happens in an hour of the day after the history: a deployment, and a decision that is asked for and made."""
    yield deployed(f"29 {hour:02}:00", f"at-{hour}")
    yield decision(f"29 {hour:02}:00", f"ADR-at-{hour}", from_team=TEAM, to_team="identity", initiative=INITIATIVE)
    yield decision(f"29 {hour:02}:30", f"ADR-at-{hour}", "decided")


def _code() -> Iterator[Event]:
    """Changes for the initiative: the second breaks and is repaired, the fourth is not yet, the fifth is open."""
    yield from (committed("c0", "02 08:00"), deployed("02 09:00", "d0", "c0"))
    for number, day in enumerate(("20", "21", "23", "25"), start=1):
        yield from (
            committed(f"c{number}", f"{day} 09:00", f"c{number - 1}"),
            opened(f"{day} 10:00", number),
            seen(
                f"{day} 10:00",
                number,
                head_sha=f"c{number}",
                commits=[f"c{number}"],
                title="GROW-9001",
                assistant="claude",
            ),
            review_asked(f"{day} 10:00", number, "identity"),
            reviewed(f"{day} 11:00", number),
            merged(f"{day} 12:00", number, f"c{number}"),
            deployed(f"{day} 14:00", f"d{number}", f"c{number}"),
        )
    yield from (trouble("21 15:00", "i1"), trouble("21 17:00", "i1", "resolved"), trouble("25 15:00", "i2"))
    yield from (opened("26 10:00", 5), seen("26 10:00", 5, title="GROW-9001"), review_asked("26 11:00", 5, "identity"))


def _tickets() -> Iterator[Event]:
    """Two tickets are done, after a block; one is in progress, and one has a status that nobody declared."""
    yield ticket_seen("02 09:00", "GROW-9100", kind="Epic", status="In Progress")
    for key, begun, done in (("GROW-9001", "10", "20"), ("GROW-9002", "12", "22"), ("GROW-9003", "14", None)):
        yield ticket_seen(f"{begun} 08:00", key, "GROW-9100", kind="Story", status="To Do")
        yield ticket_moved(f"{begun} 09:00", key, "In Progress", reason="sprint begins")
        yield ticket_moved(f"{begun} 15:00", key, "Blocked")
        yield ticket_moved(f"{begun} 18:00", key, "In Progress")
        if done is not None:
            yield ticket_moved(f"{done} 09:00", key, "Done")
    yield ticket_seen("20 09:00", "GROW-9004", "GROW-9100", kind="Story", status="Parked")


def _between_teams() -> Iterator[Event]:
    """Of every kind of wait one has ended and one is open, beyond what was agreed; nobody has agreed on data."""
    for number, ended in ((1, "19"), (2, None)):
        key = f"AUTH-{number}"
        yield ticket_seen("10 08:00", key, kind="Task", status="To Do")
        yield dependency_added(f"1{number + 2} 09:00", f"GROW-900{number + 1}", key)
        if ended is not None:
            yield ticket_moved(f"{ended} 09:00", key, "Done")
    yield ticket_seen("10 08:00", "DATA-1", kind="Task", status="To Do")
    yield dependency_added("16 09:00", "GROW-9003", "DATA-1")
    between = {"from_team": TEAM, "to_team": "identity", "initiative": INITIATIVE}
    yield from (handed_over("10 09:00", "h1", **between), handed_over("11 09:00", "h1", "returned"))
    yield from (handed_over("11 09:00", "h2", **between), handed_over("12 09:00", "h2", "accepted"))
    yield handed_over("12 09:00", "h3", **between)
    yield from (decision("22 09:00", "ADR-1", **between), decision("24 09:00", "ADR-1", "decided"))
    yield decision("15 09:00", "ADR-2", **between)
    yield from (proposed("20 09:00", "a1", INITIATIVE), proposed("21 09:00", "a2", "nobody knows"))
