"""Settings of the connector; the README beside it says what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from pipeline.events.incidents import LABEL_SETTINGS, listed

DEFAULTS: Mapping[str, str] = {
    "incident_types": "incident",
    "incident_labels": "incident",
    "deploy_jobs": "",
    "deploy_jobs_environment": "production",
    **LABEL_SETTINGS,
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as translation uses them; patterns are case-folded. Those of labels are read where they are used."""

    incident_types: tuple[str, ...]
    incident_labels: tuple[str, ...]
    deploy_jobs: tuple[str, ...]
    deploy_jobs_environment: str


def read_settings(given: Mapping[str, str]) -> Settings:
    """Return the settings; what is not given, or is blank, has its default. Lists are separated by commas."""
    return _parse(*(given.get(name, "").strip() or DEFAULTS[name] for name in Settings.__struct_fields__))


@lru_cache(maxsize=64)
def _parse(incident_types: str, incident_labels: str, deploy_jobs: str, deploy_jobs_environment: str) -> Settings:
    return Settings(
        incident_types=listed(incident_types),
        incident_labels=listed(incident_labels),
        deploy_jobs=listed(deploy_jobs),
        deploy_jobs_environment=deploy_jobs_environment,
    )
