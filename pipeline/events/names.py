"""Names for ids: what people call the things that a tool tells by an id alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pipeline.events.errors import ConfigError

SETTING = "names"


def read_names(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return id -> name of the setting `names`, such as `Environments-1=production, Projects-7=acme/shop`.

    Raises `ConfigError`, naming the part that is no such pair.
    """
    return _parse(settings.get(SETTING, ""))


def named(settings: Mapping[str, str], identity: str) -> str:
    """Return the name that the setting `names` gives to an id, else the id itself."""
    return read_names(settings).get(identity, identity)


@lru_cache(maxsize=64)
def _parse(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        identity, _, name = (each.strip() for each in part.partition("="))
        if not identity or not name:
            raise ConfigError(f"{SETTING} holds {part!r}; write pairs as `id=name`, separated by commas")
        found[identity] = name
    return found
