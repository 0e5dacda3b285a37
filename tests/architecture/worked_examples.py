"""The worked examples of the metric pages: read from the page, folded, and what the pages say of their own form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared
from pipeline.events.vocabulary import TYPES
from pipeline.governance.claims import claims
from pipeline.governance.confidence import confidence
from pipeline.governance.gate import evaluate
from pipeline.governance.known import Known
from pipeline.governance.progress import progress
from pipeline.governance.scope import scope_changes
from pipeline.metrics.catalogue import BY_NAME, MetricPoint
from pipeline.metrics.windows import read_metrics
from pipeline.simulate.telling import TRACKER, tell
from tests.architecture.sources import ROOT
from tests.simulation.folding import contract_of, fold, latest_of
from tests.simulation.story import SHOP, MetricKey, declared, moment, us

PAGES = ROOT / "docs" / "metrics"
_BLOCK = re.compile(r"^```yaml (contract|example)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPE = re.compile(r"dev\.cdevents(?:x\.leadline-|\.)(.+)\.\d+\.\d+\.\d+")
_INSTANT = re.compile(r"\d\d \d\d:\d\d")
_WINDOW = re.compile(r"(\d+)d")


def short_name(event_type: str) -> str:
    """Return how the pages call an event: `ticket.moved`."""
    found = _TYPE.fullmatch(event_type)
    assert found, event_type
    return found[1]


#: What the pages call an event -> its type.
EVENTS = {short_name(event_type): event_type for event_type in TYPES}


def blocks(text: str, kind: str) -> list[dict[str, Any]]:
    """Return the blocks `contract` or `example` of a page, or of a part of one."""
    return [yaml.safe_load(found[2]) for found in _BLOCK.finditer(text) if found[1] == kind]


def ground() -> dict[str, Any]:
    """Return the contract that all examples share; it stands in the index."""
    (found,) = blocks((PAGES / "README.md").read_text("utf-8"), "contract")
    return found


@dataclass(frozen=True)
class Example:
    """One worked example: `contract` beside what all share, events, an instant, and what must follow."""

    name: str
    contract: Mapping[str, Any]
    told: tuple[tuple[str, Mapping[str, Any]], ...]
    as_of: datetime
    expected: Mapping[str, Any]

    @cached_property
    def events(self) -> list[Event]:
        """Return the declarations and the events."""
        # A key that ends with an instant, as in `Team growth 09 12:00`, is a later version of the object.
        objects = [_declaration(key, spec) for key, spec in {**ground(), **self.contract}.items()]
        return [*objects, *(_event(when_what, fields) for when_what, fields in self.told)]

    def points(self) -> list[MetricPoint]:
        """Return all metrics of the example."""
        return read_metrics(fold(self.events), self.as_of, latest=latest_of(self.events))

    def mismatches(self) -> list[str]:
        """Return one line for everything in which the fold differs from the page."""
        found = {_key(point): [point.value, point.n] for point in self.points()}
        return [
            f"{key}: {actual}, the page says {expected}"
            for key, expected in self.expected.items()
            if not _same(actual := self._actual(key, found), expected)
        ]

    def metrics(self) -> set[str]:
        """Return the metrics for which the page gives a number."""
        return {key.split()[0] for key, expected in self.expected.items() if expected != "absent"} & BY_NAME.keys()

    def _actual(self, key: str, found: Mapping[MetricKey, object]) -> object:
        word, *rest = key.split()
        if word in BY_NAME:
            return found.get(_metric_key(word, rest), "absent")
        return _CONCEPTS[word](self, " ".join(rest))

    def known(self) -> Known:
        """Return the facts of the example."""
        return Known(fold(self.events))


def _claim(example: Example, ticket: str) -> object:
    found = claims(contract_of(example.events), example.known(), to_us(example.as_of), {})
    return next((claim.state for claim in found if claim.ticket == ticket), "absent")


def _gate(example: Example, initiative: str) -> object:
    found = evaluate(contract_of(example.events), example.known(), initiative, to_us(example.as_of))
    return "absent" if found is None else {"missing": found.missing, "passed": found.passed}


def _progress(example: Example, initiative: str) -> object:
    found = progress(example.known()).get(initiative)
    return "absent" if found is None else {"done": found.done, "tickets": found.tickets}


def _confidence(example: Example, initiative: str) -> object:
    found = confidence(contract_of(example.events), example.known(), initiative, to_us(example.as_of), {})
    return "absent" if found is None else {each.name: each.holds for each in found.checks}


def _changed(example: Example, initiative: str) -> object:
    found = scope_changes(contract_of(example.events), example.known(), initiative, to_us(example.as_of))
    return [{"fields": each.fields, "controlled": each.controlled} for each in found]


#: What an example of a concept expects, by its first word.
_CONCEPTS: Mapping[str, Callable[[Example, str], object]] = {
    "claim": _claim,
    "gate": _gate,
    "progress": _progress,
    "confidence": _confidence,
    "changes": _changed,
}


def examples(page: Path, text: str | None = None) -> Iterator[Example]:
    """Yield the worked examples of a page, or of a part of it."""
    for number, block in enumerate(blocks(page.read_text("utf-8") if text is None else text, "example"), 1):
        yield Example(
            name=f"{page.stem} {number}",
            contract=block.get("contract", {}),
            told=tuple(pair for event in block["events"] for pair in event.items()),
            as_of=moment(block["as_of"]),
            expected=block["expect"],
        )


def _declaration(key: str, spec: dict[str, Any]) -> Event:
    kind, name, *since = key.split()
    return declared(kind, name, spec, since=" ".join(since) or None, at=" ".join(since) or "01 00:00")


def _event(when_what: str, told: Mapping[str, Any]) -> Event:
    """Return the event of a line such as `02 09:00 ticket.moved: {ticket: GROW-1, to_status: Done}`."""
    when, what = when_what.rsplit(maxsplit=1)
    event_type = EVENTS[what]
    payload = TYPES[event_type]
    assert payload is not ContractDeclared, "the contract has its own block"
    usual = {
        "tracker": TRACKER,
        "project": str(told.get("ticket", "")).rpartition("-")[0],
        "repo": str(told["change"]).partition("#")[0] if "change" in told else SHOP,
        "environment": "production",
        **dict.fromkeys(("authored_at", "committed_at", "created_at"), when),
    }
    fields = {name: usual[name] for name in payload.__struct_fields__ if name in usual} | dict(told)
    moments = {name: moment(each) for name, each in fields.items() if _INSTANT.fullmatch(str(each))}
    return tell(event_type, us(when), msgspec.convert(fields | moments, payload))


def _key(point: MetricPoint) -> MetricKey:
    return point.metric, point.stat, point.scope_kind, point.scope, point.window_days


def _metric_key(metric: str, words: list[str]) -> MetricKey:
    """Read `p50 pair growth > core 28d`; without the last word it is not windowed."""
    stat, kind, *scope = words
    window = _WINDOW.fullmatch(scope[-1])
    return metric, stat, kind, " ".join(scope[:-1] if window else scope), int(window[1]) if window else None


def _same(found: object, expected: object) -> bool:
    if isinstance(found, list) and isinstance(expected, list) and all(isinstance(each, int | float) for each in found):
        return len(found) == len(expected) and all(abs(a - b) < 1e-6 for a, b in zip(found, expected, strict=True))
    return found == expected
