"""Inputs of the fuzzer: which recorded case an input is like, and a body; and how one becomes another.

Two bytes choose the case, whose kind, headers and settings go with the body; the rest is the body. So an input is a
file of which anybody can read all but the beginning, and every case is a seed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.connectors.casebook import Case
from tests.connectors.mutations import STRANGE, mutate, paths

_CHOICE = 2
#: Changes by which one input becomes another, and out of how many of those one is not of the structure.
_MOST_CHANGES, _UNSTRUCTURED, _OTHER_CASE = 4, 8, 12
_HOW = ("drop", "wrap", "as_text", "repeat", "replace", "graft", "nudge")

#: Returns a copy of the bytes with some of them changed, no longer than so many.
ByteMutator = Callable[[bytes, int], bytes]


def packed(index: int, body: bytes) -> bytes:
    """Return the input of a body that is sent as that of the case at `index`."""
    return index.to_bytes(_CHOICE, "big") + body


def unpacked(data: bytes, cases: Sequence[Case]) -> tuple[Case, bytes]:
    """Return the case and the body of an input; any bytes are one."""
    index = int.from_bytes(data[:_CHOICE], "big") % len(cases)
    return cases[index], data[_CHOICE:]


def blind_bytes(random: Random) -> ByteMutator:
    """Return what changes bytes without knowing anything, where libFuzzer is not there to do it."""

    def changed(body: bytes, longest: int) -> bytes:
        at = random.randint(0, len(body))
        match random.randrange(4):
            case 0:
                return body[:at]
            case 1:
                return (body[:at] + random.randbytes(random.randint(1, 8)) + body[at:])[:longest]
            case 2:
                return body[:at] + random.randbytes(1) + body[at + 1 :]
            case _:
                return (body[:at] + body[random.randint(0, at) : at] * random.randint(1, 64) + body[at:])[:longest]

    return changed


def mutated(data: bytes, longest: int, random: Random, cases: Sequence[Case], by_bytes: ByteMutator) -> bytes:
    """Return another input, mostly with nodes of its JSON dropped, replaced, retyped, nudged or from elsewhere."""
    index, body = int.from_bytes(data[:_CHOICE], "big") % len(cases), data[_CHOICE:]
    if random.randrange(_OTHER_CASE) == 0:
        index = random.randrange(len(cases))
    if random.randrange(_UNSTRUCTURED) == 0:
        return packed(index, by_bytes(body, longest - _CHOICE))
    try:
        root = json.loads(body)
    except (ValueError, RecursionError):
        return packed(index, by_bytes(body, longest - _CHOICE))
    for _ in range(random.randint(1, _MOST_CHANGES)):
        _change(root, random, cases)
    changed = json.dumps(root, ensure_ascii=random.randrange(2) == 0).encode("utf-8", "surrogatepass")
    return packed(index, changed if len(changed) <= longest - _CHOICE else body)


def _change(root: Any, random: Random, cases: Sequence[Case]) -> None:
    places = paths(root)
    if not places:
        return
    path, how = random.choice(places), random.choice(_HOW)
    match how:
        case "graft":
            mutate(root, path, how, _grafted(random, cases))
        case "nudge":
            mutate(root, path, how, _nudged(_at(root, path), random))
        case _:
            mutate(root, path, how, copy.deepcopy(random.choice(STRANGE)))


def _at(root: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        root = root[key]
    return root


def _grafted(random: Random, cases: Sequence[Case]) -> Any:
    """Return a node of another case: of a type and a form that the vendor uses, in a place where it does not."""
    try:
        root = json.loads(random.choice(cases).delivery.body)
    except (ValueError, RecursionError):
        return None
    places = paths(root)
    return _at(root, random.choice(places)) if places else root


def _nudged(value: Any, random: Random) -> Any:
    """Return a value that is nearly the same."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return random.choice([value + 1, -value, value * 1_000, str(value), float(value) if abs(value) < 1e15 else 0.5])
    if isinstance(value, str):
        at = random.randint(0, len(value))
        put = random.choice(["", " ", "\x00", "/", ":", "#", "-", "\u0661", "\ud800", "\u202e", "0", "Z", "\U0001f600"])
        return value[:at] + put + value[at + random.randrange(2) :]
    if isinstance(value, list):
        return value[::-1] if random.randrange(2) else value[:1]
    return {name: value[name] for name in list(value)[: random.randint(0, len(value))]}
