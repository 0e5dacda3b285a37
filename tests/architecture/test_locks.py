"""The locks pin everything that the project names, by hash, and name no place to get it from."""

import re
import tomllib
from typing import Any

import pytest

from tests.architecture.sources import ROOT

LOCKS = ("runtime.txt", "dev.txt")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; [^\\\n]+)? \\$", re.MULTILINE)


def _text(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text("utf-8")


def _pins(lock: str) -> dict[str, str]:
    return {name.lower(): version for name, version in _PIN.findall(_text(lock))}


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_an_exact_pin_with_hashes(lock: str) -> None:
    requirements = [line for line in _text(lock).splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) == len(_pins(lock)) > 20
    blocks = re.split(r"\n(?=\S)", _text(lock))
    assert all("--hash=sha256:" in block for block in blocks if "==" in block.split("\n", 1)[0])


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_path(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^/|@ ", _text(lock), re.MULTILINE)


def test_the_locks_hold_what_the_project_names() -> None:
    project = _project()
    runtime = _names(project["project"]["dependencies"])
    runtime |= _names(project["project"]["optional-dependencies"]["kafka"])
    assert runtime <= _pins("runtime.txt").keys()
    assert _names(project["dependency-groups"]["dev"]) <= _pins("dev.txt").keys()


def test_tests_run_with_the_versions_that_users_get() -> None:
    assert _pins("runtime.txt").items() <= _pins("dev.txt").items()
