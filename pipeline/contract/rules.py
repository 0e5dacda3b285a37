"""What derivation reads from declared objects, and nothing else.

A declaration may be of another release: unknown keys are skipped and absent ones have defaults. Rules are normalised
(sorted, lower-case), so two specs that lead to the same facts are equal rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Any

import msgspec

from pipeline.contract.durations import parse_duration

DEFAULT_WINDOW = "72h"
DEFAULT_REWORK_BRANCHES = ("hotfix/*", "hotfix-*", "revert-*")
DEFAULT_REWORK_LABELS = ("hotfix", "incident", "revert")

_WORD = re.compile(r"[^\W_]+")
_PRODUCTION = frozenset({"production", "prod", "prd", "live"})
_NOT_PRODUCTION = frozenset({"non", "not", "no", "pre", "test", "staging", "stage", "nonprod", "preprod", "dev"})
_GLOB = frozenset("*?[")


class _ServiceSpec(msgspec.Struct):
    owner: str | None = None
    repos: list[str] = []
    paths: list[str] = []
    environments: dict[str, list[str]] | None = None


class _InitiativeSpec(msgspec.Struct):
    stage: str = ""
    aliases: list[str] = []
    tracks: dict[str, list[str | dict[str, str]]] = {}


class _Patterns(msgspec.Struct):
    branches: list[str] | None = None
    labels: list[str] | None = None


class _PolicySpec(msgspec.Struct, rename="camel"):
    attribution_window: str | None = None
    rework: _Patterns | None = None
    exempt: _Patterns | None = None


class ServiceRule(msgspec.Struct, frozen=True):
    """A service: `production` are its environments' lower-case names, None if it declares no environments."""

    owner: str | None
    repos: tuple[str, ...]
    paths: tuple[str, ...]
    production: tuple[str, ...] | None

    @classmethod
    def read(cls, spec: dict[str, Any]) -> ServiceRule:
        """Raises msgspec.ValidationError for a field of the wrong type."""
        told = msgspec.convert(spec, _ServiceSpec)
        production = told.environments.get("production", []) if told.environments else None
        return cls(
            owner=told.owner,
            repos=_sorted(told.repos),
            paths=_sorted(told.paths),
            production=None if production is None else _sorted(name.lower() for name in production),
        )


class InitiativeRule(msgspec.Struct, frozen=True):
    """An initiative: its lower-case aliases, what it tracks (tickets, labels, services), and whether it is closed."""

    aliases: tuple[str, ...]
    tickets: tuple[str, ...]
    labels: tuple[str, ...]
    services: tuple[str, ...]
    closed: bool

    @classmethod
    def read(cls, spec: dict[str, Any]) -> InitiativeRule:
        """Raises msgspec.ValidationError for a field of the wrong type."""
        told = msgspec.convert(spec, _InitiativeSpec)
        entries = [entry for items in told.tracks.values() for entry in items if isinstance(entry, dict)]
        return cls(
            aliases=_sorted(alias.lower() for alias in told.aliases),
            tickets=_sorted(entry[key] for entry in entries for key in ("epic", "ticket") if key in entry),
            labels=_sorted(entry["label"] for entry in entries if "label" in entry),
            services=_sorted(name for name in told.tracks.get("service", []) if isinstance(name, str)),
            closed=told.stage in ("done", "stopped"),
        )


class PolicyRule(msgspec.Struct, frozen=True):
    """The policy: the attribution window in microseconds, and lower-case globs."""

    window_us: int
    rework_branches: tuple[str, ...]
    rework_labels: tuple[str, ...]
    exempt_branches: tuple[str, ...]
    exempt_labels: tuple[str, ...]

    @classmethod
    def read(cls, spec: dict[str, Any]) -> PolicyRule:
        """Raises msgspec.ValidationError for a field of the wrong type, ValueError for what is no duration."""
        told = msgspec.convert(spec, _PolicySpec)
        rework, exempt = told.rework or _Patterns(), told.exempt or _Patterns()
        window = parse_duration(told.attribution_window or DEFAULT_WINDOW)
        return cls(
            window_us=int(window.total_seconds()) * 1_000_000,
            rework_branches=_globs(rework.branches, DEFAULT_REWORK_BRANCHES),
            rework_labels=_globs(rework.labels, DEFAULT_REWORK_LABELS),
            exempt_branches=_globs(exempt.branches, ()),
            exempt_labels=_globs(exempt.labels, ()),
        )


@lru_cache(maxsize=4096)
def sounds_like_production(environment: str) -> bool:
    """Return whether an environment that no contract knows is production, judged by the words of its name."""
    words = frozenset(_WORD.findall(environment.lower()))
    return not words.isdisjoint(_PRODUCTION) and words.isdisjoint(_NOT_PRODUCTION)


def glob_matcher(globs: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern whose `match` tells whether a lower-case text fits one of lower-case `globs`; none fits none."""
    return re.compile("|".join(map(translate, globs)) or r"(?!)")


def path_matcher(paths: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern whose `match` tells whether a file lies in one of `paths`: globs, or folders and files by name.

    In a glob `*` spans folders, as in `fnmatch`. Without `*`, `?` or `[` a path means itself and all below it:
    `services/api` is no part of `services/api-gateway`.
    """
    return re.compile("|".join(map(_path_pattern, paths)) or r"(?!)")


def _path_pattern(path: str) -> str:
    if _GLOB.isdisjoint(path):
        return rf"(?s:{re.escape(path.strip('/'))}(?:/.*)?)\Z"
    return translate(path.lstrip("/"))


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


def _globs(told: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    return _sorted(glob.lower() for glob in (default if told is None else told))
