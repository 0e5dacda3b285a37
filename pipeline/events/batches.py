"""Batches of tracked events: how bodies are cut into rows, and what rows of all analytics tools have in common.

Such tools send one row a message, a list of them, or lines of JSON (NDJSON); loaders write objects in them as texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from pipeline.events.delivery import Observation, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.tracked import Scalar

#: What a batch without a row is left out as.
NO_ROWS = "no_rows"
#: What a row is left out as that nobody in particular did: its unit could not be counted.
NO_UNIT = "no_unit"

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PERSONAL = re.compile(
    r"(?:^|[./])[$_]*(?:"
    r"e-?mail(?:[_ ]?address)?|(?:tele)?phone(?:[_ ]?number)?|ip(?:[_ ]?address)?|avatar(?:[_ ]?url)?"
    r"|(?:first|last|full|given|family|user|display)[_ ]?name)$"
    r"|^\$name$|^(?:user_properties|traits|person)\.\$?name$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d{1,15}(?P<fraction>\.\d{1,15})?")


def rows(body: bytes) -> list[Node]:
    """Return the rows of a body: those of a list, of lines with one each, or the only one.

    Raises `Quarantined` (`bad_json`, `bad_type`): a batch is read as a whole or not at all.
    """
    try:
        root = parse_json(body)
    except Quarantined:
        lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise
        return [Node(parse_json(line), f"line {number}").child() for number, line in lines]
    if isinstance(root, list):
        return [Node(row, f"[{index}]").child() for index, row in enumerate(root)]
    return [Node(root).child()]


def first_row(body: bytes) -> Mapping[str, object]:
    """Return the first row of a body as it stands, to tell what kind of message it is; {} if it cannot be read."""
    try:
        found = rows(body)
    except Quarantined:
        return {}
    value = found[0].value if found else None
    return value if isinstance(value, dict) else {}


def batch(told: Iterable[Node], read: Callable[[Node], Observation | str]) -> Translation:
    """Return what `read` makes of each row: an observation, or the name of what the row is left out as.

    A row that is there twice counts once. If all rows are left out, the translation is, under the first name.
    """
    found: dict[str, Observation] = {}
    left_out = NO_ROWS
    for row in told:
        outcome = read(row)
        if isinstance(outcome, Observation):
            found.setdefault(outcome.id, outcome)
        elif left_out == NO_ROWS:
            left_out = outcome
    return Translation(observations=list(found.values())) if found else Translation(ignored=left_out)


def embedded(row: Node, *names: str) -> Node | None:
    """Return an object, which may be written as a text of JSON, or None. Raises `Quarantined`."""
    node = row.at(*names)
    if not isinstance(node.value, str):
        return node.child_or_none()
    if not node.value.strip():
        return None
    try:
        return Node(parse_json(node.value.encode()), node.path).child_or_none()
    except Quarantined as error:
        raise Quarantined(error.reason, f"{node.path}: {error.detail}") from error


def first_key(row: Node, *names: str) -> str | None:
    """Return the first identifier under one of the names, or None."""
    return next((key for name in names if (key := row.key_or_none(name))), None)


def number(value: Scalar) -> Scalar:
    """Return the number that a text is, for tools that write numbers as texts; anything else as it is."""
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return float(found[0]) if found["fraction"] else int(found[0])


def impersonal(properties: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Leave out what names a person: properties that are called so, and texts with an e-mail address in them."""
    return {
        name: value
        for name, value in properties.items()
        if not _PERSONAL.search(name) and not (isinstance(value, str) and "@" in value and _ADDRESS.search(value))
    }
