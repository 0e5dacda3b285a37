"""Stories about assistants: what they propose, what they do by themselves, and which changes they helped with."""

from __future__ import annotations

from pipeline.events.envelope import Event
from pipeline.events.types import ChangeCreated, CommitRecorded
from pipeline.simulate.telling import tell
from tests.simulation.company import INITIATIVES, org
from tests.simulation.story import (
    SHOP,
    Story,
    change,
    committed,
    declared,
    deployed,
    initiative,
    merged,
    moment,
    opened,
    seen,
    service,
    us,
)
from tests.simulation.story_teamwork import act, acted, artifact, linked, policy, proposed

BOUNDS = policy(
    agents={"automated": ["Format"], "human": ["merge"], "crossFunctional": ["release", "merge"]},
)


def opened_with(at: str, number: int, assistant: str) -> Event:
    """A change that an assistant's account opened."""
    payload = ChangeCreated(repo=SHOP, change=f"{SHOP}#{number}", created_at=moment(at), assistant=assistant)
    return tell(ChangeCreated.TYPES[0], us(at), payload)


def committed_with(sha: str, at: str, assistant: str) -> Event:
    payload = CommitRecorded(
        repo=SHOP, sha=sha, authored_at=moment(at), committed_at=moment(at), parents=[], assistant=assistant
    )
    return tell(CommitRecorded.TYPES[0], us(at), payload)


ARTIFACTS = (
    Story(
        "an artifact refers to the canonical initiative, or it does not count as context",
        (
            *INITIATIVES,
            initiative("old", stage="stopped"),
            initiative("other", aliases=["both"]),
            initiative("another", aliases=["both"]),
            proposed("02 09:00", "a1", "activation", kind="plan", context="prompt@1"),
            proposed("02 09:00", "a2", "OnBoarding"),
            proposed("02 09:00", "a3"),
            proposed("02 09:00", "a4", "activation-v2"),
            proposed("02 09:00", "a5", "both"),
            proposed("02 09:00", "a6", "old"),
        ),
        {
            artifact("a1"): {
                "status": "linked",
                "initiative": "activation",
                "named": "activation",
                "kind": "plan",
                "context": "prompt@1",
                "proposed_at": us("02 09:00"),
                "relinked_at": None,
            },
            artifact("a2"): {"status": "linked", "initiative": "activation", "named": "OnBoarding"},
            artifact("a3"): {"status": "missing", "initiative": None, "named": None},
            artifact("a4"): {"status": "unknown", "initiative": None},
            artifact("a5"): {"status": "unknown", "initiative": None},
            artifact("a6"): {"status": "closed", "initiative": None},
        },
        metrics={
            org("context_integrity"): (round(2 / 6, 9), 6),
            ("context_integrity", "value", "initiative", "activation", 28): (1.0, 2),
            ("context_integrity", "value", "initiative", "old", 28): None,
        },
    ),
    Story(
        "the latest link by hand goes before what the artifact names, whenever it was told",
        (
            *INITIATIVES,
            proposed("02 09:00", "a1", "activation-v2"),
            linked("03 09:00", "artifact", "a1", "activation"),
            proposed("02 09:00", "a2", "activation"),
            linked("04 09:00", "artifact", "a2", "nowhere"),
            linked("03 09:00", "artifact", "a2", "core"),
            linked("01 09:00", "artifact", "a3", "core"),
            proposed("02 09:00", "a3"),
            linked("03 09:00", "artifact", "a9", "core"),
        ),
        {
            artifact("a1"): {"status": "linked", "initiative": "activation", "relinked_at": us("03 09:00")},
            artifact("a2"): {"status": "unknown", "named": "nowhere", "relinked_at": us("04 09:00")},
            artifact("a3"): {"status": "linked", "initiative": "core", "relinked_at": us("01 09:00")},
        },
        absent=(artifact("a9"),),
        metrics={org("context_integrity"): (round(2 / 3, 9), 3)},
    ),
    Story(
        "an artifact is as it was first proposed",
        (
            *INITIATIVES,
            proposed("03 09:00", "a1", "core", title="Second", agent="other"),
            proposed("02 09:00", "a1", "activation", title="First", agent="one", ticket="GROW-1"),
        ),
        {
            artifact("a1"): {
                "title": "First",
                "agent": "one",
                "initiative": "activation",
                "proposed_at": us("02 09:00"),
                "ticket": "GROW-1",
            }
        },
    ),
    Story(
        "a closed initiative is one that was closed when something was proposed for it, or linked to it",
        (
            initiative("activation", stage="done"),
            initiative("activation", at="10 00:00", stage="commit"),
            initiative("core", stage="commit"),
            declared("Initiative", "core", {"owner": "growth", "stage": "done"}, "10 00:00", "10 00:00"),
            proposed("02 09:00", "a1", "activation"),
            proposed("12 09:00", "a2", "core"),
            proposed("02 09:00", "a3", "core"),
            proposed("02 09:00", "a4", "core"),
            linked("12 10:00", "artifact", "a4", "core"),
        ),
        {
            artifact("a1"): {"status": "linked"},
            artifact("a2"): {"status": "closed"},
            artifact("a3"): {"status": "linked"},
            artifact("a4"): {"status": "closed"},
        },
    ),
)

ACTS = (
    Story(
        "an act is judged by the first list that names its action",
        (
            BOUNDS,
            *INITIATIVES,
            acted("02 09:00", "t1", "format"),
            acted("02 09:00", "t2", "MERGE", on="acme/shop#1", initiative="onboarding"),
            acted("02 09:00", "t3", "merge", "engineering"),
            acted("02 09:00", "t4", "release", "engineering", "engineering"),
            acted("02 09:00", "t5", "release", "engineering", "product", initiative="nowhere"),
            acted("02 09:00", "t6", "delete", "engineering", "product"),
        ),
        {
            act("t1"): {"rule": "automated", "violation": False, "approvals": []},
            act("t2"): {
                "rule": "human",
                "violation": True,
                "on": "acme/shop#1",
                "initiative": "activation",
                "acted_at": us("02 09:00"),
            },
            act("t3"): {"rule": "human", "violation": False},
            act("t4"): {"rule": "crossFunctional", "violation": True, "approvals": ["engineering"]},
            act("t5"): {"rule": "crossFunctional", "violation": False, "initiative": None},
            act("t6"): {"rule": "undeclared", "violation": True},
        },
    ),
    Story(
        "where no boundary is declared none is overstepped, and the policy is that of the act",
        (
            policy(),
            policy(since="10 00:00", agents={"human": ["merge"]}),
            acted("02 09:00", "t1", "merge"),
            acted("12 09:00", "t2", "merge"),
            acted("12 09:00", "t3", "format"),
            acted("12 09:00", "t4", "merge"),
            acted("02 08:00", "t4", "merge", "engineering"),
        ),
        {
            act("t1"): {"rule": None, "violation": False},
            act("t2"): {"rule": "human", "violation": True},
            act("t3"): {"rule": "undeclared", "violation": True},
            act("t4"): {"rule": None, "violation": False, "acted_at": us("02 08:00"), "approvals": ["engineering"]},
        },
    ),
)

CHANGES = (
    Story(
        "the assistant of a change is the first by name of all that are told",
        (
            service(),
            deployed("01 09:00", "d0"),
            opened_with("02 09:00", 1, "devin"),
            seen("02 09:00", 1, assistant="zed"),
            seen("02 09:30", 1, assistant="copilot", head_sha="c1"),
            committed_with("c1", "02 08:00", "claude"),
            merged("02 10:00", 1),
            deployed("02 11:00", "d1"),
            opened("03 09:00", 2),
            seen("03 09:00", 2, assistant="copilot"),
            seen("03 09:30", 2),
            merged("03 10:00", 2),
            deployed("03 11:00", "d2"),
            opened("04 09:00", 3),
            committed("c3", "04 08:00"),
            seen("04 09:00", 3, head_sha="c3"),
        ),
        {
            change(1): {"assistant": "claude"},
            change(2): {"assistant": None},  # its latest text names none
            change(3): {"assistant": None},
        },
        # two were deployed
        metrics={org("assisted_share"): (0.5, 2), ("assisted_share", "value", "team", "growth", 28): (0.5, 2)},
    ),
    Story(
        "a change that a person linked names one more initiative",
        (
            service(),
            *INITIATIVES,
            deployed("01 09:00", "d0"),
            opened("02 09:00", 1),
            linked("03 09:00", "change", f"{SHOP}#1", "core"),
            linked("04 09:00", "change", f"{SHOP}#1", "onboarding"),
            opened("02 09:00", 2),
            seen("02 09:00", 2, body="Initiative: core"),
            linked("03 09:00", "change", f"{SHOP}#2", "activation"),
        ),
        {
            change(1): {"initiative": "activation", "confidence": "declared"},
            change(2): {"initiative": None, "confidence": "ambiguous", "candidates": ["activation", "core"]},
        },
    ),
)

ASSISTANTS = (*ARTIFACTS, *ACTS, *CHANGES)
