"""Histories of work whose numbers the tests of reports work out by hand."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.events.envelope import Event
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
)
from tests.simulation.story_teamwork import (
    decision,
    dependency_added,
    handed_over,
    interaction,
    policy,
    review_asked,
    team,
    transferred,
    words,
)

#: The latest event of the history.
NOW = "20 12:00"


def history() -> Iterator[Event]:
    """Growth works with core as agreed, and with data by itself; what is open is so until the 20th at noon."""
    yield team("growth", aliases=["GROW"], interactions=[interaction("core", "x-as-a-service", dependency="3d")])
    yield team("core", aliases=["CORE"], type="platform")
    yield team("data", aliases=["DATA"])
    yield service(dependsOn=["ledger", "lake"])
    yield service("ledger", owner="core", repos=["acme/ledger"])
    yield service("lake", owner="data", repos=["acme/lake"], dependsOn=["ledger"])
    yield initiative("speed", tracks={"jira": [{"epic": "GROW-1"}]})
    yield initiative("trust", tracks={"jira": [{"epic": "GROW-2"}]})
    yield policy(decisions={"cross": {"approvers": ["product", "legal"], "latencyTarget": "5d"}})
    yield words()
    yield from (ticket_seen("01 09:00", key, title=f"About {key}") for key in ("GROW-1", "GROW-2", "CORE-1", "DATA-1"))
    yield ticket_seen("01 09:00", "GROW-11", "GROW-1", title="Sign-up", status="To Do")
    yield ticket_seen("01 09:00", "GROW-12", "GROW-1", title="Sign-in", status="To Do")
    yield ticket_seen("01 09:00", "GROW-21", "GROW-2", title="Limits", status="To Do")
    yield ticket_seen("04 09:00", "GROW-31", title="Export", status="To Do")
    yield ticket_seen(NOW, "CORE-2", title="Tokens")
    yield from waits()
    yield from decisions()


def waits() -> Iterator[Event]:
    # Found a day after work began, and completed two days later.
    yield ticket_moved("02 09:00", "GROW-11", "In Progress")
    yield dependency_added("03 09:00", "GROW-11", "CORE-1")
    yield ticket_moved("05 09:00", "CORE-1", "Done")
    # Two that are open and wait for each other; the first is overdue since the 13th.
    yield dependency_added("10 09:00", "GROW-12", "CORE-2")
    yield dependency_added("18 09:00", "CORE-2", "GROW-12")
    # Known three days before work began; overdue since the 17th.
    yield dependency_added("12 09:00", "GROW-21", "DATA-1")
    yield ticket_moved("15 09:00", "GROW-21", "In Progress")
    yield opened("06 09:00", 1)
    yield review_asked("06 10:00", 1, "core")
    yield reviewed("06 14:00", 1)
    yield opened("19 09:00", 2)
    yield review_asked("19 12:00", 2, "core")
    # Returned once before it was taken up.
    between = {"from_team": "growth", "to_team": "data"}
    yield handed_over("07 09:00", "HO-1", title="Consent", needed_by="09 09:00", **between)
    yield handed_over("08 09:00", "HO-1", "returned")
    yield handed_over("09 12:00", "HO-1", "accepted")
    yield handed_over("11 12:00", "HO-1", "delivered")
    yield handed_over("14 09:00", "HO-2", "delivered", title="Events", ticket="GROW-21", **between)
    # There and back; taken up an hour after it is back.
    yield transferred("04 10:00", "GROW-31", "core", "growth")
    yield transferred("04 15:00", "GROW-31", "growth", "core")
    yield ticket_moved("04 16:00", "GROW-31", "In Progress")


def decisions() -> Iterator[Event]:
    asked = {"from_team": "growth", "to_team": "core", "category": "cross"}
    yield decision("10 09:00", "ADR-1", title="Tokens live a day", initiative="speed", **asked)
    yield decision("12 09:00", "ADR-1", "decided", outcome="accepted", approvers=["product"])
    yield decision("14 09:00", "ADR-2", title="One region", from_team="growth")
    yield decision("19 09:00", "ADR-3", title="Names are optional", approvers=["Legal"], category="cross")
    yield decision("18 09:00", "ADR-4", title="Old names go")
    yield decision("19 09:00", "ADR-4", "decided", outcome="rejected")


def delivered(number: int, title: str, begun: str, done: str, **fields: str) -> Iterator[Event]:
    """A change of the shop, reviewed and merged and deployed in one go."""
    sha = f"c{number}"
    yield committed(sha, begun, "c0", message=title)
    yield opened(begun, number)
    yield seen(begun, number, title=title, commits=[sha], **fields)
    yield reviewed(done, number)
    yield merged(done, number, sha)
    yield deployed(done, f"d{number}", sha)
