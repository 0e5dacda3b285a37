"""Runs and deployments: what the connectors of build and deployment tools must do alike.

Few tools know what a deployment is. In the others it is a pipeline, a stage or a job with a telling name, so that the
names which count are settings: `DEPLOYMENT_SETTINGS`, patterns as Python's `re` reads them, whatever the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Literal

import msgspec

from pipeline.events.delivery import Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError
from pipeline.events.ids import event_id
from pipeline.events.types import DeploymentEvent, Payload, PipelineRun, ServiceRolledBack

DEPLOYED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
(ROLLED_BACK,) = ServiceRolledBack.TYPES
RUN_QUEUED, RUN_STARTED, RUN_FINISHED = PipelineRun.TYPES

RunOutcome = Literal["success", "failure", "error", "cancel"]
#: How a deployment ended. `rolled_back`: it went well, and what it did was to bring back an earlier state.
Ending = Literal["success", "failure", "cancelled", "rolled_back"]

_ENDINGS: Mapping[Ending, str] = {"success": DEPLOYED, "failure": FAILED, "cancelled": CANCELLED}

_VERBS = r"(?<!un)deploy|promot|roll-?out|releas.*(?:prod|live|stag|uat|qa)|(?:prod|live|stag|uat|qa).*releas"
#: The settings of a connector whose tool has runs and jobs, with their defaults.
DEPLOYMENT_SETTINGS: Mapping[str, str] = {
    "deployment_pattern": _VERBS,
    "deployment_run_pattern": rf"^(?!.*(?:build|test|lint|check|(?<![a-z])ci(?![a-z]))).*(?:{_VERBS})",
    "rollback_pattern": r"roll-?back|roll-?ing-?back",
    "environment_pattern": (
        r"(?<![a-z])(non-?prod(?:uction)?|pre-?prod(?:uction)?|prod(?:uction)?|prd|live|stag(?:e|ing)|stg|uat|qa"
        r"|test(?:ing)?|integration|dev(?:elopment)?|sandbox|canary|demo|preview)(?![a-z])"
    ),
    "default_environment": "production",
}
#: The value of `default_environment` that leaves out what names no environment.
NO_ENVIRONMENT = "none"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Naming(msgspec.Struct, frozen=True):
    """Which names tell of a deployment, and of which environment."""

    deployment: re.Pattern[str]
    run: re.Pattern[str]
    rollback: re.Pattern[str]
    environments: re.Pattern[str]
    default_environment: str

    def deploys(self, job: str | None) -> bool:
        """Return whether a job, a stage or a step of this name is a deployment or a rollback."""
        return bool(job) and bool(self.deployment.search(job or "") or self.rolls_back(job))

    def run_deploys(self, pipeline: str | None) -> bool:
        """Return whether a run of a pipeline of this name is, as a whole, a deployment or a rollback."""
        return bool(pipeline) and bool(self.run.search(pipeline or "") or self.rolls_back(pipeline))

    def rolls_back(self, name: str | None) -> bool:
        """Return whether a name is that of a rollback."""
        return bool(name) and bool(self.rollback.search(name or ""))

    def environment(self, *names: str | None) -> str | None:
        """Return the first environment that one of the names speaks of, as written there; None if none does."""
        for name in names:
            found = self.environments.search(_CAMEL.sub("-", name)) if name else None
            if found:
                return (found[1] if self.environments.groups else found[0]) or None
        return None

    def target(self, *names: str | None) -> str | None:
        """Return the environment that the names speak of, else the default one; None: the deployment is left out."""
        default = None if self.default_environment.lower() == NO_ENVIRONMENT else self.default_environment
        return self.environment(*names) or default


def read_naming(settings: Mapping[str, str], defaults: Mapping[str, str] = DEPLOYMENT_SETTINGS) -> Naming:
    """Return the settings; what is not given, or is blank, has its default. Raises `ConfigError` for a bad pattern."""
    return _parse(tuple((name, settings.get(name, "").strip() or defaults[name]) for name in DEPLOYMENT_SETTINGS))


@lru_cache(maxsize=64)
def _parse(pairs: tuple[tuple[str, str], ...]) -> Naming:
    text = dict(pairs)
    return Naming(
        deployment=pattern("deployment_pattern", text["deployment_pattern"]),
        run=pattern("deployment_run_pattern", text["deployment_run_pattern"]),
        rollback=pattern("rollback_pattern", text["rollback_pattern"]),
        environments=pattern("environment_pattern", text["environment_pattern"]),
        default_environment=text["default_environment"],
    )


@lru_cache(maxsize=256)
def pattern(setting: str, text: str) -> re.Pattern[str]:
    """Compile the pattern of a setting, regardless of case; raises `ConfigError` naming setting, value and fault."""
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"{setting} is {text!r}: {error}; write a regular expression of Python's `re`") from error


#: What became of a payload: events, or the name under which it was left out on purpose.
Outcome = list[Event] | str


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """Join the outcomes of several items, each event once. They count as left out only if none tells anything."""
    events: dict[str, Event] = {}
    reasons: list[str] = []
    for outcome in outcomes:
        if isinstance(outcome, str):
            reasons.append(outcome)
        else:
            events.update((event.id, event) for event in outcome)
    return reasons[0] if reasons and not events else list(events.values())


def translation(outcome: Outcome) -> Translation:
    """Return an outcome as a connector's `translate` does, each event once."""
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def ending_of(outcome: RunOutcome | None) -> Ending | None:
    """Return how a deployment ended whose run had this outcome."""
    match outcome:
        case "success":
            return "success"
        case "failure" | "error":
            return "failure"
        case "cancel":
            return "cancelled"
        case None:
            return None


class Source(msgspec.Struct, frozen=True):
    """The system that tells, and what its events are ordered by (a project, a repository, an application)."""

    uri: str
    partitionkey: str

    def event(self, event_type: str, at: datetime, subject: str, data: Payload, *told: object) -> Event:
        """Return an event whose id covers type, subject, time and content, and `told` where two may share all that."""
        content = msgspec.json.encode(data).decode()
        return Event(
            id=event_id(event_type, subject, at.isoformat(), content, *told),
            source=self.uri,
            type=event_type,
            time=at,
            subject=subject,
            partitionkey=self.partitionkey,
            data=data,
        )

    def run(
        self,
        data: PipelineRun,
        *,
        queued_at: datetime | None = None,
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
    ) -> list[Event]:
        """Return how far a run has come, one event for each instant known. Only the last carries `data.outcome`."""
        open_run = msgspec.structs.replace(data, outcome=None)
        steps = (
            (RUN_QUEUED, queued_at, open_run),
            (RUN_STARTED, started_at, open_run),
            (RUN_FINISHED, finished_at, data),
        )
        return [self.event(kind, at, data.run, told) for kind, at, told in steps if at is not None]

    def deployment(
        self, data: DeploymentEvent, *, finished_at: datetime | None = None, ending: Ending | None = None
    ) -> list[Event]:
        """Return the start of a deployment (at `started_at`, if known) and its end (if both arguments are known).

        A deployment that is `rolled_back` is told as a rollback alone, so that it counts for nothing else.
        """
        events = [self.event(STARTED, data.started_at, data.deployment, data)] if data.started_at else []
        if finished_at is None or ending is None:
            return events
        if ending != "rolled_back":
            return [*events, self.event(_ENDINGS[ending], finished_at, data.deployment, data)]
        return [self.rollback(data, finished_at)]

    def rollback(self, of: DeploymentEvent, at: datetime, rolled_back: str | None = None) -> Event:
        """Return the rollback that is placed as `of`; `rolled_back`: the deployment that it undid, if known."""
        data = ServiceRolledBack(
            rollback=of.deployment,
            environment=of.environment,
            repo=of.repo,
            sha=of.sha,
            service=of.service,
            rolled_back=rolled_back,
            url=of.url,
        )
        return self.event(ROLLED_BACK, at, data.rollback, data)
