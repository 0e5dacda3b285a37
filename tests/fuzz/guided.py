"""One target, guided by coverage: the part that needs atheris."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType

from tests.connectors.casebook import Case
from tests.fuzz.inputs import mutated, packed, unpacked
from tests.fuzz.totality import check

LONGEST = 256 * 1024
#: Seconds that one input may take, and memory that the process may have.
_HANGS_AFTER, _MEGABYTES = 10, 4_096


def fuzz(atheris: ModuleType, name: str, cases: Sequence[Case], folder: Path, seconds: int) -> None:
    """Fuzz a connector for so long; never returns.

    The process ends with 0, or with another code when an input was found that breaks it, which is then in
    `folder/found`. What leads to new coverage is kept in `folder/corpus`, for the next time.
    """
    corpus, found = folder / "corpus" / name, folder / "found" / name
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    seed(corpus, cases)

    def one(data: bytes) -> None:
        try:
            check(*unpacked(data, cases))
        except BaseException:
            keep(found, data)
            raise

    def mutator(data: bytes, longest: int, number: int) -> bytes:
        return mutated(data, longest, Random(number), cases, atheris.Mutate)

    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": _HANGS_AFTER,
        "rss_limit_mb": _MEGABYTES,
        "artifact_prefix": f"{found}/",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one, custom_mutator=mutator)
    atheris.Fuzz()


def keep(found: Path, data: bytes) -> None:
    """Write down what broke a connector."""
    found.mkdir(parents=True, exist_ok=True)
    (found / f"crash-{sha256(data).hexdigest()}").write_bytes(data)


def seed(corpus: Path, cases: Sequence[Case]) -> None:
    """Put all cases into a corpus."""
    for index, case in enumerate(cases):
        (corpus / f"case-{index:04}").write_bytes(packed(index, case.delivery.body))
