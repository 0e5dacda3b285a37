"""Tables of samples -> `outcome.sampled`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connectors.samples.periods import Calendar
from connectors.samples.rows import Sample, check_against, read_row
from connectors.samples.tables import Row, csv_rows, ndjson_rows, text_of
from pipeline.events.coordination import OutcomeSampled
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import parse_time

CSV, NDJSON = "csv", "ndjson"
#: Headers of a delivery that was read from a file: its name, when it was written, the line of the first row in it, and
#: what a row of another part contradicts.
FILE_HEADER, AS_OF_HEADER, LINE_HEADER, CONTRADICTS_HEADER = "file", "as-of", "line", "contradicts"
ANYWHERE = "urn:leadline:samples"

_SHOWN = 3


def kind_of(content_type: str, body: bytes) -> str:
    """Return `csv` or `ndjson`; never raises."""
    told = content_type.casefold()
    if "csv" in told:
        return CSV
    if any(word in told for word in ("ndjson", "jsonl", "json-seq", "x-json-stream")):
        return NDJSON
    return NDJSON if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else CSV


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a table; all of it, or nothing. Raises `Quarantined`, naming line, column, value and fix.

    A setting that cannot be used is `ConfigError`.
    """
    utc = zoneless_utc(context.settings.get("utc", ""))
    written = parse_time(delivery.headers.get(AS_OF_HEADER), f"header {AS_OF_HEADER}")
    source = context.settings.get("source", "").strip() or ANYWHERE
    events: dict[str, Event] = {}
    mistakes: list[Quarantined] = []
    calendar = Calendar()
    contradicts = delivery.headers.get(CONTRADICTS_HEADER)
    for line, row in _numbered(delivery):
        try:
            sample = checked(row, utc=utc)
            check_against(sample, calendar, line)
            _accept(contradicts)
        except Quarantined as error:
            mistakes.append(Quarantined(error.reason, f"line {line}: {error.detail}"))
            continue
        event = _event(sample, source, sample.as_of or written or sample.end)
        events[event.id] = event
    if mistakes:
        raise _joined(mistakes, delivery.headers.get(FILE_HEADER))
    return Translation(events=list(events.values())) if events else Translation(ignored="no_rows")


def zoneless_utc(setting: str) -> bool:
    """Return whether times without a zone are in UTC. Raises `ConfigError` for anything but true, false and empty."""
    told = setting.strip().casefold()
    if told not in ("", "true", "false"):
        raise ConfigError(f"connectors.samples.utc is {setting!r}; write true or false")
    return told == "true"


def checked(row: Row, *, utc: bool) -> Sample:
    """Return the sample in a row; raises what is wrong with it."""
    if row.wrong is not None:
        raise row.wrong
    return read_row(row.cells, utc=utc)


def rows_of(kind: str, body: bytes) -> Iterator[Row]:
    """Yield the rows of a body. Raises `Quarantined` for one that is no table."""
    if kind == CSV:
        return csv_rows(text_of(body))
    if kind == NDJSON:
        return ndjson_rows(text_of(body))
    raise Quarantined("unknown_kind", f"kind is {kind[:80]!r}; expected {CSV} or {NDJSON}")


def _accept(contradicts: str | None) -> None:
    """Refuse a row of which the reader of the whole file has seen what it contradicts."""
    if contradicts is not None:
        raise Quarantined("bad_value", contradicts or "it contradicts another row of its file")


def _numbered(delivery: Delivery) -> Iterator[tuple[int, Row]]:
    """Yield the rows with the lines on which they stand, in the file if the delivery is a part of one."""
    told = delivery.headers.get(LINE_HEADER, "")
    shift = None
    for row in rows_of(delivery.kind, delivery.body):
        if shift is None:
            shift = int(told) - row.line if told.isascii() and told.isdecimal() else 0
        yield row.line + shift, row


def _joined(mistakes: list[Quarantined], file: str | None) -> Quarantined:
    shown = [error.detail for error in mistakes[:_SHOWN]]
    more = len(mistakes) - len(shown)
    detail = "; ".join([*shown, *([f"{more} more rows"] if more else [])])
    return Quarantined(mistakes[0].reason, f"{file}, {detail}" if file else detail)


def _event(sample: Sample, source: str, at: datetime) -> Event:
    data = OutcomeSampled(
        metric=sample.metric,
        start=sample.start,
        end=sample.end,
        n=sample.n,
        total=sample.total,
        squares=sample.squares,
        variant=sample.variant,
        revision=sample.revision,
    )
    identity = event_id(
        "sample",
        sample.metric,
        sample.start.isoformat(),
        sample.end.isoformat(),
        sample.variant,
        sample.revision,
        at.isoformat(),
        repr((sample.n, sample.total, sample.squares)),
    )
    return Event(
        id=identity,
        source=source,
        type=OutcomeSampled.TYPES[0],
        time=at,
        subject=sample.metric,
        partitionkey=sample.metric,
        data=data,
    )
