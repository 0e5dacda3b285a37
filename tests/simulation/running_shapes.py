"""Strategies for deployments, rollbacks and incidents: contradictory outcomes, no sha, unknown services, odd orders."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import ArtifactPublished, DeploymentEvent, IncidentEvent, PipelineRun, ServiceRolledBack
from pipeline.simulate.telling import tell
from tests.simulation.ground import (
    DEPLOYMENTS,
    HOUR_US,
    environments,
    instants,
    repos,
    services,
    shas,
    times,
)

SUCCEEDED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
DETECTED, REPORTED, RESOLVED, REOPENED = IncidentEvent.TYPES
ROLLED_BACK = ServiceRolledBack.TYPES[0]
PUBLISHED = ArtifactPublished.TYPES[0]

# Outcomes of one deployment, in the order in which they happen.
_LIVES = [
    [STARTED, SUCCEEDED],
    [STARTED, SUCCEEDED],
    [SUCCEEDED],
    [SUCCEEDED, SUCCEEDED],
    [STARTED, FAILED],
    [FAILED, SUCCEEDED],
    [SUCCEEDED, FAILED],
    [STARTED, CANCELLED],
    [CANCELLED, SUCCEEDED],
    [STARTED],
]
_PLACES = ["repo", "repo", "repo", "bare", "service"]
CAUSED_BY = {"d5": "INC-1"}
#: A second source with the same deployment ids: a link by id prefers the one that told the failure.
OTHER_SOURCE = "https://other-deploy.acme.example"


@st.composite
def deployments(draw: st.DrawFn) -> list[Event]:
    """One deployment: with or without repository, commit and service; several successes; success after failure.

    Drawn twice with one id it is two deployments, or at one place the same one: what else is told follows from the id.
    """
    deployment, placed = draw(st.sampled_from(DEPLOYMENTS)), draw(st.sampled_from(_PLACES))
    service = draw(services) if placed == "repo" else draw(st.sampled_from(["shop", "gateway", "ghost"]))
    repo = None if placed == "service" else draw(repos)
    sha = draw(shas) if placed == "repo" else None
    environment, version, caused_by = draw(environments), f"1.{deployment[1:]}", CAUSED_BY.get(deployment)
    source = draw(st.sampled_from([None, None, None, OTHER_SOURCE]))
    begun = draw(instants)
    told = draw(st.sampled_from([None, begun, begun - HOUR_US]))
    events, at = [], begun
    for event_type in draw(st.sampled_from(_LIVES)):
        payload = DeploymentEvent(
            deployment=deployment,
            environment=environment,
            repo=repo,
            sha=sha,
            service=service,
            version=version,
            started_at=None if told is None else from_us(told),
            caused_by=caused_by,
        )
        events.append(tell(event_type, at, payload, source))
        at += draw(st.sampled_from([0, HOUR_US, 30 * HOUR_US]))
    return events


@st.composite
def rollbacks(draw: st.DrawFn, rollback: str) -> list[Event]:
    """One rollback: of a deployment it names, of one nobody knows, or of whatever ran before."""
    payload = ServiceRolledBack(
        rollback=rollback,
        environment=draw(environments),
        repo=draw(st.none() | repos),
        sha=draw(st.none() | shas),
        service=draw(services),
        rolled_back=draw(st.sampled_from([None, None, *DEPLOYMENTS, "d-unknown"])),
    )
    return [tell(ROLLED_BACK, at, payload) for at in draw(times(1, 2))]


@st.composite
def incidents(draw: st.DrawFn, incident: str) -> list[Event]:
    """One incident: told in any order, reopened, resolved more than once, before any deployment, renamed on the way."""
    service, repo = draw(services), draw(st.none() | repos)
    deployment = draw(st.sampled_from([None, None, *DEPLOYMENTS, "d-unknown"]))
    events = []
    for at in draw(times(1, 5)):
        event_type = draw(st.sampled_from([DETECTED, DETECTED, REPORTED, RESOLVED, RESOLVED, REOPENED]))
        payload = IncidentEvent(
            incident=incident,
            service=service,
            repo=repo,
            environment=draw(st.sampled_from([None, None, "production", "staging"])),
            severity=draw(st.sampled_from([None, "1", "3"])),
            title=draw(st.sampled_from(["", "Checkout is slow", "Checkout is down"])),
            deployment=draw(st.sampled_from([deployment, deployment, None])),
        )
        events.append(tell(event_type, at, payload))
    return events


@st.composite
def bystanders(draw: st.DrawFn) -> list[Event]:
    """Pipeline runs and releases: they change no delivery fact."""
    repo, sha, at = draw(repos), draw(shas), draw(instants)
    run = PipelineRun(
        run=draw(st.sampled_from(["run-1", "run-2"])), pipeline="build", repo=repo, sha=sha, outcome="success"
    )
    tag = draw(st.sampled_from(["v1.0.0", "v1.0.0-rc1"]))
    release = ArtifactPublished(repo=repo, tag=tag, sha=sha, version=tag.removeprefix("v"), prerelease="rc" in tag)
    return [tell(draw(st.sampled_from(PipelineRun.TYPES)), at, run), tell(PUBLISHED, at + HOUR_US, release)]
