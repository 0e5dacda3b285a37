"""What deployment files are checked with, where `make charts` has installed it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

DEPLOY = ROOT / "deploy"
#: Where tests/deploy/install_helm.sh puts what is no Python package.
TOOLS = Path(sys.prefix) / "deploy"


def program(name: str) -> str:
    """Return the path of a program, from the environment or the PATH; skips where there is none."""
    for folder in (TOOLS, Path(sys.prefix) / "bin"):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name) or _missing(name)


def package(name: str) -> Path:
    """Return the folder of an installed Python package; skips where there is none."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        return Path(_missing(name))
    return Path(found.origin).parent


def _missing(name: str) -> str:
    pytest.skip(f"!!! NOT CHECKED: {name} is not installed; run `make charts`")
