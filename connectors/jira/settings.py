"""Settings of the connector; the README beside it says what each is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

DEFAULTS: Mapping[str, str] = {
    "base_url": "",
    "tracker": "jira",
    "epic_field": "",
    "team_field": "",
    "team_field_name": "Team",
    "reason_field": "",
    "flagged_field": "",
    "service_field": "",
    "blocking_link_types": "Blocks, Blocker, Dependency, Depends, Dependent",
    "blocked_by_phrases": "is blocked by, depends on, is dependent on, waits for, has to be done after",
    "blocks_phrases": "blocks, is depended on by, is a dependency of, is a dependency for, has to be done before",
    "incident_types": "Incident, [System] Incident, Outage, Sev*",
    "incident_labels": "incident",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as translation uses them; names are case-folded."""

    base_url: str
    tracker: str
    epic_field: str
    team_field: str
    team_field_name: str
    reason_field: str
    flagged_field: str
    service_field: str
    blocking_link_types: frozenset[str]
    blocked_by_phrases: frozenset[str]
    blocks_phrases: frozenset[str]
    incident_types: tuple[str, ...]
    incident_labels: tuple[str, ...]


def read_settings(given: Mapping[str, str]) -> Settings:
    """Return the settings; what is not given, or is blank, has its default. Lists are separated by commas."""
    return _parse(tuple((name, given.get(name, "").strip() or default) for name, default in DEFAULTS.items()))


@lru_cache(maxsize=64)
def _parse(pairs: tuple[tuple[str, str], ...]) -> Settings:
    text = dict(pairs)
    return Settings(
        base_url=text["base_url"].rstrip("/"),
        tracker=text["tracker"],
        epic_field=text["epic_field"],
        team_field=text["team_field"],
        team_field_name=text["team_field_name"],
        reason_field=text["reason_field"],
        flagged_field=text["flagged_field"],
        service_field=text["service_field"],
        blocking_link_types=frozenset(_listed(text["blocking_link_types"])),
        blocked_by_phrases=frozenset(_listed(text["blocked_by_phrases"])),
        blocks_phrases=frozenset(_listed(text["blocks_phrases"])),
        incident_types=_listed(text["incident_types"]),
        incident_labels=_listed(text["incident_labels"]),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip().casefold() for name in text.split(",") if name.strip())


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name is one of the case-folded patterns, in which `*` stands for any text.

    Not `fnmatch`: Jira's own type is called `[System] Incident`, and brackets are a set there.
    """
    return any(_compiled(pattern).fullmatch(name.casefold()) for pattern in patterns)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
