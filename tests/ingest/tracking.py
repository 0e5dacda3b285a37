"""A connector that tells tracked events, metrics over them, and the slow way to the samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import msgspec

from pipeline.contract.measures import Measure, Scalar
from pipeline.events.codec import decode
from pipeline.events.coordination import OutcomeSampled
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared
from pipeline.ingest import deliveries
from pipeline.ingest.observation_store import Store
from pipeline.ingest.translate import Translator
from pipeline.log.protocol import EVENTS, EventLog, Stored, event_record

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
#: When everything was recorded: later than all that was tracked.
RECORDED = START + timedelta(days=400)

RATE: dict[str, Any] = {
    "type": "proportion",
    "denominator": {"event": "entered"},
    "numerator": {"event": "done", "where": {"kind": "real"}, "within": "2d"},
    "variant": "arm",
}
MEAN: dict[str, Any] = {"type": "mean", "period": "week", "measure": {"event": "paid", "value": "amount"}}
COUNT: dict[str, Any] = {"type": "count", "measure": {"event": ["paid", "done"]}, "variant": "arm"}
METRICS = {"rate": RATE, "amount": MEAN, "acts": COUNT}

#: (metric, start, variant)
Place = tuple[str, datetime, str | None]
#: (n, total, squares)
Sums = tuple[int, float, float | None]


class Tool:
    """A body is a list of observations; `suffix` is what a correction of the connector would change."""

    def __init__(self, name: str = "tool", suffix: str = "") -> None:
        self.name, self.suffix = name, suffix

    def translate(self, delivery: Delivery, context: Context) -> Translation:  # noqa: ARG002 - the protocol's
        told = msgspec.json.decode(delivery.body, type=list[Observation])
        return Translation(observations=[msgspec.structs.replace(each, name=each.name + self.suffix) for each in told])

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        raise NotImplementedError

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        raise NotImplementedError


def seen(id: str, name: str, unit: str = "u", hours: float = 0, **properties: Scalar) -> Observation:  # noqa: A002
    return Observation(id=id, name=name, unit=unit, at=START + timedelta(hours=hours), properties=properties)


def declare(log: EventLog, name: str, spec: dict[str, Any] | None, said: int = 0) -> None:
    event = Event(
        id=f"{name}-{said}",
        source="urn:leadline:contract",
        type=ContractDeclared.TYPES[0],
        time=START + timedelta(seconds=said),
        subject=f"Metric/{name}",
        partitionkey="contract",
        data=ContractDeclared(kind="Metric", name=name, spec=spec),
    )
    log.append(EVENTS, [event_record(event)], RECORDED)


def send(
    log: EventLog, *batches: Sequence[Observation], connector: str = "tool", recorded: datetime = RECORDED
) -> None:
    """Store one delivery for each batch."""
    first = log.end("deliveries")
    told = [
        Delivery(
            connector=connector,
            id=f"{connector}-{first + index}",
            kind="batch",
            received_at=recorded,
            body=msgspec.json.encode(list(batch)),
        )
        for index, batch in enumerate(batches)
    ]
    deliveries.store(log, told, recorded)


def translator(log: EventLog, store: Store | None = None, *tools: Tool) -> Translator:
    used = tools or (Tool(),)
    return Translator(log, {tool.name: tool for tool in used}, lambda _: Context(actor_key=b"key"), store)


def samples(log: EventLog) -> list[Event]:
    events = (decode(stored.value) for stored in _stored(log))
    return [event for event in events if isinstance(event.data, OutcomeSampled)]


def _stored(log: EventLog) -> Iterable[Stored]:
    for batch in log.iterate(EVENTS):
        yield from batch


def holding(log: EventLog) -> dict[tuple[str, Place], Event]:
    """Return the sample that holds for each source and place, as a reader chooses it."""
    held: dict[tuple[str, Place], Event] = {}
    for event in samples(log):
        key = event.source, _place(event)
        if key not in held or _rank(event) > _rank(held[key]):
            held[key] = event
    return held


def told(log: EventLog, connector: str = "tool") -> dict[Place, Sums]:
    """Return what the samples of a connector say in the end; of nobody there is nothing to say."""
    found = {}
    for (source, place), event in holding(log).items():
        data = event.data
        assert isinstance(data, OutcomeSampled)
        if source.endswith(f":{connector}") and data.n:
            found[place] = (data.n, data.total, data.squares)
    return found


def expected(observations: Iterable[Observation], metrics: Mapping[str, dict[str, Any]]) -> dict[Place, Sums]:
    """Return the samples of observations, computed from all of them at once and without regard to order."""
    every = list(observations)
    found: dict[Place, list[Fraction]] = defaultdict(list)
    for name, spec in metrics.items():
        measure = Measure.read(spec)
        entered = _units(every, measure) if measure.successes else _events(every, measure)
        for at, variant, value in entered:
            for each in dict.fromkeys((None, variant)):
                found[name, _start(spec, at), each].append(Fraction(value))
    return {
        (name, start, variant): (
            len(values),
            float(sum(values)),
            float(sum(value * value for value in values)) if metrics[name]["type"] == "mean" else None,
        )
        for (name, start, variant), values in found.items()
    }


def _units(every: list[Observation], measure: Measure) -> list[tuple[datetime, str | None, float]]:
    entered = []
    for unit in {each.unit for each in every if each.unit}:
        own = [each for each in every if each.unit == unit]
        entries = [
            (each.at, *_variant(each, measure)) for each in own if measure.entries.matches(each.name, each.properties)
        ]
        if entries:
            at, _, variant = min(entries)
            wins = [
                each.at for each in own if measure.successes and measure.successes.matches(each.name, each.properties)
            ]
            success = bool(wins) and at <= min(wins) <= at + timedelta(microseconds=measure.within_us)
            entered.append((at, variant or None, float(success)))
    return entered


def _events(every: list[Observation], measure: Measure) -> list[tuple[datetime, str | None, float]]:
    copies: dict[str, list[tuple[datetime, bool, str, float]]] = defaultdict(list)
    for each in every:
        value = each.properties.get(measure.value) if measure.value else 1
        if measure.entries.matches(each.name, each.properties) and isinstance(value, int | float):
            copies[each.id].append((each.at, *_variant(each, measure), float(value)))
    return [(at, variant or None, value) for at, _, variant, value in (min(each) for each in copies.values())]


def _variant(observation: Observation, measure: Measure) -> tuple[bool, str]:
    told = observation.properties.get(measure.variant) if measure.variant else None
    return told is None, str(told or "")


def _start(spec: dict[str, Any], at: datetime) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if spec.get("period") == "week" else day


def _place(event: Event) -> Place:
    assert isinstance(event.data, OutcomeSampled)
    return event.data.metric, event.data.start, event.data.variant


def _rank(event: Event) -> tuple[int, int, str]:
    assert isinstance(event.data, OutcomeSampled)
    return event.data.revision, to_us(event.time), event.id
