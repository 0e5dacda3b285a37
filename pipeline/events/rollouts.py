"""Telling rollouts: what every connector of a flag or experiment tool needs to build `RolloutChanged`s.

What a flag is like changes and is told again and again, so the id of each event covers its content: a webhook, its
redelivery and a polled copy of one state are one event.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from pipeline.events.coordination import RolloutChanged
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.incidents import MAX_TEXT, clean
from pipeline.events.reading import Node
from pipeline.events.references import in_branch, in_labels, in_text, merge
from pipeline.events.types import Ref

CHANGED = RolloutChanged.TYPES[0]

_MAX_TAGS = 100
_MAX_VARIANT = 100
#: Shares are kept to a millionth: vendors count in thousandths of a percent at most, and floats add up to more than 1.
_DIGITS = 6


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """How many get what. `share`: of units that get anything but the default; `variants`: the share of each."""

    share: float | None = None
    variants: dict[str, float] = {}


#: Nothing is told of who gets what.
UNKNOWN = Exposure()
#: What is off serves the default to everybody.
NOBODY = Exposure(share=0.0)


def served(shares: Iterable[tuple[str, float]], default: str | None, *, others: bool = False) -> Exposure:
    """Return the exposure of a split: pairs of variant and share, of which `default` is the one that counts as none.

    `others`: some get something else in ways whose share is not known (targeting rules). Then the shares are those of
    everybody else, and where that would mean nobody, the share is not known.
    """
    variants: dict[str, float] = {}
    total = 0.0
    for variant, share in shares:
        name = (clean(variant) or "")[:_MAX_VARIANT]
        variants[name] = variants.get(name, 0.0) + share
        total += 0.0 if variant == default else share
    rounded = {name: _share(share) for name, share in variants.items() if name and share > 0}
    exposed = _share(total)
    return Exposure(share=None if others and exposed == 0 else exposed, variants=rounded)


def _share(value: float) -> float:
    return min(round(value, _DIGITS), 1.0)


def share_at(node: Node, whole: float) -> float:
    """Return a share in [0, 1] that is told as a number, or a text of one, of `whole` (100: percent).

    Raises `Quarantined` (`missing_field`, `bad_type`, `bad_value`).
    """
    value = node.value
    if value is None:
        raise Quarantined("missing_field", f"{node.path} is absent or null")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Quarantined("bad_type", f"{node.path} is {str(value)[:80]!r}; expected a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Quarantined("bad_value", f"{node.path} is {str(value)[:80]!r}; expected a number") from None
    if not math.isfinite(number) or not 0 <= number <= whole:
        raise Quarantined("bad_value", f"{node.path} is {str(value)[:80]}; expected 0 to {whole:g}")
    return number / whole


def refs_of(key: str, title: str | None, *, labels: Iterable[str], fields: str = "", body: str = "") -> list[Ref]:
    """Return what a flag refers to: by its key, its title, its labels, its `fields` and its `body` (comments)."""
    in_key = [Ref(ref.kind, ref.value, "field") for ref in in_branch(key)]
    return merge(in_key, in_text(title, "title"), in_labels(labels), in_text(fields, "field"), in_text(body, "body"))


def tell(source: str, data: RolloutChanged, at: datetime) -> Event:
    """Return the event that something is rolled out so from `at` on; texts are cleaned.

    Raises `Quarantined` for a name longer than `MAX_TEXT`.
    """
    key = clean(data.rollout)
    if key is None or len(data.rollout) > MAX_TEXT:
        raise Quarantined("bad_value", f"the key is {data.rollout[:80]!r}; expected 1 to {MAX_TEXT} characters")
    told = msgspec.structs.replace(
        data,
        rollout=key,
        environment=clean(data.environment),
        project=clean(data.project),
        title=clean(data.title) or "",
        tags=sorted({tag for each in data.tags if (tag := clean(each))})[:_MAX_TAGS],
        url=clean(data.url),
    )
    content = msgspec.json.encode(told, order="deterministic").decode()
    identity = event_id(key, CHANGED, at, content)
    return Event(id=identity, source=source, type=CHANGED, time=at, subject=key, partitionkey=key, data=told)


def distinct(events: Iterable[Event]) -> list[Event]:
    """Return events each once, in their order."""
    found: Mapping[str, Event] = {event.id: event for event in events}
    return list(found.values())
