"""What a tag means: not a release, a release, or a release that went to production.

Two regular expressions decide, both matched against the whole tag name. Their groups `product` and `version` say
which of a repository's products was released, and as what: in Apache Calcite's repository `avatica-1.10.0` is another
product than `calcite-1.36.0`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

import msgspec

from pipeline.events.errors import ConfigError

_FOLDER = r"(?:(?:rel|releases?|tags?|versions?)[/_-])*"
# A product is words joined by one separator. A word that starts with digits and a dot would be a version.
_WORD = r"(?!\d+\.)[A-Za-z0-9][A-Za-z0-9+.]*"
_PRODUCT = rf"(?:(?P<product>@?{_WORD}(?:[-_/@]{_WORD})*)[-_/@])?"
# `nightly-2024.10.25` and `foo-rc-1.0` are named like products and are none.
_NO_PRELIMINARY = (
    r"(?!(?:.*[-_/@])?(?:alpha|beta|candidate|canary|dev|ea|milestone|nightly|preview|pre|rc|snapshot|test|wip)"
    r"[-_/@.]?v?\d)"
)
_NUMBER = r"\d+(?:\.\d+){1,3}"

#: Settings and their defaults. `service` is a template over {product}, {repo} and {name} (the last part of the repo).
DEFAULTS: Mapping[str, str] = {
    "releases": rf"{_FOLDER}{_PRODUCT}[vV]?(?P<version>{_NUMBER}(?:[-+._A-Za-z][\w.+-]*)?)",
    "deployments": (
        rf"(?i:{_NO_PRELIMINARY}{_FOLDER}{_PRODUCT}v?(?P<version>{_NUMBER}(?:[-.](?:incubating|final|release|ga))?(?:\+[\w.]+)?))"
    ),
    "service": "{product}",
    "environment": "production",
}
#: A longer tag name is no release: the expressions of a person must not be run over arbitrary text.
MAX_TAG = 250


class Release(msgspec.Struct, frozen=True):
    """What a tag means. `version` None: not a release. `service` None: the repository has one product."""

    version: str | None = None
    service: str | None = None
    production: bool = False

    @property
    def prerelease(self) -> bool:
        """Whether it is a release that does not count as a production deployment."""
        return self.version is not None and not self.production


class Rules(msgspec.Struct, frozen=True):
    """The compiled settings."""

    releases: re.Pattern[str]
    deployments: re.Pattern[str]
    service: str
    environment: str

    def read(self, tag: str, repo: str) -> Release:
        """Say what `tag` of `repo` means."""
        production = None if len(tag) > MAX_TAG else self.deployments.fullmatch(tag)
        found = production or (None if len(tag) > MAX_TAG else self.releases.fullmatch(tag))
        if found is None:
            return Release()
        groups = found.groupdict()
        name = repo.rpartition("/")[2]
        service = self.service.format(product=groups.get("product") or "", repo=repo, name=name).strip()
        return Release(groups.get("version") or tag, service or None, production=production is not None)


def rules(settings: Mapping[str, str], repo: str = "") -> Rules:
    """Compile the settings that `DEFAULTS` lists; `deployments.acme/shop` goes before `deployments` in `acme/shop`.

    Raises `ConfigError` naming the setting, its value and the fix.
    """
    values = (settings.get(f"{name}.{repo}", settings.get(name, default)) for name, default in DEFAULTS.items())
    return _compiled(*values)


@lru_cache(maxsize=64)
def _compiled(releases: str, deployments: str, service: str, environment: str) -> Rules:
    _check_template(service)
    if not environment.strip():
        raise ConfigError("connector git, setting environment: it is empty; name where a release is deployed to")
    return Rules(_pattern("releases", releases), _pattern("deployments", deployments), service, environment)


def _check_template(service: str) -> None:
    try:
        unknown = {name for _, name, _, _ in Formatter().parse(service) if name is not None} - {
            "product",
            "repo",
            "name",
        }
    except ValueError as error:
        unknown = {str(error)}
    if unknown:
        raise ConfigError(
            f"connector git, setting service: {service!r} is no template ({', '.join(sorted(unknown))});"
            " it may name {product}, {repo} and {name}"
        )


def _pattern(setting: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"connector git, setting {setting}: {text!r} is no regular expression ({error});"
            " it must match the whole name of a tag"
        ) from error
