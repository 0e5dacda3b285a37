"""The contract of a simulated organisation, as the events that declare it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pipeline.events.envelope import Event
from pipeline.events.times import DAY_US, from_us
from pipeline.events.types import ContractDeclared
from pipeline.simulate.cast import Cast, Initiative, Service, cast_of
from pipeline.simulate.plan import Plan
from pipeline.simulate.telling import tell

DECLARED = ContractDeclared.TYPES[0]
NOTICE_US = 2 * DAY_US
REORGANISED_AT = 0.5

_STATUSES = {"To Do": "ready", "In Progress": "in_progress", "In Review": "in_review", "Done": "done"}


def reorganised_us(plan: Plan) -> int:
    """Return the instant at which the re-organisation takes effect, in microseconds since 1970."""
    return plan.moment_us(REORGANISED_AT)


def successor(service: str) -> str:
    """Return the name that a renamed service has after the re-organisation."""
    return f"{service}-core"


def new_owner(cast: Cast, owner: str) -> str:
    """Return the team that owns the re-homed service after the re-organisation: the one after its owner."""
    names = [team.name for team in cast.teams]
    return names[(names.index(owner) + 1) % len(names)]


def contract_events(plan: Plan) -> Iterator[Event]:
    """Yield the declarations in event-time order: all at the start; the re-organisation two days before its effect."""
    cast, at = cast_of(plan), plan.start_us
    for position, team in enumerate(cast.teams):
        neighbour = cast.teams[(position + 1) % len(cast.teams)].name
        yield _declare(at, "Team", team.name, _team_spec(team.type, neighbour if neighbour != team.name else None))
    for service in cast.services:
        yield _declare(at, "Service", service.name, _service_spec(service, service.owner))
    for initiative in cast.initiatives:
        yield _declare(at, "Initiative", initiative.name, _initiative_spec(initiative), initiative.display_name)
    yield _declare(at, "StatusMap", "tracker", {"tracker": "tracker", "map": _STATUSES})
    yield _declare(at, "Policy", "default", {"attributionWindow": "3d"})
    yield from _reorganisation(plan, cast)


def _reorganisation(plan: Plan, cast: Cast) -> Iterator[Event]:
    at, effect = reorganised_us(plan) - NOTICE_US, reorganised_us(plan)
    for service in cast.services:
        if service.name == cast.rehomed:
            spec = _service_spec(service, new_owner(cast, service.owner))
            yield _declare(at, "Service", service.name, spec, effect=effect)
        if service.name == cast.renamed:
            yield _declare(at, "Service", service.name, None, effect=effect)
            yield _declare(at, "Service", successor(service.name), _service_spec(service, service.owner), effect=effect)


def _declare(
    at: int,
    kind: Literal["Initiative", "Team", "Service", "StatusMap", "Policy"],
    name: str,
    spec: dict[str, Any] | None,
    display_name: str | None = None,
    effect: int | None = None,
) -> Event:
    metadata = {"displayName": display_name} if display_name else {}
    since = None if effect is None else from_us(effect)
    payload = ContractDeclared(kind=kind, name=name, spec=spec, metadata=metadata, effective_from=since)
    return tell(DECLARED, at, payload)


def _team_spec(kind: str, neighbour: str | None) -> dict[str, Any]:
    if neighbour is None:
        return {"type": kind}
    mode = {"platform": "x-as-a-service", "enabling": "facilitating"}.get(kind, "collaboration")
    expect = {"dependency": "3d", "review": "1d", "decision": "2d"}
    return {"type": kind, "interactions": [{"with": neighbour, "mode": mode, "expect": expect}]}


def _service_spec(service: Service, owner: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"owner": owner, "repos": [service.repo]}
    if service.path is not None:
        spec["paths"] = [service.path]
    spec["environments"] = {"production": ["production", "prod", "live"]}
    return spec


def _initiative_spec(initiative: Initiative) -> dict[str, Any]:
    return {
        "owner": initiative.owner,
        "stage": "bet",
        "outcomes": [{"metric": "adoption", "baseline": 0.41, "target": 0.48, "direction": "up", "horizon": "28d"}],
        "tracks": {
            "jira": [{"label": initiative.epic_label} if initiative.by_label else {"epic": initiative.root}],
            "github": [{"label": initiative.label}],
            "trailer": ["Initiative"],
        },
    }
