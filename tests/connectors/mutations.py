"""Ways to damage a recorded body: what a vendor's next release, a proxy or an attacker might send."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

#: What a field may turn into: other types, empty values, extremes, and texts that look like something.
STRANGE: list[Any] = [
    None, True, False, 0, -1, 1, 10**12, 2**63, 10**30, 0.5, -1e300, "", " ", "0", "null", "\x00", "é\u2028\U0001f600",
    "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2026-11-23T12:00:00", "refs/heads/", "0" * 40, "x" * 5_000,
    [], {}, [None], [[]], [{}], {"": None}, {"id": []}, [1, "a", None, {}],
]  # fmt: skip

Path = tuple[str | int, ...]


def paths(value: object, at: Path = ()) -> list[Path]:
    """Return the way to every node below the root."""
    below: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    return [path for key, child in below for path in [(*at, key), *paths(child, (*at, key))]]


def mutate(root: Any, path: Path, how: str, strange: object) -> None:
    """Change the node at `path` in place: `drop`, `wrap`, `as_text` or `repeat` it, or else put `strange` there."""
    parent = root
    for key in path[:-1]:
        parent = parent[key]
    last = path[-1]
    match how:
        case "drop":
            del parent[last]
        case "wrap":
            parent[last] = [parent[last]]
        case "as_text":
            parent[last] = json.dumps(parent[last])
        case "repeat" if isinstance(parent[last], list):
            parent[last] = parent[last] * 3
        case _:
            parent[last] = strange


@st.composite
def damaged_json(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw a copy of a JSON body with up to four nodes dropped, replaced, retyped or repeated; others are truncated."""
    try:
        root = copy.deepcopy(json.loads(body))
    except ValueError:
        return draw(damaged_bytes(body))
    for _ in range(draw(st.integers(1, 4))):
        places = paths(root)
        if not places:
            break
        how = draw(st.sampled_from(["drop", "wrap", "as_text", "repeat", "replace", "replace"]))
        mutate(root, draw(st.sampled_from(places)), how, copy.deepcopy(draw(st.sampled_from(STRANGE))))
    return json.dumps(root).encode()


@st.composite
def damaged_bytes(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw a truncated copy, one with a byte changed, or something else altogether."""
    cut = draw(st.integers(0, len(body)))
    match draw(st.sampled_from(["truncate", "flip", "noise", "deep", "scalar"])):
        case "truncate":
            return body[:cut]
        case "flip":
            return body[:cut] + draw(st.binary(min_size=1, max_size=2)) + body[cut + 1 :]
        case "deep":
            return b'{"a":' * 200 + b"1" + b"}" * 200
        case "scalar":
            return json.dumps(draw(st.sampled_from(STRANGE))).encode()
        case _:
            return draw(st.binary(max_size=60))
