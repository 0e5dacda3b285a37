"""Files against what is declared: the `contract.declared` events that make the log say what the files say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pipeline.contract.model import AnyObject
from pipeline.contract.resolve import Contract, ObjectName, Version
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.times import from_us, to_us
from pipeline.events.types import ContractDeclared

SOURCE = "urn:leadline:contract"
PARTITION_KEY = "contract"

_Body = tuple[dict[str, Any] | None, dict[str, Any]]
_encoder = msgspec.json.Encoder(order="sorted")


def changes(
    objects: Sequence[AnyObject],
    contract: Contract,
    now: datetime,
    effective: datetime | None = None,
    *,
    prune: bool = False,
) -> list[Event]:
    """Return the declarations after which `objects` hold from `effective` on; none if they do already.

    Unless `effective` is given, an object that was never declared holds since ever and a changed one from `now` on.
    Versions that were declared to start later are declared again, since otherwise they would take over. With `prune`,
    declared objects that are not among `objects` are withdrawn. Order: by kind and name.
    """
    wanted: dict[ObjectName, _Body] = {(each.kind, each.metadata.name): body_of(each) for each in objects}
    if prune:
        for name in contract.objects().keys() - wanted.keys():
            wanted[name] = (None, {})
    return [
        event
        for name, body in sorted(wanted.items(), key=lambda item: item[0])
        for event in _declarations(name, body, contract.versions(*name), now, effective)
    ]


def body_of(declared: AnyObject) -> _Body:
    """Return (spec, metadata without the name) as they are declared: as written, durations in their largest unit."""
    options: dict[str, Any] = {"mode": "json", "by_alias": True, "exclude_unset": True, "exclude_none": True}
    return declared.spec.model_dump(**options), declared.metadata.model_dump(**options, exclude={"name"})


def _declarations(
    name: ObjectName, body: _Body, versions: Sequence[Version], now: datetime, effective: datetime | None
) -> Iterator[Event]:
    if not versions:
        yield _event(name, body, now, effective)
        return
    if effective is None and _body(versions[-1]) == body:
        return
    start = to_us(effective or now)
    # Said after everything that it replaces, even by a machine whose clock is behind.
    said = max(to_us(now), *(version.declared + 1 for version in versions))
    for begin in [start, *sorted({version.start for version in versions if version.start > start})]:
        held = next((version for version in reversed(versions) if version.start <= begin), None)
        if held is None or _body(held) != body:
            yield _event(name, body, from_us(said), from_us(begin))


def _body(version: Version) -> _Body:
    return version.spec, version.metadata if version.spec is not None else {}


def _event(name: ObjectName, body: _Body, said: datetime, effective: datetime | None) -> Event:
    kind, own_name = name
    spec, metadata = body
    content = _encoder.encode(body).decode()
    event_type = ContractDeclared.TYPES[0]
    return Event(
        id=event_id(event_type, kind, own_name, content, effective and to_us(effective), to_us(said)),
        source=SOURCE,
        type=event_type,
        time=said,
        subject=f"{kind}/{own_name}",
        partitionkey=PARTITION_KEY,
        data=msgspec.convert(
            {"kind": kind, "name": own_name, "spec": spec, "metadata": metadata, "effective_from": effective},
            ContractDeclared,
        ),
    )
