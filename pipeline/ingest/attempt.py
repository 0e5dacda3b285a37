"""One delivery, translated: the records of its events, or what was left out, or why it failed. Never an exception."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from pipeline.events.codec import decode
from pipeline.events.delivery import Connector, Context, Delivery, Observation, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.times import EPOCH
from pipeline.ingest import deliveries
from pipeline.ingest.quarantine import Failure
from pipeline.log.protocol import Record, Stored, event_record

#: How far beyond its recording an event may lie; a clock that is off by a time zone or a day is no reason to refuse.
MAX_AHEAD = timedelta(days=2)
#: The reason of a delivery on which a connector failed in a way that it does not know itself.
TRANSLATOR_ERROR = "translator_error"
#: A group of outcomes ends with the delivery that brings it to so many records and observations.
GROUP_RECORDS = 10_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery: `records` for the stream of events and `observations`, or `ignored`, or `failure`.

    `misdated` counts the observations that were left out because their time is impossible.
    """

    delivery: int
    connector: str
    records: tuple[Record, ...] = ()
    observations: tuple[Observation, ...] = ()
    misdated: int = 0
    ignored: str | None = None
    failure: Failure | None = None

    @property
    def word(self) -> str:
        """`quarantined`, `ignored` or `translated`."""
        if self.failure is not None:
            return "quarantined"
        return "translated" if self.ignored is None else "ignored"


class Attempt:
    """Translates stored deliveries with the connectors at hand.

    Whatever a delivery or a connector does, the outcome is an `Outcome`: a bug in one connector must neither stop the
    stream nor lose the delivery. Only errors of `context_for` pass, since those concern the settings.
    """

    def __init__(self, connectors: Mapping[str, Connector], context_for: Callable[[str], Context]) -> None:
        self._connectors = connectors
        self._context_for = context_for
        self._contexts: dict[str, Context] = {}

    def translate(self, stored: Stored) -> Outcome:
        """Return what becomes of a record of the stream of deliveries."""
        name = deliveries.connector_of(stored)
        connector = self._connectors.get(name)
        context = None if connector is None else self._context(name)
        kind = ""
        try:
            delivery = deliveries.from_stored(stored)
            kind = delivery.kind
            translation = _translation(connector, delivery, context)
            latest = stored.recorded + MAX_AHEAD
            records = tuple(_record(event, stored.offset, latest) for event in translation.events)
            observations = tuple(each for each in translation.observations if _is_possible(each.at, latest))
        except Quarantined as error:
            reason, detail = error.reason, error.detail
        except Exception as error:  # noqa: BLE001 - see the class
            reason, detail = TRANSLATOR_ERROR, f"{type(error).__name__}: {error}"
        else:
            return Outcome(
                delivery=stored.offset,
                connector=name,
                records=records,
                observations=observations,
                misdated=len(translation.observations) - len(observations),
                ignored=translation.ignored,
            )
        failure = Failure(delivery=stored.offset, connector=name, kind=kind, reason=reason, detail=_storable(detail))
        return Outcome(delivery=stored.offset, connector=name, failure=failure)

    def translate_all(self, batch: Iterable[Stored]) -> Iterator[list[Outcome]]:
        """Yield the outcomes of a batch in its order, in groups small enough to hold in memory and append at once."""
        group: list[Outcome] = []
        records = 0
        for stored in batch:
            group.append(self.translate(stored))
            records += len(group[-1].records) + len(group[-1].observations)
            if records >= GROUP_RECORDS:
                yield group
                group, records = [], 0
        if group:
            yield group

    def _context(self, name: str) -> Context:
        if name not in self._contexts:
            self._contexts[name] = self._context_for(name)
        return self._contexts[name]


def _translation(connector: Connector | None, delivery: Delivery, context: Context | None) -> Translation:
    if connector is None or context is None:
        raise Quarantined("unknown_connector", f"no connector {delivery.connector!r} in this installation")
    return connector.translate(delivery, context)


def _is_possible(moment: datetime, latest: datetime) -> bool:
    return moment.tzinfo is not None and EPOCH <= moment <= latest


def _record(event: Event, origin: int, latest: datetime) -> Record:
    """Return the record of an event. Raises `Quarantined` if its time is impossible or it could not be read back."""
    if event.time.tzinfo is None:
        raise Quarantined("bad_time", f"{event.type} {event.subject}: time {event.time.isoformat()} has no zone")
    if not _is_possible(event.time, latest):
        raise Quarantined(
            "bad_time",
            f"{event.type} {event.subject}: time {event.time.isoformat()} is not between {EPOCH.year} and "
            f"{latest.isoformat()}, two days after it was recorded",
        )
    record = event_record(event, origin)
    decode(record.value)
    return record


def _storable(text: str) -> str:
    """Replace lone surrogates, which an exception's text may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode()
