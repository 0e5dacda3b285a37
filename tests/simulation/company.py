"""The company of the stories about coordination: its teams, its words, and how its waits are written down."""

from __future__ import annotations

from typing import Any

from tests.simulation.story import MetricKey, initiative
from tests.simulation.story_teamwork import interaction, team, words

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


#: The scope of waits of growth for identity.
PAIR = "growth > identity"


def org(metric: str, stat: str = "value", days: int | None = 28) -> MetricKey:
    """A metric of the whole company."""
    return metric, stat, "org", "all", days


def still_open(**more: Any) -> dict[str, Any]:
    """What a wait says that goes on, and whatever else it says."""
    return {"ended_at": None, "end": None, "latency": None, "excluded": None, **more}


def excluded(why: str) -> dict[str, Any]:
    """What a wait says that does not count."""
    return {"excluded": why, "ended_at": None, "end": None, "latency": None}
