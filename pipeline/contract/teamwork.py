"""What derivation reads of teams, statuses, decisions and agents, and nothing else. See `pipeline.contract.rules`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from pipeline.contract.durations import parse_duration

WaitKind = Literal["dependency", "review", "handoff", "decision"]
DEFAULT_EXPECTATIONS: dict[str, str] = {"dependency": "5d", "review": "1d", "handoff": "2d", "decision": "3d"}
DEFAULT_DECISION_TYPES = ("decision",)
DEFAULT_DECISION_LABELS = ("decision", "decision/*", "decision:*")
_LISTS = ("automated", "human", "crossFunctional")


class _Interaction(msgspec.Struct):
    with_: str = msgspec.field(name="with")
    mode: str
    expect: dict[str, str] = {}


class _TeamSpec(msgspec.Struct):
    aliases: list[str] = []
    interactions: list[_Interaction] = []


class _StatusMapSpec(msgspec.Struct):
    tracker: str
    map: dict[str, str] = {}
    types: dict[str, str] = {}


class _DecisionClass(msgspec.Struct, rename="camel"):
    approvers: list[str] = []
    latency_target: str | None = None


class _Items(msgspec.Struct):
    types: list[str] | None = None
    labels: list[str] | None = None


class _PolicySpec(msgspec.Struct, rename="camel"):
    decisions: dict[str, _DecisionClass] = {}
    decision_items: _Items | None = None
    expectations: dict[str, str | None] = {}
    agents: dict[str, list[str]] = {}


class TeamRule(msgspec.Struct, frozen=True):
    """A team: its lower-case aliases, and by other team the mode and what may be expected, in microseconds."""

    aliases: tuple[str, ...]
    modes: dict[str, str]
    expect: dict[str, dict[str, int]]

    @classmethod
    def read(cls, spec: dict[str, Any]) -> TeamRule:
        """Raises msgspec.ValidationError for a field of the wrong type, ValueError for what is no duration."""
        told = msgspec.convert(spec, _TeamSpec)
        return cls(
            aliases=tuple(sorted({alias.lower() for alias in told.aliases})),
            modes={each.with_: each.mode for each in told.interactions},
            expect={each.with_: _spans(each.expect) for each in told.interactions},
        )


class StatusMapRule(msgspec.Struct, frozen=True):
    """A tracker's words, in lower case: status and type to the canonical ones."""

    tracker: str
    statuses: dict[str, str]
    types: dict[str, str]

    @classmethod
    def read(cls, spec: dict[str, Any]) -> StatusMapRule:
        """Raises msgspec.ValidationError for a field of the wrong type."""
        told = msgspec.convert(spec, _StatusMapSpec)
        return cls(told.tracker.lower(), _lowered(told.map), _lowered(told.types))


class DecisionClassRule(msgspec.Struct, frozen=True):
    """A class of decisions: lower-case approver -> approver as written, and the latency target in microseconds."""

    approvers: dict[str, str]
    target_us: int | None


class PracticeRule(msgspec.Struct, frozen=True):
    """What the policy says of waits, decisions and agents. Expectations in microseconds; words in lower case."""

    expectations: dict[str, int]
    decisions: dict[str, DecisionClassRule]
    decision_types: tuple[str, ...]
    decision_labels: tuple[str, ...]
    acts: dict[str, str]
    bounds_agents: bool

    @classmethod
    def read(cls, spec: dict[str, Any]) -> PracticeRule:
        """Raises msgspec.ValidationError for a field of the wrong type, ValueError for what is no duration."""
        told = msgspec.convert(spec, _PolicySpec)
        items = told.decision_items or _Items()
        given = {name: text for name, text in told.expectations.items() if text is not None}
        return cls(
            expectations=_spans({**DEFAULT_EXPECTATIONS, **given}),
            decisions={name: _class(each) for name, each in sorted(told.decisions.items())},
            decision_types=_globs(items.types, DEFAULT_DECISION_TYPES),
            decision_labels=_globs(items.labels, DEFAULT_DECISION_LABELS),
            acts={action.lower(): rule for rule in reversed(_LISTS) for action in told.agents.get(rule, ())},
            bounds_agents=any(told.agents.get(rule) for rule in _LISTS),
        )


def _class(told: _DecisionClass) -> DecisionClassRule:
    target = None if told.latency_target is None else _us(told.latency_target)
    return DecisionClassRule({name.lower(): name for name in sorted(told.approvers)}, target)


def _spans(told: dict[str, str]) -> dict[str, int]:
    return {name: _us(text) for name, text in sorted(told.items())}


def _us(duration: str) -> int:
    return int(parse_duration(duration).total_seconds()) * 1_000_000


def _lowered(words: dict[str, str]) -> dict[str, str]:
    """Return lower-case word -> meaning; of words that differ in case alone the first in order counts."""
    return {word.lower(): meaning for word, meaning in sorted(words.items(), reverse=True)}


def _globs(told: list[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({glob.lower() for glob in (default if told is None else told)}))
