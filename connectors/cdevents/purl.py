"""What a package URL says about where an artifact came from."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

_PURL = re.compile(
    r"pkg:/*(?P<type>[\w.+-]+)/(?P<path>(?:@[^@/?#]*/)?[^@?#]+)"
    r"(?:@(?P<version>[^?#]*))?(?:\?(?P<qualifiers>[^#]*))?(?:#.*)?"
)
_VCS = re.compile(r"(?:git\+)?\w[\w+.-]*://[^/]+/(?P<repo>[^@?#]+?)(?:\.git)?/*(?:@(?P<rev>[^?#]*))?(?:#.*)?")
_is_sha = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?").fullmatch
#: Types whose path is that of a repository; `generic` is what Leadline itself writes.
_FORGES = frozenset({"github", "gitlab", "bitbucket", "generic"})
#: Leadline's word for what CDEvents demands and the source did not tell.
_NOT_TOLD = "not-told"


class Artifact(msgspec.Struct, frozen=True):
    """`name` is the path of the package. `sha` is a commit, never the digest of an image."""

    name: str | None = None
    version: str | None = None
    repo: str | None = None
    sha: str | None = None


def read_purl(text: str | None) -> Artifact:
    """Return what `text` says; an empty `Artifact` if it is None or no package URL."""
    found = _PURL.fullmatch(text) if text else None
    if found is None:
        return Artifact()
    name = unquote(found["path"]).strip("/")
    version = unquote(found["version"] or "") or None
    if version == _NOT_TOLD:
        version = None
    repo, sha = _origin(found["qualifiers"] or "")
    if repo is None and found["type"].lower() in _FORGES:
        repo = name
        sha = version if version and _is_sha(version) else None
    return Artifact(name=name, version=None if version == sha else version, repo=repo, sha=sha)


def _origin(qualifiers: str) -> tuple[str | None, str | None]:
    """Return repository and commit of the qualifier `vcs_url`, the standard's way to tell them."""
    for pair in qualifiers.split("&"):
        key, _, value = pair.partition("=")
        found = _VCS.fullmatch(unquote(value)) if key == "vcs_url" else None
        if found is not None:
            revision = found["rev"]
            return found["repo"], revision if revision and _is_sha(revision) else None
    return None, None
