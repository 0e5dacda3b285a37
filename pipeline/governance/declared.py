"""What the contract says of an initiative at an instant, and said before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from pipeline.contract.durations import parse_duration
from pipeline.contract.resolve import Contract, Version
from pipeline.contract.timeline import EVER
from pipeline.events.times import EPOCH, to_us

#: What a change of has to be decided, once an initiative is committed to.
BINDING = ("owner", "outcomes", "horizon", "tracks", "assumptions")


class Outcome(msgspec.Struct, frozen=True):
    """A measurable result that an initiative is for. `horizon`: how long after shipping it can be read."""

    metric: str
    horizon: str | None = None


class Assumption(msgspec.Struct, frozen=True):
    """Something that an initiative takes for true."""

    id: str
    text: str = ""
    status: str = "open"


class Exemption(msgspec.Struct, frozen=True):
    """Leave to pass the gate until the end of a day, and why."""

    until: str
    reason: str = ""

    @property
    def ends(self) -> int:
        """The first instant, in microseconds, at which it holds no more."""
        return end_of_day(self.until)


class Intent(msgspec.Struct, frozen=True, rename="camel"):
    """An initiative as declared, as far as governance reads it."""

    stage: str = ""
    owner: str | None = None
    outcomes: list[Outcome] = []
    assumptions: list[Assumption] = []
    horizon: str | None = None
    decision: str | None = None
    commit_by: str | None = None
    exemption: Exemption | None = None
    tracks: dict[str, Any] = {}

    def binding(self) -> dict[str, object]:
        """Return what may not be changed without a decision."""
        return {key: getattr(self, key) for key in BINDING}


class Held(msgspec.Struct, frozen=True):
    """An initiative, and the version of its declaration."""

    version: Version
    intent: Intent

    @property
    def since(self) -> int:
        """When it began to hold, in microseconds; one that holds since ever: when that was said."""
        return self.version.declared if self.version.start == EVER else self.version.start


def history(contract: Contract, name: str, as_of: int) -> Iterator[Held | None]:
    """Yield what held of an initiative, one after the other, up to an instant; None: it was withdrawn.

    A version that another replaces from the same instant on never held. One that cannot be read is left out: the
    version before it goes on holding.
    """
    versions = [each for each in contract.versions("Initiative", name) if each.start <= as_of]
    for version, following in zip(versions, [*versions[1:], None], strict=False):
        if following is not None and following.start == version.start:
            continue
        if version.spec is None:
            yield None
            continue
        try:
            yield Held(version, msgspec.convert(version.spec, Intent))
        except msgspec.ValidationError:
            continue


def held(contract: Contract, name: str, as_of: int) -> Held | None:
    """Return what holds of an initiative at an instant; None: it does not exist."""
    return next(reversed([*history(contract, name, as_of)]), None)


def event_of(version: Version) -> str:
    """Return the id of the event that declared a version; the fold knows it under its source as well."""
    return version.id.rpartition("|")[2]


def initiatives(contract: Contract, as_of: int) -> list[str]:
    """Return the names of the initiatives that exist at an instant, sorted."""
    return sorted(name for kind, name in contract.objects(as_of) if kind == "Initiative")


def end_of_day(day: str) -> int:
    """Return the first instant after a day such as `2026-12-31`, in microseconds."""
    return to_us(EPOCH + (date.fromisoformat(day) - EPOCH.date() + timedelta(days=1)))


def horizon_end(horizon: str | None, since: int | None) -> int | None:
    """Return when a horizon ends: a day, or a duration from an instant on. None: not known, or not readable."""
    if horizon is None:
        return None
    try:
        return end_of_day(datetime.fromisoformat(horizon).date().isoformat())
    except ValueError:
        pass
    try:
        span = parse_duration(horizon)
    except ValueError:
        return None
    return None if since is None else since + span // timedelta(microseconds=1)
