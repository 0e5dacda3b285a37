"""Deliveries from files of samples: bounded parts, split between rows, and each row that cannot be used on its own."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from connectors.samples.parquet import parquet_lines
from connectors.samples.periods import Calendar
from connectors.samples.rows import check_against, check_columns
from connectors.samples.tables import columns_of, delimiter_of
from connectors.samples.translate import (
    AS_OF_HEADER,
    CONTRADICTS_HEADER,
    CSV,
    FILE_HEADER,
    LINE_HEADER,
    NDJSON,
    checked,
    rows_of,
)
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Quarantined

MAX_ROWS = 500
MAX_BYTES = 256 * 1024
#: A line is read in pieces of at most this.
_MAX_LINE = 1024 * 1024
_KINDS = {".csv": CSV, ".tsv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".parquet": NDJSON, ".pq": NDJSON}
_PARQUET = frozenset({".parquet", ".pq"})

#: The line on which a row begins, and its bytes with the line break.
_Raw = tuple[int, bytes]


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How files are read.

    `utc` is the setting of that name. `refused` is called with the place of each row that translation will quarantine,
    and why.
    """

    received_at: datetime
    utc: bool = False
    refused: Callable[[str], None] = lambda _: None


def read(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    """Yield the deliveries of a file, or of all files of samples in a folder and below, by name.

    A part holds at most `MAX_ROWS` rows and about `MAX_BYTES` bytes. A row that cannot be used, or contradicts an
    earlier one of its file, is a part by itself, so that it holds nothing else back. The id of a part is a hash of its
    content: a file that is read again adds what is new in it. Raises `ConfigError` naming the path.
    """
    if not path.exists():
        raise ConfigError(f"{path}: no such file or directory")
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file() and _suffix(each))
    if not files or (path.is_file() and not _suffix(path)):
        raise ConfigError(f"{path}: holds no samples; expected {', '.join(_KINDS)}, or one of the texts with .gz")
    for file in files:
        yield from _file(file, options)


def _suffix(path: Path) -> str | None:
    """Return the suffix that says what a file is, or None if it is nothing of ours."""
    packed = path.suffix.casefold() == ".gz"
    suffix = (path.with_suffix("") if packed else path).suffix.casefold()
    known = suffix in _KINDS and not (packed and suffix in _PARQUET) and not path.name.startswith(".")
    return suffix if known else None


def _file(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    suffix = _suffix(path) or ""
    try:
        written = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), options.received_at)
        parts = _Parts(path.name, _KINDS[suffix], written, options)
        if suffix in _PARQUET:
            yield from parts.split(b"", enumerate(parquet_lines(path), start=1))
            return
        with gzip.open(path) if path.suffix.casefold() == ".gz" else path.open("rb") as opened:
            lines = _lines(opened.readline)
            if _KINDS[suffix] == NDJSON:
                yield from parts.split(b"", lines)
            else:
                yield from _table(parts, lines)
    except (OSError, EOFError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _lines(readline: Callable[[int], bytes]) -> Iterator[_Raw]:
    return enumerate(iter(partial(readline, _MAX_LINE), b""), start=1)


def _table(parts: _Parts, lines: Iterator[_Raw]) -> Iterator[Delivery]:
    """Yield the parts of a CSV file; of one whose header cannot be used the header alone, to be quarantined."""
    number, header = next(((number, line) for number, line in lines if line.strip()), (1, b""))
    text = header.decode("utf-8", "replace")
    delimiter = delimiter_of(text)
    try:
        check_columns(columns_of(text, delimiter))
    except Quarantined as error:
        yield parts.refuse(number, header, error.detail)
        return
    header = header if header.endswith(b"\n") else header + b"\n"
    yield from parts.split(header, _records(lines, delimiter))


def _records(lines: Iterator[_Raw], delimiter: str) -> Iterator[_Raw]:
    """Yield rows of CSV, which may span several lines; where it is no CSV, the lines of the row up to there."""
    taken: list[_Raw] = []

    def texts() -> Iterator[str]:
        for raw in lines:
            taken.append(raw)
            yield raw[1].decode("utf-8", "surrogateescape")

    source, more = texts(), True
    while more:
        reader = csv.reader(source, delimiter=delimiter)
        try:
            for _ in reader:
                yield taken[0][0], b"".join(raw for _, raw in taken)
                taken.clear()
            more = False
        except csv.Error:
            yield taken[0][0], b"".join(raw for _, raw in taken)
            taken.clear()


class _Parts:
    """Gathers the rows of one file into deliveries."""

    def __init__(self, file: str, kind: str, written: datetime, options: ReadOptions) -> None:
        self._file = file
        self._kind = kind
        self._written = written
        self._options = options
        self._calendar = Calendar()

    def split(self, header: bytes, rows: Iterator[_Raw]) -> Iterator[Delivery]:
        """Yield the parts of rows under a header."""
        begins, size, held = 0, 0, list[bytes]()
        for line, raw in rows:
            if not raw.strip():
                held += [raw] if held else []  # the lines after it keep their numbers
                continue
            wrong, contradicts = self._wrong(header, line, raw)
            if held and (wrong or len(held) >= MAX_ROWS or size + len(raw) > MAX_BYTES):
                yield self._delivery(begins, header + b"".join(held))
                size, held = 0, []
            if wrong:
                yield self.refuse(line, header + raw, wrong, contradicts=contradicts)
                continue
            begins = begins if held else line
            size += len(raw)
            held.append(raw if raw.endswith(b"\n") else raw + b"\n")
        if held:
            yield self._delivery(begins, header + b"".join(held))

    def refuse(self, line: int, body: bytes, why: str, *, contradicts: bool = False) -> Delivery:
        """Return the part of something that cannot be used, and tell so."""
        self._options.refused(f"{self._file}, line {line}: {why}")
        return self._delivery(line, body, {CONTRADICTS_HEADER: why} if contradicts else {})

    def _wrong(self, header: bytes, line: int, raw: bytes) -> tuple[str, bool]:
        """Return what is wrong with a row, or "", and whether that is seen only beside the other rows of the file."""
        try:
            samples = [checked(row, utc=self._options.utc) for row in rows_of(self._kind, header + raw)]
        except Quarantined as error:
            return error.detail, False
        try:
            for sample in samples:
                check_against(sample, self._calendar, line)
        except Quarantined as error:
            return error.detail, True
        return "", False

    def _delivery(self, line: int, body: bytes, headers: dict[str, str] | None = None) -> Delivery:
        # What a row contradicts is part of the id: corrected, the file may tell the row again, and then it counts.
        content = "\x1f".join([self._kind, *(headers or {}).values()]).encode() + b"\x1f" + body
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        told = {FILE_HEADER: self._file, AS_OF_HEADER: self._written.isoformat(), LINE_HEADER: str(line)}
        return Delivery(
            connector="samples",
            id=f"file:{digest}",
            kind=self._kind,
            received_at=self._options.received_at,
            body=body,
            headers={**told, **(headers or {})},
        )
