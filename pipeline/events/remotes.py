"""Remotes: which repository and which commit a tool means that got them from git.

Sources write one repository in many ways; Leadline knows it by `owner/name`, as the connectors of code hosts do.
"""

from __future__ import annotations

import re

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(?P<host>[^/]+)/(?P<path>.+)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>[\w.-]+):(?P<path>[^/\\].*)")
_NAME = re.compile(r"[\w.~ -]+(?:/[\w.~ -]+)+")
_COMMIT = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{40}(?![0-9a-zA-Z])")
_NOT_GIT = {"oci", "file", "s3", "gs", "http+oci"}
_MAX = 500


def repository(remote: str | None) -> str | None:
    """Return `owner/name` of a git remote, or None where it names none.

    Reads `https://host/owner/name.git`, `git@host:owner/name`, `ssh://git@host:22/owner/name.git`, Azure's `_git` and
    `v3` forms (`project/name`), and Bitbucket Server's `/scm/`. A plain `owner/name` is returned as it is.
    """
    if not remote or len(remote) > _MAX:
        return None
    text = remote.strip()
    found = _URL.fullmatch(text)
    if found is not None and found["scheme"].lower() in _NOT_GIT:
        return None
    found = found or _SCP.fullmatch(text)
    path = found["path"] if found else text
    path = re.split(r"[?#]", path)[0].strip("/").removesuffix(".git")
    path = _of_azure(path) if found else path
    return path if _NAME.fullmatch(path) else None


def _of_azure(path: str) -> str:
    """`org/project/_git/name` and `v3/org/project/name` are `project/name`; the project may be left out if equal."""
    if "_git/" in path:
        above, _, name = path.partition("_git/")
        project = above.rstrip("/").split("/")[-1]
        return f"{name if project in {'', 'DefaultCollection'} else project}/{name}"
    parts = path.split("/")
    if parts[0] == "v3" and len(parts) == 4:
        return "/".join(parts[2:])
    return "/".join(parts[1:]) if parts[0] == "scm" and len(parts) > 2 else path


def commit(revision: str | None) -> str | None:
    """Return the full sha in a revision such as `main@sha1:<sha>`, `main/<sha>` or an image's tag, or None.

    A short sha is none: it names no node of the commit graph. Nor is a digest, which has more digits.
    """
    found = _COMMIT.search(revision[:_MAX]) if revision else None
    return found[0] if found else None


def image_tag(image: str | None) -> str | None:
    """Return the tag of a container image: `1.4.2` of `registry:5000/shop:1.4.2@sha256:...`; None without one."""
    name = (image or "").partition("@")[0]
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or None
