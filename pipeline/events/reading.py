"""Reading of untrusted JSON: every surprise becomes a `Quarantined` that names the place and the value.

Connectors read vendor payloads through `Node`, so that none of them has to guard against a field that is missing, null
or of another type. Null and absent are the same thing here, as they are for the vendors.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import msgspec

from pipeline.events.errors import Quarantined
from pipeline.events.times import SECOND_US, from_us

#: Every reason for which a connector may quarantine a delivery. They become metric labels, so the set is closed.
REASONS: dict[str, str] = {
    "bad_json": "the body is not UTF-8, not JSON, or nested deeper than 64",
    "missing_field": "a field that the translation needs is absent, null or empty",
    "bad_type": "a field is of another JSON type than the source documents",
    "bad_time": "a field is not an instant, or carries no zone where one is needed",
    "bad_value": "a field has a value that the source does not document",
    "bad_event": "a canonical event does not have the shape of its type",
    "unknown_kind": "the delivery is of a kind that the connector does not know",
    "unknown_type": "the event type is neither known nor left out on purpose",
    "reserved_type": "the event type is not taken from this source",
    "too_large": "one event would exceed the limit of the log",
}

MAX_DEPTH = 64
_T = TypeVar("_T")
_LAST_YEAR = 2255  # beyond it microseconds since 1970 are no longer exact
_SHOWN = 80

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[Tt ]+(?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,12}))?)?"
    r" *(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
)
_EPOCH = re.compile(r"\d{9,19}(?:\.\d{1,9})?")


def parse_json(body: bytes) -> object:
    """Return the parsed JSON of `body`; raises `Quarantined("bad_json")` when it is not UTF-8 JSON or too deep."""
    try:
        value: object = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise Quarantined("bad_json", f"{error} (body of {len(body)} bytes)") from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return value
    raise Quarantined("bad_json", f"nested deeper than {MAX_DEPTH}")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict | list)]
    return [child for child in value if isinstance(child, dict | list)] if isinstance(value, list) else []


def parse_object(body: bytes) -> Node:
    """Return the root of a body that must be a JSON object; raises `Quarantined` (`bad_json`, `bad_type`)."""
    return Node(parse_json(body)).child()


def parse_time(value: object, path: str = "time", *, zoneless_utc: bool = False) -> datetime | None:
    """Return the aware UTC instant that `value` means; None for null, "", and the years 1 and 9999 (*never*).

    Text: ISO 8601 with `Z`, an offset with or without a colon, `T` or a space, any number of fraction digits (cut to
    six); or the digits of an epoch. Numbers: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart
    by magnitude. `zoneless_utc` reads a text without a zone as UTC; otherwise it is `Quarantined("bad_time")`, as is
    everything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _parse_text(value.strip(), path, zoneless_utc=zoneless_utc)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _parse_number(value, path)
    return _bad_time(value, path)


def _parse_text(text: str, path: str, *, zoneless_utc: bool) -> datetime | None:
    if _EPOCH.fullmatch(text):
        return _parse_number(float(text) if "." in text else int(text), path)
    found = _ISO.fullmatch(text)
    if found is None:
        return _bad_time(text, path)
    if found["date"].startswith(("0001-", "9999-")):
        return None
    zone = found["zone"]
    if zone is None and not zoneless_utc:
        return _bad_time(text, path, "it carries no zone")
    offset = zone if zone and zone[0] in "+-" else "+00:00"
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    clock = found["time"] or "00:00"
    seconds = "" if len(clock) > 5 else ":00"
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{clock}{seconds}.{fraction}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return _bad_time(text, path)
    return moment if moment.year <= _LAST_YEAR else _bad_time(text, path, f"it is after the year {_LAST_YEAR}")


def _parse_number(value: float, path: str) -> datetime:
    for bound, per_unit in ((1e11, SECOND_US), (1e14, 1_000), (1e17, 1)):
        if abs(value) < bound:
            return _in_range(round(value * per_unit), value, path)
    return _in_range(int(value) // 1_000, value, path) if abs(value) < 1e20 else _bad_time(value, path)


def _in_range(us: int, value: float, path: str) -> datetime:
    try:
        moment = from_us(us)
    except OverflowError:
        return _bad_time(value, path)
    return moment if moment.year <= _LAST_YEAR else _bad_time(value, path)


def _bad_time(value: object, path: str, why: str = "expected an ISO 8601 instant or an epoch number") -> NoReturn:
    raise Quarantined("bad_time", f"{path} is {_shown(value)}: {why}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


class Node:
    """A place in parsed JSON and how one came there.

    All readers take the names on the way down: `root.text("pull_request", "base", "ref")`. The plain form
    demands the value (`missing_field`), the `_or_none` form returns None for it; both demand its type (`bad_type`).
    """

    __slots__ = ("path", "value")

    def __init__(self, value: object, path: str = "") -> None:
        self.value = value
        self.path = path

    def at(self, *names: str) -> Node:
        """Return the place below; its value is None where it or something above it is absent or null."""
        value, path = self.value, self.path
        for name in names:
            if value is not None and not isinstance(value, dict):
                raise Quarantined("bad_type", f"{path or 'body'} is {_shown(value)}; expected an object")
            value = None if value is None else value.get(name)
            path = f"{path}.{name}" if path else name
        return Node(value, path)

    def has(self, *names: str) -> bool:
        """Return whether there is a value other than null."""
        return self.at(*names).value is not None

    def child(self, *names: str) -> Node:
        """Return an object that must be there."""
        return _need(self.at(*names), dict, "an object")

    def child_or_none(self, *names: str) -> Node | None:
        """Return an object, or None."""
        return _allow(self.at(*names), dict, "an object")

    def items(self, *names: str) -> list[Node]:
        """Return the elements of a list; [] where there is none."""
        found = _allow(self.at(*names), list, "a list")
        if found is None or not isinstance(found.value, list):
            return []
        return [Node(value, f"{found.path}[{index}]") for index, value in enumerate(found.value)]

    def text(self, *names: str) -> str:
        """Return a text that must be there and not be empty."""
        return self._required(self.text_or_none(*names), names)

    def text_or_none(self, *names: str) -> str | None:
        """Return a text, or None for an absent or empty one."""
        found = _allow(self.at(*names), str, "a text")
        return str(found.value) or None if found else None

    def texts(self, *names: str) -> list[str]:
        """Return a list of texts, without empty ones; [] where there is none."""
        return [text for item in self.items(*names) if (text := item.text_or_none())]

    def key(self, *names: str) -> str:
        """Return an identifier that must be there: a text that is not empty, or an integer as text."""
        return self._required(self.key_or_none(*names), names)

    def key_or_none(self, *names: str) -> str | None:
        """Return an identifier, or None."""
        found = self.at(*names)
        return str(found.value) if type(found.value) is int else found.text_or_none()

    def integer(self, *names: str) -> int:
        """Return an integer of 64 bits that must be there."""
        return self._required(self.integer_or_none(*names), names)

    def integer_or_none(self, *names: str) -> int | None:
        """Return an integer of 64 bits, or None."""
        found = _allow(self.at(*names), int, "an integer")
        if found is None:
            return None
        if type(found.value) is not int or not -(2**63) <= found.value < 2**63:
            _bad_type(found, "an integer of 64 bits")
        return found.value

    def flag(self, *names: str) -> bool:
        """Return a boolean; False where there is none."""
        found = _allow(self.at(*names), bool, "true or false")
        return found is not None and bool(found.value)

    def moment(self, *names: str, zoneless_utc: bool = False) -> datetime:
        """Return an instant that must be there; the forms are those of `parse_time`."""
        return self._required(self.moment_or_none(*names, zoneless_utc=zoneless_utc), names)

    def moment_or_none(self, *names: str, zoneless_utc: bool = False) -> datetime | None:
        """Return an instant, or None."""
        found = self.at(*names)
        return parse_time(found.value, found.path or "body", zoneless_utc=zoneless_utc)

    def _required(self, value: _T | None, names: tuple[str, ...]) -> _T:
        if value is None:
            raise Quarantined("missing_field", f"{self.at(*names).path or 'body'} is absent or empty")
        return value


def _need(node: Node, kind: type, expected: str) -> Node:
    if node.value is None:
        raise Quarantined("missing_field", f"{node.path or 'body'} is absent or null")
    return node if isinstance(node.value, kind) else _bad_type(node, expected)


def _allow(node: Node, kind: type, expected: str) -> Node | None:
    return None if node.value is None else _need(node, kind, expected)


def _bad_type(node: Node, expected: str) -> NoReturn:
    raise Quarantined("bad_type", f"{node.path or 'body'} is {_shown(node.value)}; expected {expected}")
