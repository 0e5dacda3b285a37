"""Everything that was collected, through the connectors: source x kind -> translated, left out, or quarantined.

`python -m tests.conformance.coverage` prints the whole table; as a check there is one line a source. What fails: an
exception, a source without a connector, a payload of a kind that matters that is left out under a code that nobody gave
a reason for, or quarantined without being foreseen, and one of which nothing at all is told.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pipeline.events.delivery import Connector, Translation
from pipeline.events.errors import Quarantined
from tests.conformance.coverage_sources import MATTERS, NO_MATTER, PAYLOADS, RAW, Source
from tests.conformance.told import Row, Told, row, tell

#: The outcome of a payload of which nothing is told, without a name for that.
NOTHING = "nothing"
#: The folders of `raw_api` that hold what another program made of the answers.
DERIVED = "snapshot_tables"


class Line(NamedTuple):
    """What became of the payloads of one kind of one source: outcome -> how many, and what of that is wrong."""

    source: str
    kind: str
    counts: Counter[str]
    mistakes: list[str]


class Payload(NamedTuple):
    """One payload: `where` it is, how the collection calls its `kind`, and the `start` of its file's name."""

    where: str
    kind: str
    start: str
    body: bytes


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each source; `root` is the folder of the real data."""
    by_source: dict[str, list[Line]] = {}
    for line in lines(root):
        by_source.setdefault(line.source, []).append(line)
    return [_row(source, found) for source, found in sorted(by_source.items())]


def _row(source: str, found: list[Line]) -> Row:
    totals = Counter[str]()
    for line in found:
        for outcome, count in line.counts.items():
            totals[_word(outcome)] += count
    mistakes = [mistake for line in found for mistake in line.mistakes]
    note = ", ".join(f"{count} {word}" for word, count in sorted(totals.items(), reverse=True))
    return row(f"coverage {source}", totals.total(), mistakes, f"{len(found)} kinds: {note}")


def _word(outcome: str) -> str:
    return outcome.partition(":")[0]


def lines(root: Path) -> Iterator[Line]:
    """Yield the table: every payload of `MANIFEST.json` and every answer in `raw_api`, by source and kind."""
    listed: dict[str, dict[str, list[Payload]]] = {}
    for entry in json.loads((root / "payloads/MANIFEST.json").read_bytes()):
        file = root / "payloads" / entry["source"] / entry["file"]
        payload = Payload(file.name, entry["kind"], file.name.partition("__")[0], file.read_bytes())
        listed.setdefault(entry["source"], {}).setdefault(payload.kind, []).append(payload)
    for name, kinds in sorted(listed.items()):
        for kind, payloads in sorted(kinds.items()):
            yield _line(name, kind, PAYLOADS.get(name, Source()), payloads)
    for name, source in RAW.items():
        found = sorted((root / "raw_api" / name).glob("*/_raw_*.csv"))
        yield from (_raw_line(name, path, source) for path in found if path.parent.name != DERIVED)


def _raw_line(name: str, path: Path, source: Source) -> Line:
    kind = path.stem.removeprefix(f"_raw_{name}_").removeprefix("api_")
    rows = _rows(path)
    if kind not in source.kinds:
        return Line(f"raw_api/{name}", kind, Counter({"never asked for": len(rows)}), [])
    numbered = enumerate(rows, start=1)
    payloads = [Payload(f"{kind}:{each.get('id', n)}", kind, kind, each["data"].encode()) for n, each in numbered]
    return _line(f"raw_api/{name}", kind, source, payloads)


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table; some begin with a mark of their encoding and with empty lines."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(line for line in file if line.strip()))


def _line(name: str, kind: str, source: Source, payloads: list[Payload]) -> Line:
    folder = name.removeprefix("raw_api/")
    connector = _connector(*source.connectors, folder, kind)
    if connector is None:
        return Line(name, kind, Counter({"no connector": len(payloads)}), [f"{name} {kind}: no connector reads it"])
    counts, mistakes = Counter[str](), list[str]()
    for payload in payloads:
        outcome, mistake = _outcome(connector, payload, source)
        counts[outcome] += 1
        mistakes += [f"{kind} {payload.where}: {mistake}"] if mistake else []
    return Line(name, kind, counts, mistakes)


def _connector(*names: str) -> Connector | None:
    """Return the connector of the first of the names that has one."""
    for name in names:
        if name.isidentifier() and find_spec(f"connectors.{name}") is not None:
            found: Connector | None = getattr(importlib.import_module(f"connectors.{name}"), "CONNECTOR", None)
            if found is not None:
                return found
    return None


def _outcome(connector: Connector, payload: Payload, source: Source) -> tuple[str, str | None]:
    """Return what became of a payload, and what is wrong with that."""
    try:
        told = _tell(connector, payload, source)
    except Exception as error:  # noqa: BLE001 - that nothing but a quarantine is raised is what is checked
        return f"error:{type(error).__name__}", f"{type(error).__name__}: {error}"
    if isinstance(told.outcome, Quarantined):
        return told.result, _quarantined(payload, told.outcome, source)
    told_something = told.outcome.ignored or told.outcome.events or told.outcome.observations
    return (told.result if told_something else NOTHING), _translated(payload, told.outcome, source)


def _tell(connector: Connector, payload: Payload, source: Source) -> Told:
    body, headers = payload.body, _headers(connector, payload, source)
    if payload.kind == "signature_vector":
        body = str(json.loads(body)["body"]).encode()
    kind = source.kinds.get(payload.start) or source.kinds.get("*")
    kind = kind or _described(connector, payload.start, headers, body)
    return tell(connector, payload.where, kind, body, headers)


def _described(connector: Connector, start: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return the kind as the connector tells it; where it does not know by the shape, as the file is named."""
    described = connector.describe(headers, body)[0]
    if start.startswith("rest_") and not described.startswith("rest."):
        return start.replace("rest_", "rest.", 1)
    return start if described == "unknown" else described


def _headers(connector: Connector, payload: Payload, source: Source) -> dict[str, str]:
    """Return the headers that the vendor sends: bodies alone were collected."""
    event = payload.start.split(".")[0]
    made = {
        "github": {"x-github-event": event},
        "gitea": {"X-Gitea-Event": {"pull_request_review": "pull_request_approved"}.get(event, event)},
        "bitbucket_server": {"x-event-key": payload.kind},
    }
    return {**made.get(connector.name, {}), **source.headers}


def _quarantined(payload: Payload, outcome: Quarantined, source: Source) -> str | None:
    foreseen = next((reason for part, reason in source.foreseen.items() if part in payload.where), None)
    if foreseen == outcome.reason or (foreseen is None and not _matters(payload.kind)):
        return None
    return f"quarantined as {outcome}" + (f", foreseen is {foreseen}" if foreseen else "")


def _translated(payload: Payload, outcome: Translation, source: Source) -> str | None:
    if outcome.ignored is None:
        if outcome.events or outcome.observations or NOTHING in source.left_out:
            return None
        return "nothing is told, and no name is given for that"
    if not _matters(payload.kind) or outcome.ignored in source.left_out:
        return None
    return f"left out as {outcome.ignored}, though it matters"


def _matters(kind: str) -> bool:
    return MATTERS.search(kind) is not None and NO_MATTER.search(kind) is None


def main() -> int:
    """Print the whole table; returns the exit code."""
    data = os.environ.get("LEADLINE_REAL_DATA", "")
    if not data or not Path(data).is_dir():
        print("!!! COVERAGE SKIPPED: LEADLINE_REAL_DATA names no folder !!!")
        return 0
    failed = 0
    for line in lines(Path(data)):
        shown = ", ".join(f"{count} {outcome}" for outcome, count in line.counts.most_common())
        print(f"{line.source:<20} {line.kind[:48]:<48} {shown}")
        failed += len(line.mistakes)
        for mistake in line.mistakes:
            print(f"  FAIL {mistake}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
