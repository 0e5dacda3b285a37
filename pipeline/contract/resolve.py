"""The compiled contract: what a service, an environment, a team, a policy or an initiative was at a moment.

Compiled from all declarations at once; their order is irrelevant. Every answer is a dictionary look-up and, for what
depends on time, a bisection over the versions of that one object, so it costs the same however long the history is.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from pipeline.contract.coordination import Coordination
from pipeline.contract.rules import (
    InitiativeRule,
    PolicyRule,
    ServiceRule,
    glob_matcher,
    path_matcher,
    sounds_like_production,
)
from pipeline.contract.teamwork import PracticeRule, StatusMapRule, TeamRule
from pipeline.contract.timeline import EVER, Timeline, combine
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared

UNKNOWN = "unknown"
_NONE: frozenset[str] = frozenset()

#: (time of the declaration in microseconds, event id, payload)
Declaration = tuple[int, str, ContractDeclared]
#: (kind, name)
ObjectName = tuple[str, str]

_Rule = TypeVar("_Rule", ServiceRule, InitiativeRule, PolicyRule, TeamRule, StatusMapRule, PracticeRule)


class Version(msgspec.Struct, frozen=True):
    """An object as declared. It holds from `start` until the next version starts. `spec` None: withdrawn.

    `start` and `declared` (when it was said) are microseconds since 1970; a start of `EVER` means since ever.
    """

    start: int
    declared: int
    id: str
    spec: dict[str, Any] | None
    metadata: dict[str, Any]


class Unreadable(msgspec.Struct, frozen=True):
    """A declaration that derivation cannot use, and why; the version before it goes on holding."""

    kind: str
    name: str
    id: str
    message: str


class ResolvedPolicy:
    """The policy that holds at a moment."""

    __slots__ = ("_exempt", "_rework", "attribution_window_us")

    def __init__(self, rule: PolicyRule) -> None:
        self.attribution_window_us = rule.window_us
        self._rework = glob_matcher(rule.rework_branches), glob_matcher(rule.rework_labels)
        self._exempt = glob_matcher(rule.exempt_branches), glob_matcher(rule.exempt_labels)

    def is_unplanned(self, branch: str | None, labels: Iterable[str]) -> bool:
        """Return whether a change's branch or one of its labels matches a `rework` glob, whatever their case."""
        return _matches(self._rework, branch, labels)

    def is_exempt(self, branch: str | None, labels: Iterable[str]) -> bool:
        """Return whether a change's branch or one of its labels matches an `exempt` glob, whatever their case."""
        return _matches(self._exempt, branch, labels)


class _Claim(msgspec.Struct, frozen=True):
    """The services that list one repository, and what tells those apart that have paths."""

    names: tuple[str, ...]
    paths: tuple[tuple[str, Any], ...]


class Contract:
    """What was declared, resolved. All moments are microseconds since 1970. Without declarations, the defaults hold."""

    def __init__(self, history: Mapping[ObjectName, Sequence[Version]]) -> None:
        """Take the versions of every object, each in its order. See `compile`."""
        self._history = history
        self.unreadable: list[Unreadable] = []
        self._services = self._rules("Service", ServiceRule.read)
        initiatives = self._rules("Initiative", InitiativeRule.read)
        policies = self._rules("Policy", PolicyRule.read)
        latest = {name: rule for name, timeline in initiatives.items() if (rule := timeline.values[-1])}
        self._initiatives = _by_name(latest)
        self._by_label = _index(latest, lambda rule: rule.labels)
        self._by_ticket = _index(latest, lambda rule: rule.tickets)
        self._by_service = _index(latest, lambda rule: rule.services)
        self._repos = _claims(self._services)
        self._default_policy = ResolvedPolicy(PolicyRule.read({}))
        self._policies = combine(
            list(policies.values()), lambda rules: next((ResolvedPolicy(rule) for rule in rules if rule), None)
        )
        windows = [policy.attribution_window_us for policy in self._policies.values if policy is not None]
        #: The longest attribution window that ever held, in microseconds.
        self.longest_window_us = max([self._default_policy.attribution_window_us, *windows])
        maps = self._rules("StatusMap", StatusMapRule.read)
        #: What it says of teams, statuses, waits and decisions.
        self.coordination = Coordination(
            self._rules("Team", TeamRule.read),
            {name: told for name, timeline in maps.items() if (told := timeline.values[-1])},
            list(self._rules("Policy", PracticeRule.read).values()),
            {
                name: Timeline((at, rule is not None and rule.closed) for at, rule in timeline.steps())
                for name, timeline in initiatives.items()
            },
        )
        self.fingerprint = _fingerprint(self._services, latest, policies, self.coordination)

    @classmethod
    def compile(cls, declarations: Iterable[Declaration]) -> Contract:
        """Return the contract of `declarations`, in any order and with any repetitions."""
        history: dict[ObjectName, dict[str, Version]] = defaultdict(dict)
        for declared, identity, data in declarations:
            start = EVER if data.effective_from is None else to_us(data.effective_from)
            version = Version(start, declared, identity, data.spec, data.metadata)
            history[data.kind, data.name][identity] = version
        ordered = {
            name: sorted(versions.values(), key=lambda each: (each.start, each.declared, each.id))
            for name, versions in sorted(history.items())
        }
        return cls(ordered)

    @property
    def has_declarations(self) -> bool:
        """Return whether anything was ever declared."""
        return bool(self._history)

    def service_of(self, repo: str | None, service: str | None, at: int) -> str:
        """Return the service meant by what a source named, and by the repository it happened in."""
        if service and (timeline := self._services.get(service)) and timeline.at(at):
            return service
        if repo and (claims := self._repos.get(repo)) and (claim := claims.at(at)) and len(claim.names) == 1:
            return claim.names[0]
        return service or repo or UNKNOWN

    def services_of_change(self, repo: str, paths: Collection[str] | None, at: int) -> list[str]:
        """Return the services, sorted, that a change in `repo` belongs to. `paths` None: its files were not told."""
        claims = self._repos.get(repo)
        claim = claims.at(at) if claims else None
        if claim is None:
            return [repo]
        if paths and claim.paths:
            touched = [name for name, matcher in claim.paths if any(map(matcher.match, paths))]
            if touched:
                return touched
        return list(claim.names)

    def delivers_alike(self, repo: str, one: int, other: int) -> bool:
        """Return whether the same services, with the same paths, made up `repo` at two moments."""
        claims = self._repos.get(repo)
        return claims is None or claims.at(one) == claims.at(other)

    def is_production(self, service: str, environment: str, at: int) -> bool:
        """Return whether `environment` is production for `service`."""
        timeline = self._services.get(service)
        rule = timeline.at(at) if timeline else None
        if rule is None or rule.production is None:
            return sounds_like_production(environment)
        return environment.lower() in rule.production

    def team_of(self, service: str, at: int) -> str | None:
        """Return the team that owned `service`; None if it was not declared."""
        timeline = self._services.get(service)
        rule = timeline.at(at) if timeline else None
        return rule.owner if rule else None

    def policy(self, at: int) -> ResolvedPolicy:
        """Return the policy; where several are declared, the first by name that holds."""
        return self._policies.at(at) or self._default_policy

    def initiatives_named(self, name: str) -> frozenset[str]:
        """Return the initiative with that name, or else those with that alias, whatever the case."""
        return self._initiatives.get(name.lower(), _NONE)

    def initiatives_by_label(self, label: str) -> frozenset[str]:
        """Return the initiatives that track a label."""
        return self._by_label.get(label, _NONE)

    def initiatives_by_ticket(self, key: str) -> frozenset[str]:
        """Return the initiatives that track a ticket, as epic or as ticket."""
        return self._by_ticket.get(key, _NONE)

    def initiatives_by_service(self, service: str) -> frozenset[str]:
        """Return the initiatives that track a service."""
        return self._by_service.get(service, _NONE)

    def versions(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of one object, in the order in which they hold."""
        return self._history.get((kind, name), ())

    def objects(self, at: int | None = None) -> dict[ObjectName, Version]:
        """Return what holds at a moment, or (None) the latest version of everything; withdrawn objects are left out."""
        held: dict[ObjectName, Version] = {}
        for name, versions in self._history.items():
            version = next((each for each in reversed(versions) if at is None or each.start <= at), None)
            if version is not None and version.spec is not None:
                held[name] = version
        return held

    def _rules(self, kind: str, read: Callable[[dict[str, Any]], _Rule]) -> dict[str, Timeline[_Rule]]:
        rules: dict[str, Timeline[_Rule]] = {}
        for (declared_kind, name), versions in self._history.items():
            if declared_kind != kind:
                continue
            steps: list[tuple[int, _Rule | None]] = []
            for version in versions:
                try:
                    steps.append((version.start, None if version.spec is None else read(version.spec)))
                except (msgspec.ValidationError, ValueError) as error:
                    self.unreadable.append(Unreadable(kind, name, version.id, str(error)))
            if (timeline := Timeline(steps)).starts:
                rules[name] = timeline
        return rules


def _matches(matchers: tuple[re.Pattern[str], re.Pattern[str]], branch: str | None, labels: Iterable[str]) -> bool:
    branches, texts = matchers
    return bool(branch and branches.match(branch.lower())) or any(texts.match(label.lower()) for label in labels)


def _by_name(initiatives: Mapping[str, InitiativeRule]) -> dict[str, frozenset[str]]:
    """Return lower-case name or alias -> the initiatives meant. A name wins over an alias."""
    aliases: dict[str, set[str]] = defaultdict(set)
    for name, rule in initiatives.items():
        for alias in rule.aliases:
            aliases[alias].add(name)
    named = {alias: frozenset(names) for alias, names in aliases.items()}
    return named | {name.lower(): frozenset({name}) for name in initiatives}


def _index(
    initiatives: Mapping[str, InitiativeRule], keys: Callable[[InitiativeRule], Iterable[str]]
) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, rule in initiatives.items():
        for key in keys(rule):
            found[key].add(name)
    return {key: frozenset(names) for key, names in found.items()}


def _claims(services: Mapping[str, Timeline[ServiceRule]]) -> dict[str, Timeline[_Claim]]:
    claimants: dict[str, dict[str, Timeline[ServiceRule]]] = defaultdict(dict)
    for name, timeline in services.items():
        for rule in timeline.values:
            for repo in rule.repos if rule else ():
                claimants[repo][name] = timeline
    return {repo: _claim_timeline(repo, timelines) for repo, timelines in claimants.items()}


def _claim_timeline(repo: str, timelines: Mapping[str, Timeline[ServiceRule]]) -> Timeline[_Claim]:
    names = sorted(timelines)

    def join(rules: Sequence[ServiceRule | None]) -> _Claim | None:
        claiming = [(name, rule) for name, rule in zip(names, rules, strict=True) if rule and repo in rule.repos]
        if not claiming:
            return None
        paths = tuple((name, path_matcher(rule.paths)) for name, rule in claiming if rule.paths)
        return _Claim(tuple(name for name, _ in claiming), paths)

    return combine([timelines[name] for name in names], join)


def _fingerprint(
    services: Mapping[str, Timeline[ServiceRule]],
    initiatives: Mapping[str, InitiativeRule],
    policies: Mapping[str, Timeline[PolicyRule]],
    coordination: Coordination,
) -> str:
    """Return a digest over the rules, which hold nothing but what derivation reads."""
    rules = (
        [(name, timeline.steps()) for name, timeline in services.items()],
        list(initiatives.items()),
        [(name, timeline.steps()) for name, timeline in policies.items()],
        coordination.rules(),
    )
    return hashlib.blake2b(msgspec.json.encode(rules), digest_size=16).hexdigest()
