"""Settings of the connector; the README beside it says what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from pipeline.events.incidents import listed

DEFAULTS: Mapping[str, str] = {
    "status_label": "",
    "incident_types": "incident",
    "incident_labels": "incident",
    "deploy_jobs": "",
    "deploy_jobs_environment": "production",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as translation uses them; patterns are case-folded."""

    status_label: str
    incident_types: tuple[str, ...]
    incident_labels: tuple[str, ...]
    deploy_jobs: tuple[str, ...]
    deploy_jobs_environment: str


def read_settings(given: Mapping[str, str]) -> Settings:
    """Return the settings; what is not given, or is blank, has its default. Lists are separated by commas."""
    return _parse(tuple((name, given.get(name, "").strip() or default) for name, default in DEFAULTS.items()))


@lru_cache(maxsize=64)
def _parse(pairs: tuple[tuple[str, str], ...]) -> Settings:
    text = dict(pairs)
    return Settings(
        status_label=text["status_label"].removesuffix("::"),
        incident_types=listed(text["incident_types"]),
        incident_labels=listed(text["incident_labels"]),
        deploy_jobs=listed(text["deploy_jobs"]),
        deploy_jobs_environment=text["deploy_jobs_environment"],
    )
