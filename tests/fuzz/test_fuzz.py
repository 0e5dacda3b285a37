"""The fuzzer itself: it goes everywhere, comes back with what it finds, and says when it sees nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from connectors.statuspage import CONNECTOR
from pipeline.events.delivery import Context, Delivery, Translation
from tests.architecture.sources import ROOT
from tests.connectors.casebook import cases, connector_names
from tests.fuzz.inputs import blind_bytes, mutated, packed, unpacked
from tests.fuzz.totality import check

LONGEST = 50_000


def inputs(name: str, seed: int, count: int) -> Iterator[bytes]:
    """Yield inputs of which each comes from one before, or from a case."""
    known, random = cases(name), Random(seed)
    pool = [packed(index, case.delivery.body) for index, case in enumerate(known)]
    for _ in range(count):
        pool.append(mutated(random.choice(pool), LONGEST, random, known, blind_bytes(random)))
        yield pool[-1]


@pytest.mark.parametrize("name", connector_names())
def test_every_case_is_a_seed_that_holds(name: str) -> None:
    known = cases(name)
    for index, case in enumerate(known):
        again, body = unpacked(packed(index, case.delivery.body), known)
        assert (again, body) == (case, case.delivery.body)
        assert check(again, body)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xff", b"\xff\xff{}"])
def test_any_bytes_are_an_input(data: bytes) -> None:
    assert check(*unpacked(data, cases("statuspage"))) == "bad_json" if len(data) < 4 else "missing_field"


def test_inputs_change_and_stay_within_bounds_and_mostly_json() -> None:
    made = list(inputs("github", seed=1, count=400))
    assert len(set(made)) > 300
    assert all(2 <= len(data) <= LONGEST for data in made)
    outcomes = {check(*unpacked(data, cases("github"))) for data in made}
    assert {"bad_json", "missing_field", "translated", "ignored"} <= outcomes
    assert list(inputs("github", seed=1, count=20)) == made[:20]


def test_what_is_no_json_is_changed_as_bytes() -> None:
    known, random = cases("statuspage"), Random(1)
    made = {mutated(packed(0, b"not json"), 40, random, known, blind_bytes(random)) for _ in range(60)}
    assert len(made) > 30
    assert all(len(data) <= 40 for data in made)


def test_a_connector_that_raises_what_it_must_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(delivery: Delivery, context: Context) -> Translation:
        json.loads(delivery.body)["incident"]["name"].lower()
        return type(CONNECTOR).translate(CONNECTOR, delivery, context)

    monkeypatch.setattr(CONNECTOR, "translate", breaks)
    (case, *_) = (each for each in cases("statuspage") if b'"incident"' in each.delivery.body)
    assert check(case, case.delivery.body)
    with pytest.raises((AttributeError, KeyError, TypeError)):
        check(case, b'{"incident": {"name": null}}')


@pytest.mark.parametrize(("required", "code"), [("0", 0), ("1", 1)])
def test_without_guidance_it_says_so_loudly(tmp_path: Path, required: str, code: int) -> None:
    (tmp_path / "atheris.py").write_text("raise ImportError('no wheel')")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "statuspage"],
        capture_output=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "FUZZ_SECONDS": "1",
            "FUZZ_GUIDED": required,
        },
        text=True,
        timeout=60,
        check=False,
    )
    first, *rest = ended.stderr.splitlines()
    assert (ended.returncode, "BLIND, WITHOUT COVERAGE" in first, "no wheel" in first) == (code, True, True)
    assert all("BLIND, WITHOUT COVERAGE" in line for line in rest)
    assert len(rest) == (2 if code == 0 else 0)


def test_a_name_that_is_no_connector_is_refused() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "githib"],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "githib" in ended.stderr) == (2, True)
