"""The image: pinned, small in what it may do, and built of what the repository has."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.settings import HttpSettings
from tests.architecture.sources import ROOT
from tests.deploy.tools import DEPLOY, program

DOCKERFILE = DEPLOY / "Dockerfile"


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, its lines joined. `stage` counts from 0."""

    stage: int
    word: str
    rest: str


def instructions() -> list[Instruction]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    found, stage = [], -1
    for word, _, rest in (line.strip().partition(" ") for line in joined):
        stage += word == "FROM"
        found.append(Instruction(stage, word, rest.strip()))
    return found


def of(word: str, stage: int | None = None) -> list[str]:
    return [each.rest for each in instructions() if each.word == word and stage in (None, each.stage)]


def pins(name: str) -> dict[str, str]:
    """Return package -> version of a locked file of requirements."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ ;\\]+)", text))


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_both_stages_have_one_base_that_is_pinned_to_a_patch() -> None:
    assert of("FROM") == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    (base,) = (rest for rest in of("ARG") if rest.startswith("PYTHON_IMAGE="))
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    minor = re.search(r"3\.\d+", base)
    assert minor is not None
    assert f"Programming Language :: Python :: {minor[0]}" in project()["classifiers"]  # type: ignore[operator]


def test_it_runs_as_nobody_and_tells_how_it_is() -> None:
    assert of("USER", stage=1) == ["10001:10001"]
    assert of("VOLUME") == of("WORKDIR", stage=1) == ["/var/lib/leadline"]
    (check,) = of("HEALTHCHECK")
    port = HttpSettings().port
    assert f"http://127.0.0.1:{port}/healthz" in check
    assert of("EXPOSE") == [str(port)]
    assert of("ENTRYPOINT") == ['["leadline"]']
    last = [each.word for each in instructions()]
    assert last.index("USER") > max(index for index, word in enumerate(last) if word in {"RUN", "COPY"})


def test_everything_is_installed_by_hash_and_nothing_is_compiled() -> None:
    installs = [step for run in of("RUN") for step in run.split("&&") if re.search(r"pip\b.* install ", step)]
    assert len(installs) == 3
    for step in installs:
        locked = "--require-hashes" in step and "--only-binary :all:" in step
        assert locked or ("--no-deps" in step and "--no-index" in step), step
    assert "requirements/runtime.txt" in "".join(of("COPY", stage=0))


def test_the_last_stage_has_no_tools_to_build_with() -> None:
    for run in of("RUN", stage=1):
        assert not re.search(r"\b(apt-get|apk|gcc|git|curl|wget|pip install|pip wheel)\b", run)
    assert any("pip uninstall" in run for run in of("RUN", stage=1))
    assert of("COPY", stage=1) == ["--from=build /opt/leadline /opt/leadline"]


def test_what_builds_the_wheel_is_what_builds_it_here() -> None:
    build, dev = pins("build.txt"), pins("dev.txt")
    assert "hatchling" in build
    assert build.items() <= dev.items()


def test_the_labels_say_what_it_is() -> None:
    (labels,) = of("LABEL")
    told = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', labels))
    assert told["licenses"] == project()["license"]
    assert (told["version"], told["revision"]) == ("${VERSION}", "${REVISION}")
    assert f"VERSION={project()['version']}" in of("ARG")


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    copied = [source for rest in of("COPY", stage=0) for source in rest.split()[:-1]]
    assert len(copied) == 8
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) <= set(copied)
    assert {project()["readme"], *project()["license-files"]} <= set(copied)  # type: ignore[misc]


@pytest.mark.parametrize("kept", ["*", "connectors/*/cases", "**/__pycache__"])
def test_nothing_else_reaches_the_builder(kept: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert kept in ignored
    assert not any(each.startswith("!") and Path(each[1:]).name in {".git", "deploy", "tests"} for each in ignored)


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([program("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
