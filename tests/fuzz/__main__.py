"""`make fuzz`: every connector under bodies that nobody sent; `python -m tests.fuzz NAME...` only those that are named.

Each connector is a target of its own. `FUZZ_SECONDS` (default 60) is the time for all of them together. The targets are
guided by coverage, through atheris. Where that is not installed the same mutations are tried blindly, which finds less,
and every line of the report says so; with `FUZZ_GUIDED=1` that is a failure.

What breaks a connector is written to `.fuzz/found/NAME`, and tried again with `python -m tests.fuzz NAME FILE`. With
the repair it becomes a case of the connector.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType
from typing import Any

from tests.connectors.casebook import Case, cases, connector, connector_names
from tests.fuzz.guided import LONGEST, fuzz, keep
from tests.fuzz.inputs import blind_bytes, mutated, packed, unpacked
from tests.fuzz.totality import check

FOLDER = Path(".fuzz")
BLIND = "BLIND, WITHOUT COVERAGE"


def main(arguments: Sequence[str]) -> int:
    """Fuzz, or try one file again; returns the exit code."""
    if len(arguments) == 2 and Path(arguments[1]).is_file():
        return again(arguments[0], Path(arguments[1]))
    unknown = sorted({*arguments} - {*connector_names()})
    if unknown:
        _say(f"no connector and no file: {', '.join(unknown)}")
        return 2
    names = list(arguments) or connector_names()
    seconds = max(1, round(float(os.environ.get("FUZZ_SECONDS", "60")) / len(names)))
    atheris, why = _atheris()
    if atheris is None:
        _say(f"{BLIND}: {why}. The same mutations are tried, but nothing tells which of them lead anywhere new.")
        if os.environ.get("FUZZ_GUIDED") == "1":
            return 1
    with _instrumented(atheris):
        for name in names:
            connector(name)
    broken = [name for name in names if not _survives(atheris, name, seconds)]
    guidance = "" if atheris else f", {BLIND}"
    _say(f"{len(names)} connectors, {seconds} s each{guidance}; broken: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


def again(name: str, path: Path) -> int:
    """Try an input that was written before; returns 1 if it still breaks the connector."""
    case, body = unpacked(path.read_bytes(), cases(name))
    _say(f"{name}, as {case.name} ({case.delivery.kind}): {body[:400]!r}")
    try:
        _say(check(case, body))
    except Exception:  # noqa: BLE001 - whatever it is, it is what was found
        traceback.print_exc()
        return 1
    return 0


def _atheris() -> tuple[ModuleType | None, str]:
    try:
        return importlib.import_module("atheris"), ""
    except ImportError as error:
        return None, f"atheris cannot be imported by {sys.implementation.name} {sys.version.split()[0]} ({error})"


@contextmanager
def _instrumented(atheris: Any) -> Iterator[None]:
    """Have the connectors and what they read with imported so that their coverage shows."""
    if atheris is None:
        yield
        return
    with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["connectors"]):
        yield
    # These were imported before, since the cases are read with them.
    for name in ("alerts", "deploying", "forges", "incidents", "reading", "references", "remotes", "resources"):
        _instrument(atheris, importlib.import_module(f"pipeline.events.{name}"))


def _instrument(atheris: Any, module: ModuleType) -> None:
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    functions = [each for value in own for each in (vars(value).values() if isinstance(value, type) else [value])]
    for function in functions:
        if isinstance(function, FunctionType):
            atheris.instrument_func(function)


def _survives(atheris: ModuleType | None, name: str, seconds: int) -> bool:
    """Run a target in a process of its own, which libFuzzer ends, and tell of it. Returns whether nothing was found."""
    log = FOLDER / "log" / f"{name}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    process = multiprocessing.get_context("fork").Process(target=_target, args=(atheris, name, seconds, log))
    process.start()
    process.join()
    told = log.read_text(encoding="utf-8", errors="replace")
    tried = re.search(r"(?:number_of_executed_units|inputs tried): (\d+)", told)
    count = f"{int(tried[1]):,}" if tried else "an unknown number of"
    guidance = "" if atheris else f", {BLIND}"
    if process.exitcode == 0:
        _say(f"{name}: {count} inputs{guidance}")
        return True
    _say("\n".join(told.splitlines()[-40:]))
    _say(f"{name}: broken (exit code {process.exitcode}){guidance}; see {FOLDER / 'found' / name} and {log}")
    return False


def _target(atheris: ModuleType | None, name: str, seconds: int, log: Path) -> None:
    with log.open("wb") as written:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(written.fileno(), stream.fileno())
    if atheris is None:
        blindly(name, cases(name), FOLDER, seconds)
    else:
        fuzz(atheris, name, cases(name), FOLDER, seconds)


def blindly(name: str, known: Sequence[Case], folder: Path, seconds: float) -> None:
    """Do as `guided.fuzz` for a while, starting from the cases alone; exits with 1 at the first that breaks."""
    random, end, tried = Random(name), time.monotonic() + seconds, 0
    pool = [packed(index, case.delivery.body) for index, case in enumerate(known)]
    while time.monotonic() < end:
        data = mutated(random.choice(pool), LONGEST, random, known, blind_bytes(random))
        tried += 1
        try:
            check(*unpacked(data, known))
        except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
            traceback.print_exc()
            keep(folder / "found" / name, data)
            sys.exit(1)
        if random.randrange(16) == 0:
            pool[random.randrange(len(pool))] = data
    _say(f"inputs tried: {tried}")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
