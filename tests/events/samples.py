"""One event of every type, with every field told. Their bytes are checked in under `golden/`.

`python -m tests.events.samples` writes the golden file of a type that has none yet. It never overwrites one: the bytes
of a released type are what others have stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.events.codec import encode
from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    GateEvaluated,
    HandoffEvent,
    LinkDeclared,
    OutcomeSampled,
    ReviewRequest,
    RolloutChanged,
    TicketTransferred,
)
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id, pseudonym
from pipeline.events.types import (
    ArtifactPublished,
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    ContractDeclared,
    DependencyEvent,
    DeploymentEvent,
    IncidentEvent,
    Payload,
    PipelineRun,
    Ref,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)
from pipeline.events.vocabulary import TYPES

GOLDEN = Path(__file__).parent / "golden"

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REPO = "acme/shop"
TRACKER = "https://acme.atlassian.net"
ADA = pseudonym("ada@acme.example", b"key")
HEAD = "8d3f6a1c0b5e4d2f9a7c6b5e4d3f2a1c0b9e8d7f"
BASE = "1f2e3d4c5b6a798081726354afbecddeef012345"

_PAYLOADS: tuple[Payload, ...] = (
    CommitRecorded(
        repo=REPO,
        sha=HEAD,
        authored_at=NOON - timedelta(hours=3, microseconds=1),
        committed_at=NOON,
        parents=[BASE],
        title="GROW-12 Ask for the name last — naïve no more",
        author=ADA,
        refs=[Ref("initiative", "faster-activation", "trailer"), Ref("ticket", "GROW-12", "commit")],
        paths=["services/signup/form.py"],
    ),
    BranchUpdated(
        repo=REPO, branch="main", before=BASE, after=HEAD, forced=True, commits=[BASE, HEAD], distinct=[HEAD]
    ),
    ChangeCreated(repo=REPO, change="7", created_at=NOON, author=ADA),
    ChangeUpdated(
        repo=REPO,
        change="7",
        title="Ask for the name last",
        branch="feature/grow-12-name-last",
        base="main",
        head_sha=HEAD,
        labels=["initiative/faster-activation"],
        refs=[Ref("label", "initiative/faster-activation", "label"), Ref("ticket", "GROW-12", "branch")],
        commits=[HEAD],
        draft=True,
        closed=True,
    ),
    ChangeReviewed(repo=REPO, change="7", verdict="changes_requested", reviewer=ADA, automated=True),
    ChangeMerged(repo=REPO, change="7", merge_sha=HEAD),
    ChangeAbandoned(repo=REPO, change="8"),
    DeploymentEvent(
        deployment="4711",
        environment="production",
        repo=REPO,
        sha=HEAD,
        service="signup",
        version="2.4.0",
        started_at=NOON - timedelta(minutes=4),
        url="https://ci.acme.example/deployments/4711",
        caused_by="INC-3",
    ),
    ServiceRolledBack(
        rollback="4712",
        environment="production",
        repo=REPO,
        sha=BASE,
        service="signup",
        rolled_back="4711",
        url="https://ci.acme.example/deployments/4712",
    ),
    IncidentEvent(
        incident="INC-3",
        service="signup",
        repo=REPO,
        environment="production",
        severity="sev2",
        title="Sign-up answers 500",
        deployment="4711",
        url="https://status.acme.example/incidents/3",
    ),
    TicketCreated(tracker=TRACKER, ticket="GROW-12", project="GROW", creator=ADA),
    TicketUpdated(
        tracker=TRACKER,
        ticket="GROW-12",
        project="GROW",
        title="Ask for the name last",
        kind="Story",
        status="In Review",
        parent="GROW-3",
        labels=["activation"],
        components=["signup"],
        team="growth",
        assignee=ADA,
        priority="High",
        resolution="Done",
        flagged=True,
    ),
    TicketMoved(tracker=TRACKER, ticket="GROW-12", to_status="In Review", from_status="In Progress", actor=ADA),
    TicketClosed(tracker=TRACKER, ticket="GROW-12", resolution="Done"),
    TicketDeleted(tracker=TRACKER, ticket="GROW-13"),
    DependencyEvent(tracker=TRACKER, ticket="GROW-12", blocked_by="IDEN-5"),
    PipelineRun(
        run="9001",
        pipeline="build and test",
        repo=REPO,
        sha=HEAD,
        branch="main",
        attempt=2,
        outcome="failure",
        url="https://ci.acme.example/runs/9001",
    ),
    ArtifactPublished(
        repo=REPO, tag="v2.4.0", sha=HEAD, version="2.4.0", prerelease=True, url="https://acme.example/releases/v2.4.0"
    ),
    ContractDeclared(
        kind="Initiative",
        name="faster-activation",
        spec={"owner": "growth", "tracks": {"jira": [{"epic": "GROW-3"}]}, "target": 0.48},
        metadata={"displayName": "Faster activation"},
        effective_from=NOON,
    ),
    ReviewRequest(repo=REPO, change="7", team="identity", reviewer=ADA),
    TicketTransferred(tracker=TRACKER, ticket="GROW-12", to_team="identity", from_team="growth", actor=ADA),
    HandoffEvent(
        handoff="HO-1",
        from_team="growth",
        to_team="identity",
        ticket="GROW-12",
        title="Sign in without a name",
        needed_by=NOON + timedelta(days=3),
        refs=[Ref("initiative", "faster-activation", "field")],
    ),
    DecisionEvent(
        decision="ADR-7",
        title="Names are optional",
        category="product",
        outcome="accepted",
        approvers=["identity", "legal"],
        by="ADR-9",
        from_team="growth",
        to_team="identity",
        needed_by=NOON + timedelta(days=2),
        ticket="GROW-12",
        url="https://github.com/acme/shop/blob/main/docs/adr/0007-names.md",
        refs=[Ref("initiative", "faster-activation", "field")],
    ),
    ArtifactProposed(
        artifact="spec-31",
        kind="specification",
        title="Sign-up in one step",
        agent="claude",
        context="context@4",
        initiative="faster-activation",
        repo=REPO,
        change="7",
        ticket="GROW-12",
        url="https://docs.acme.example/spec-31",
    ),
    LinkDeclared(
        kind="artifact", subject_id="spec-31", initiative="faster-activation", reason="made from a copy", actor=ADA
    ),
    AgentActed(
        act="act-1",
        agent="claude",
        action="merge",
        approvals=["identity"],
        on="acme/shop#7",
        initiative="faster-activation",
        url="https://github.com/acme/shop/pull/7",
    ),
    GateEvaluated(
        gate="commit",
        initiative="faster-activation",
        passed=False,
        missing=["horizon"],
        rule="1",
        evidence=["ADR-7"],
        exempt_until=NOON + timedelta(days=14),
    ),
    OutcomeSampled(
        metric="activation_rate",
        start=NOON,
        end=NOON + timedelta(days=1),
        n=200,
        total=82.0,
        squares=82.0,
        variant="new",
        revision=212,
    ),
    RolloutChanged(
        rollout="name-last",
        state="on",
        environment="production",
        project="shop",
        title="Ask for the name last",
        exposure=0.25,
        variants={"new": 0.25, "old": 0.75},
        tags=["initiative/faster-activation"],
        refs=[Ref("label", "initiative/faster-activation", "label")],
        actor=ADA,
        url="https://flags.acme.example/shop/name-last",
    ),
)


def sample(event_type: str) -> Event:
    """Return the sample event of a type; raises KeyError for one that has no sample."""
    payload = {type(payload): payload for payload in _PAYLOADS}[TYPES[event_type]]
    return Event(
        id=event_id(event_type, "sample"),
        source="https://acme.example/leadline",
        type=event_type,
        time=NOON + timedelta(microseconds=123_456),
        subject=f"sample/{event_type.split('.')[2]}",
        partitionkey=REPO,
        data=payload,
        recordedtime=NOON + timedelta(seconds=1),
    )


def golden_path(event_type: str) -> Path:
    """Return where the golden bytes of a type are."""
    return GOLDEN / f"{event_type}.json"


def _missing() -> Iterator[str]:
    return (event_type for event_type in TYPES if not golden_path(event_type).exists())


if __name__ == "__main__":
    for name in _missing():
        golden_path(name).write_bytes(encode(sample(name)))
