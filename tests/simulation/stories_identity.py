"""Stories about attribution: which initiative a change, a deployment or a ticket serves, and how surely."""

from __future__ import annotations

from typing import Any

from pipeline.events.envelope import Event
from tests.simulation.story import (
    HOUR,
    SHOP,
    Story,
    change,
    commit,
    committed,
    deployed,
    deployment,
    initiative,
    merged,
    opened,
    seen,
    service,
    ticket_seen,
)

CONTRACT = (
    service(),
    initiative(
        "activation", aliases=["onboarding"], tracks={"jira": [{"epic": "GROW-1"}], "github": [{"label": "growth"}]}
    ),
    initiative("core", tracks={"jira": [{"ticket": "CORE-1"}]}),
)

SEED = (deployed("01 09:00", "d0"),)


def delivered(day: int, number: int, **fields: Any) -> tuple[Event, ...]:
    """A change without a graph, opened at 09:00, merged at 10:00 and deployed at 11:00 of a day."""
    return (
        opened(f"{day:02} 09:00", number),
        seen(f"{day:02} 09:00", number, **fields),
        merged(f"{day:02} 10:00", number),
        deployed(f"{day:02} 11:00", f"d{number}"),
    )


def served(name: str, confidence: str) -> dict[str, Any]:
    return {"initiative": name, "confidence": confidence, "candidates": []}


ORPHAN: dict[str, Any] = {"initiative": None, "confidence": None, "candidates": []}

LEVELS = (
    Story(
        "each level links in its own way, and the first that yields an initiative decides",
        (
            *CONTRACT,
            *SEED,
            ticket_seen("01 09:00", "CORE-2", "CORE-1"),
            *delivered(2, 1, body="CORE-2\n\nInitiative: Activation", labels=["growth"]),
            *delivered(3, 2, title="CORE-2 something", labels=["growth"]),
            *delivered(4, 3, title="CORE-2 something", body="GROW-1"),
            *delivered(5, 4, branch="core-2-x", body="GROW-1"),
            *delivered(6, 5, title="UTF-8", body="see GROW-1"),
            *delivered(7, 6, title="UTF-8", body="Initiative: nobody-knows\nNOPE-1"),
        ),
        {
            change(1): served("activation", "declared"),
            change(2): served("activation", "declared"),
            change(3): served("core", "linked"),
            change(4): served("core", "linked"),
            change(5): served("activation", "linked"),
            change(6): ORPHAN,
            deployment("d3"): {"trace": "traced", "initiatives": ["core"], "changes": 1},
            deployment("d6"): {"trace": "orphan", "initiatives": []},
            deployment("d0"): {"trace": "empty", "initiatives": [], "changes": 0},
        },
        metrics={
            ("traceability_coverage", "value", "org", "all", 28): (5 / 6, 6),
            ("orphan_deployments", "value", "service", "shop", 28): (1.0, 6),
            ("ambiguous_deployments", "value", "org", "all", 28): (0.0, 6),
            ("deployment_frequency", "value", "initiative", "activation", 28): (3 / 28, 3),
            ("change_lead_time", "p50", "initiative", "core", 28): (2 * HOUR, 2),
            ("traceability_coverage", "value", "initiative", "core", 28): (1.0, 2),
        },
    ),
    Story(
        "a name resolves in any case and by an alias; two names are ambiguous, the same one twice is not",
        (
            *CONTRACT,
            *SEED,
            *delivered(2, 1, body="Initiative: ONBOARDING"),
            *delivered(3, 2, body="Initiative: onboarding, ACTIVATION"),
            *delivered(4, 3, body="Initiative: activation, core", title="GROW-1"),
            *delivered(5, 4, title="GROW-1 and CORE-1"),
        ),
        {
            change(1): served("activation", "declared"),
            change(2): served("activation", "declared"),
            change(3): {"initiative": None, "confidence": "ambiguous", "candidates": ["activation", "core"]},
            change(4): {"initiative": None, "confidence": "ambiguous", "candidates": ["activation", "core"]},
            deployment("d3"): {"trace": "ambiguous", "initiatives": []},
        },
        metrics={
            ("traceability_coverage", "value", "org", "all", 28): (2 / 4, 4),
            ("ambiguous_deployments", "value", "org", "all", 28): (2.0, 4),
            ("orphan_deployments", "value", "org", "all", 28): (0.0, 4),
        },
    ),
    Story(
        "a name comes before an alias, and what two initiatives are called is ambiguous",
        (
            initiative("a", aliases=["B", "both"]),
            initiative("b", aliases=["both"]),
            opened("02 09:00", 1),
            seen("02 09:00", 1, body="Initiative: b"),
            opened("02 09:00", 2),
            seen("02 09:00", 2, body="Initiative: both"),
        ),
        {
            change(1): served("b", "declared"),
            change(2): {"confidence": "ambiguous", "candidates": ["a", "b"]},
        },
    ),
    Story(
        "the trailers and ticket keys of its commits speak for a change, and for a commit without one",
        (
            *CONTRACT,
            committed("c0", "01 08:00"),
            deployed("01 09:00", "d0", "c0"),
            committed("c1", "02 09:00", "c0", message="Start\n\nInitiative: activation"),
            opened("02 10:00", 1),
            seen("02 10:00", 1, head_sha="c1", title="CORE-1"),
            committed("m1", "02 11:00", "c0", message="Start (#1)"),
            merged("02 11:00", 1, "m1"),
            committed("c2", "02 12:00", "m1", message="CORE-1: direct\n\nIncident: INC-7"),
            deployed("02 13:00", "d1", "c2"),
        ),
        {
            change(1): served("activation", "declared"),
            commit("c2"): {**served("core", "linked"), "unplanned": True},
            deployment("d1", "c2"): {"trace": "traced", "initiatives": ["activation", "core"], "rework": True},
        },
        metrics={
            ("deployment_frequency", "value", "initiative", "core", 28): (1 / 28, 1),
            ("deployment_frequency", "value", "initiative", "activation", 28): (1 / 28, 1),
            ("deployment_frequency", "value", "org", "all", 28): (2 / 28, 2),
        },
    ),
    Story(
        "a service that an initiative tracks says something, but nothing deterministic",
        (
            service(),
            initiative("shop-revamp", tracks={"service": ["shop"]}),
            *SEED,
            *delivered(2, 1),
        ),
        {
            change(1): served("shop-revamp", "inferred"),
            deployment("d1"): {"trace": "orphan", "initiatives": []},
        },
        metrics={
            ("deployment_frequency", "value", "initiative", "shop-revamp", 28): None,
            ("change_lead_time", "p50", "initiative", "shop-revamp", 28): None,
            ("traceability_coverage", "value", "org", "all", 28): (0.0, 1),
        },
    ),
    Story(
        "the latest snapshot of a change replaces what the earlier ones referred to",
        (
            *CONTRACT,
            *SEED,
            *delivered(2, 1, title="GROW-1"),
            seen("02 09:30", 1, title="CORE-1"),
        ),
        {change(1): {**served("core", "linked"), "title": "CORE-1"}},
    ),
    Story(
        "initiatives resolve by their latest version: a link declared late attributes what was delivered before",
        (
            *CONTRACT,
            *SEED,
            *delivered(2, 1, title="CORE-5"),
            *delivered(3, 2, title="GROW-1"),
            initiative("core", at="20 00:00", tracks={"jira": [{"epic": "CORE-5"}]}),
            initiative("activation", at="20 00:00", tracks={}),
        ),
        {change(1): served("core", "linked"), change(2): ORPHAN},
    ),
)

TRACE = (
    Story(
        "one traced member traces a deployment; exempt members do not count against it",
        (
            *CONTRACT,
            *SEED,
            opened("02 09:00", 1),
            seen("02 09:00", 1, title="GROW-1"),
            merged("02 10:00", 1),
            opened("02 09:00", 2),
            seen("02 09:00", 2, title="GROW-1 CORE-1"),
            merged("02 10:00", 2),
            opened("02 09:00", 3),
            merged("02 10:00", 3),
            deployed("02 11:00", "d1"),
            opened("03 09:00", 4),
            seen("03 09:00", 4, title="GROW-1 CORE-1"),
            merged("03 10:00", 4),
            opened("03 09:00", 5),
            merged("03 10:00", 5),
            deployed("03 11:00", "d2"),
        ),
        {
            deployment("d1"): {"changes": 3, "trace": "traced", "initiatives": ["activation"]},
            deployment("d2"): {"changes": 2, "trace": "ambiguous", "initiatives": []},
            change(3): {**ORPHAN, "service": "shop", "services": ["shop"], "repo": SHOP},
        },
        metrics={
            ("change_lead_time", "p50", "initiative", "activation", 28): (2 * HOUR, 1),
            ("change_lead_time", "p50", "org", "all", 28): (2 * HOUR, 5),
        },
    ),
)

IDENTITY = (*LEVELS, *TRACE)
