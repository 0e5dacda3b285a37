"""Stories: small histories with the facts and metrics that `docs/definitions.md` gives them, worked out by hand.

The fold and the audit are both held to them. Instants are written `DD hh:mm[:ss]` and mean March 2026, UTC.
`story_teamwork` tells what happens between teams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from math import isclose
from typing import Any

from pipeline.events import references
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    ContractDeclared,
    DeploymentEvent,
    IncidentEvent,
    Ref,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)
from pipeline.simulate.telling import CONVEYOR, PAGER, TRACKER, tell

SHOP = "acme/shop"
HOUR = 3600.0
DAY = 24 * HOUR

FactKey = tuple[str, str]
#: (metric, stat, scope kind, scope, window in days; None for what is not windowed)
MetricKey = tuple[str, str, str, str, int | None]


@dataclass(frozen=True)
class Story:
    """Events, and what must follow from them.

    `facts` maps (kind, fact id) to the fields that the story is about; the others are free. `absent` facts must not
    exist. `metrics` maps a key to (value, n), or to None where the metric must be absent, as of `as_of`.
    """

    name: str
    events: tuple[Event, ...]
    facts: Mapping[FactKey, Mapping[str, Any]] = field(default_factory=dict)
    absent: tuple[FactKey, ...] = ()
    metrics: Mapping[MetricKey, tuple[float, int] | None] = field(default_factory=dict)
    as_of: str = "28 12:00"

    def mismatches(
        self, facts: Mapping[FactKey, Mapping[str, Any]], points: Mapping[MetricKey, tuple[float, int]]
    ) -> list[str]:
        """Return one line for everything in which computed facts and metric points are not those of the story."""
        return [*self._fact_mismatches(facts), *self._metric_mismatches(points)]

    def _fact_mismatches(self, facts: Mapping[FactKey, Mapping[str, Any]]) -> Iterator[str]:
        for key, expected in self.facts.items():
            if key not in facts:
                yield f"{key} is missing; there are {sorted(facts)}"
                continue
            for name, value in expected.items():
                if not _same(facts[key][name], value):
                    yield f"{key} {name}: {facts[key][name]!r}, expected {value!r}"
        yield from (f"{key} must not exist" for key in self.absent if key in facts)

    def _metric_mismatches(self, points: Mapping[MetricKey, tuple[float, int]]) -> Iterator[str]:
        for key, expected in self.metrics.items():
            found = points.get(key)
            equal = found == expected if found is None or expected is None else all(map(_same, found, expected))
            if not equal:
                yield f"{key}: {found}, expected {expected}"


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float) and found is not None:
        return isclose(found, expected, rel_tol=1e-6)
    return bool(found == expected)


def moment(text: str) -> datetime:
    """Return the instant of `DD hh:mm[:ss[.ffffff]]` in March 2026."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-03-{day}T{clock}+00:00").astimezone(UTC)


def us(text: str) -> int:
    """Return the microseconds since 1970 of an instant of March 2026."""
    return to_us(moment(text))


def deployment_id(
    deployment: str,
    sha: str | None = None,
    *,
    repo: str | None = SHOP,
    service: str | None = None,
    environment: str = "production",
    source: str = CONVEYOR,
) -> str:
    """Return the id of the fact of a deployment with this placement."""
    placed = "|".join([source, deployment, repo or "", sha or "", service or "", environment])
    return sha256(placed.encode()).hexdigest()[:16]


def deployment(name: str, sha: str | None = None, **placement: Any) -> FactKey:
    return "deployment", deployment_id(name, sha, **placement)


def change(number: int, repo: str = SHOP) -> FactKey:
    return "change", f"{repo}#{number}"


def commit(sha: str, repo: str = SHOP) -> FactKey:
    return "change", f"{repo}@{sha}"


def incident(name: str, source: str = PAGER) -> FactKey:
    return "failure", f"{source}|incident|{name}"


def rollback(name: str, source: str = CONVEYOR) -> FactKey:
    return "failure", f"{source}|rollback|{name}"


def ticket(key: str) -> FactKey:
    return "ticket", key


# --- code -----------------------------------------------------------------------------------------------------------


def committed(
    sha: str,
    authored: str,
    *parents: str,
    message: str = "",
    repo: str = SHOP,
    paths: list[str] | None = None,
    brief: bool = False,
) -> Event:
    """A commit; `brief`: as a push tells it, without its parents."""
    payload = CommitRecorded(
        repo=repo,
        sha=sha,
        authored_at=moment(authored),
        committed_at=moment(authored),
        parents=None if brief else list(parents),
        title=message.partition("\n")[0],
        refs=references.in_text(message, "commit", repo),
        paths=paths,
    )
    return tell(CommitRecorded.TYPES[0], us(authored), payload)


def pushed(at: str, branch: str, before: str | None, after: str | None, **fields: Any) -> Event:
    payload = BranchUpdated(repo=fields.pop("repo", SHOP), branch=branch, before=before, after=after, **fields)
    return tell(BranchUpdated.TYPES[0], us(at), payload)


def opened(at: str, number: int, author: str | None = "p-ann", repo: str = SHOP) -> Event:
    payload = ChangeCreated(repo=repo, change=f"{repo}#{number}", created_at=moment(at), author=author)
    return tell(ChangeCreated.TYPES[0], us(at), payload)


def seen(at: str, number: int, *, body: str = "", repo: str = SHOP, **fields: Any) -> Event:
    """A snapshot of a change; its references are those of its title, body, branch and labels."""
    labels = fields.get("labels", [])
    refs: list[Ref] = references.merge(
        references.in_text(fields.get("title"), "title", repo),
        references.in_text(body, "body", repo),
        references.in_branch(fields.get("branch")),
        references.in_labels(labels),
    )
    payload = ChangeUpdated(repo=repo, change=f"{repo}#{number}", refs=refs, **fields)
    return tell(ChangeUpdated.TYPES[0], us(at), payload)


def reviewed(at: str, number: int, reviewer: str | None = "p-bob", *, automated: bool = False) -> Event:
    payload = ChangeReviewed(
        repo=SHOP, change=f"{SHOP}#{number}", verdict="commented", reviewer=reviewer, automated=automated
    )
    return tell(ChangeReviewed.TYPES[0], us(at), payload)


def merged(at: str, number: int, sha: str | None = None, repo: str = SHOP) -> Event:
    return tell(ChangeMerged.TYPES[0], us(at), ChangeMerged(repo=repo, change=f"{repo}#{number}", merge_sha=sha))


def abandoned(at: str, number: int) -> Event:
    return tell(ChangeAbandoned.TYPES[0], us(at), ChangeAbandoned(repo=SHOP, change=f"{SHOP}#{number}"))


# --- running --------------------------------------------------------------------------------------------------------


def deployed(at: str, name: str, sha: str | None = None, *, what: str = "succeeded", **fields: Any) -> Event:
    """A deployment `succeeded`, `started`, `failed` or was `cancelled`; `begun` is when it says that it started."""
    begun, source = fields.pop("begun", None), fields.pop("source", None)
    payload = DeploymentEvent(
        deployment=name,
        environment=fields.pop("environment", "production"),
        repo=fields.pop("repo", SHOP),
        sha=sha,
        started_at=moment(begun) if begun else None,
        **fields,
    )
    event_type = DeploymentEvent.TYPES[("succeeded", "started", "failed", "cancelled").index(what)]
    return tell(event_type, us(at), payload, source)


def rolled_back(at: str, name: str, undone: str | None = None, **fields: Any) -> Event:
    payload = ServiceRolledBack(
        rollback=name,
        environment=fields.pop("environment", "production"),
        repo=fields.pop("repo", SHOP),
        rolled_back=undone,
        **fields,
    )
    return tell(ServiceRolledBack.TYPES[0], us(at), payload)


def trouble(at: str, name: str, what: str = "detected", **fields: Any) -> Event:
    """An incident was `detected`, `reported`, `resolved` or `reopened`."""
    source = fields.pop("source", None)
    payload = IncidentEvent(incident=name, repo=fields.pop("repo", SHOP), **fields)
    event_type = IncidentEvent.TYPES[("detected", "reported", "resolved", "reopened").index(what)]
    return tell(event_type, us(at), payload, source)


# --- work and contract ----------------------------------------------------------------------------------------------


def ticket_created(at: str, key: str) -> Event:
    return tell(TicketCreated.TYPES[0], us(at), TicketCreated(tracker=TRACKER, ticket=key, project=_project(key)))


def ticket_seen(at: str, key: str, parent: str | None = None, **fields: Any) -> Event:
    payload = TicketUpdated(tracker=TRACKER, ticket=key, project=_project(key), parent=parent, **fields)
    return tell(TicketUpdated.TYPES[0], us(at), payload)


def ticket_moved(at: str, key: str, to_status: str, *, before: str | None = None, reason: str | None = None) -> Event:
    """A ticket went to another status from `before`, if the tracker tells that."""
    payload = TicketMoved(tracker=TRACKER, ticket=key, to_status=to_status, from_status=before, reason=reason)
    return tell(TicketMoved.TYPES[0], us(at), payload)


def ticket_closed(at: str, key: str) -> Event:
    return tell(TicketClosed.TYPES[0], us(at), TicketClosed(tracker=TRACKER, ticket=key, resolution="Done"))


def ticket_deleted(at: str, key: str) -> Event:
    return tell(TicketDeleted.TYPES[0], us(at), TicketDeleted(tracker=TRACKER, ticket=key))


def _project(key: str) -> str:
    return key.rpartition("-")[0]


def declared(
    kind: Any, name: str, spec: dict[str, Any] | None, at: str = "01 00:00", since: str | None = None
) -> Event:
    """An object of the contract, declared `at` and in force `since` (None: since ever)."""
    effective = moment(since) if since else None
    payload = ContractDeclared(kind=kind, name=name, spec=spec, metadata={"name": name}, effective_from=effective)
    return tell(ContractDeclared.TYPES[0], us(at), payload)


def service(name: str = "shop", *, at: str = "01 00:00", since: str | None = None, **spec: Any) -> Event:
    """A service; unless said otherwise it is owned by `growth` and made of the shop's repository."""
    return declared("Service", name, {"owner": "growth", "repos": [SHOP], **spec}, at, since)


def initiative(name: str, *, at: str = "01 00:00", **spec: Any) -> Event:
    return declared("Initiative", name, {"owner": "growth", "stage": "bet", **spec}, at)
