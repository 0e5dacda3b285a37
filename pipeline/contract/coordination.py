"""The compiled contract of work between teams: who is meant, what a status means, how long a wait may take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from pipeline.contract.rules import glob_matcher
from pipeline.contract.teamwork import DecisionClassRule, PracticeRule, StatusMapRule, TeamRule, WaitKind
from pipeline.contract.timeline import Timeline

MapT = TypeVar("MapT")

UNMAPPED = "unmapped"
IMPLICIT = "implicit"
_WORD = re.compile(r"[^\W_]+")
_CLASS = re.compile(r"decision[/:](.+)", re.DOTALL)
_DEFAULT = PracticeRule.read({})


class Coordination:
    """Answers by dictionary look-ups and bisections. All moments are microseconds since 1970."""

    def __init__(
        self,
        teams: Mapping[str, Timeline[TeamRule]],
        status_maps: Mapping[str, StatusMapRule],
        practices: Sequence[Timeline[PracticeRule]],
        closed: Mapping[str, Timeline[bool]],
    ) -> None:
        """Take teams and status maps by name, the policies in the order of theirs, and when initiatives were closed."""
        self._teams = teams
        self._called = {name.lower(): name for name in sorted(teams, reverse=True)}
        self._aliases: dict[str, list[str]] = {}
        for name, timeline in sorted(teams.items()):
            for alias in sorted({alias for rule in timeline.values if rule for alias in rule.aliases}):
                self._aliases.setdefault(alias, []).append(name)
        self._maps = [rule for _, rule in sorted(status_maps.items())]
        self._by_tracker: dict[str, StatusMapRule | None] = {}
        self._practices = practices
        self._latest = next((rule for each in practices if each.values and (rule := each.values[-1])), _DEFAULT)
        self._decision_type = glob_matcher(self._latest.decision_types)
        self._decision_label = glob_matcher(self._latest.decision_labels)
        self._closed = closed

    def rules(self) -> object:
        """Return everything that derivation reads, for a fingerprint."""
        return (
            [(name, timeline.steps()) for name, timeline in sorted(self._teams.items())],
            self._maps,
            [timeline.steps() for timeline in self._practices],
            [(name, timeline.steps()) for name, timeline in sorted(self._closed.items())],
        )

    def team_named(self, word: str | None, at: int) -> str | None:
        """Return the team that a source's word meant: by its name, else by the alias of exactly one; else None."""
        if not word:
            return None
        lower = word.lower()
        name = self._called.get(lower)
        if name is not None and self._teams[name].at(at) is not None:
            return name
        held = [
            each
            for each in self._aliases.get(lower, ())
            if (rule := self._teams[each].at(at)) is not None and lower in rule.aliases
        ]
        return held[0] if len(held) == 1 else None

    def mode(self, consumer: str, provider: str, at: int) -> str:
        """Return how two teams interact: as the consumer declared it, else the provider, else `implicit`."""
        for one, other in ((consumer, provider), (provider, consumer)):
            rule = self._team(one, at)
            if rule is not None and other in rule.modes:
                return rule.modes[other]
        return IMPLICIT

    def expectation_us(self, kind: WaitKind, consumer: str | None, provider: str | None, at: int) -> int:
        """Return how long a wait of this kind may take, in microseconds."""
        rule = None if consumer is None else self._team(consumer, at)
        if rule is not None and provider is not None:
            agreed = rule.expect.get(provider, {}).get(kind)
            if agreed is not None:
                return agreed
        return self.practice(at).expectations[kind]

    def canonical_status(self, tracker: str, status: str) -> str:
        """Return what a native status means, or `unmapped`."""
        rule = self._map(tracker)
        return UNMAPPED if rule is None else rule.statuses.get(status.lower(), UNMAPPED)

    def canonical_type(self, tracker: str, kind: str) -> str:
        """Return what a native type means, or `unmapped`."""
        rule = self._map(tracker)
        return UNMAPPED if rule is None else rule.types.get(kind.lower(), UNMAPPED)

    def decision_class(self, category: str | None, at: int) -> DecisionClassRule | None:
        """Return the class of a decision, as the policy had it."""
        return None if category is None else self.practice(at).decisions.get(category)

    def decision_item(self, kind: str, labels: Iterable[str]) -> tuple[bool, str | None]:
        """Tell whether a work item of this native type and with these labels is a decision, and of which class."""
        fitting = sorted(label for label in labels if self._decision_label.match(label.lower()))
        named = [found[1] for label in fitting if (found := _CLASS.fullmatch(label.lower()))]
        if fitting or self._decision_type.match(kind.lower()):
            return True, next(iter(named), None)
        return False, None

    def act_rule(self, action: str, at: int) -> str | None:
        """Return the list of the policy that names an agent's action; `undeclared`: none does; None: there are none."""
        practice = self.practice(at)
        if not practice.bounds_agents:
            return None
        return practice.acts.get(action.lower(), "undeclared")

    def is_closed(self, initiative: str, at: int) -> bool:
        """Tell whether an initiative was done or stopped."""
        timeline = self._closed.get(initiative)
        return timeline is not None and timeline.at(at) is True

    def practice(self, at: int) -> PracticeRule:
        """Return what the policy that held says; of several the first by name."""
        return next((rule for each in self._practices if (rule := each.at(at)) is not None), _DEFAULT)

    def _team(self, name: str, at: int) -> TeamRule | None:
        timeline = self._teams.get(name)
        return None if timeline is None else timeline.at(at)

    def _map(self, tracker: str) -> StatusMapRule | None:
        if tracker not in self._by_tracker:
            self._by_tracker[tracker] = fitting(tracker, self._maps, lambda rule: rule.tracker)
        return self._by_tracker[tracker]


def fitting(tracker: str, maps: Sequence[MapT], tracker_of: Callable[[MapT], str]) -> MapT | None:
    """Return the first of several maps, whose trackers are in lower case, that is meant for a tracker.

    That is one of its very name, else one whose tracker is a word of it: `github` fits `https://github.com`.
    """
    lower = tracker.lower()
    words = _words(lower)
    exact = (each for each in maps if tracker_of(each) == lower)
    similar = (each for each in maps if tracker_of(each) in words)
    return next(chain(exact, similar), None)


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))
