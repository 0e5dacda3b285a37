"""Replaying a recorded week into a database of its own: each delivery when it came in, a snapshot each evening."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from pipeline.cli.contract import declare, read_contract
from pipeline.contract.declare import changes
from pipeline.contract.load import load
from pipeline.contract.resolve import Contract
from pipeline.events.codec import decode
from pipeline.events.coordination import OutcomeSampled, RolloutChanged
from pipeline.events.times import from_us, to_us
from pipeline.events.types import Payload
from pipeline.facts.rows import FACTS, ArtifactFact
from pipeline.governance.confidence import Confidence, confidence
from pipeline.governance.gate import evaluate
from pipeline.governance.known import Known
from pipeline.governance.thread import Thread, thread
from pipeline.ingest.deliveries import store
from pipeline.log.protocol import EVENTS
from pipeline.metrics.catalogue import MetricPoint
from pipeline.settings import Settings
from pipeline.simulate.week.recorded import Day, Moment
from pipeline.snapshots.build import build
from pipeline.snapshots.reading import reading
from pipeline.wiring import Wiring

#: People of the recorded week are pseudonyms of this key, so that every replay has the same facts.
_KEY = "recorded-week"
#: When the people of the recorded company look at the day.
_EVENING = timedelta(hours=20)
_BATCH = 10_000
#: What counts ages of what is open, which are known as of now alone.
_AGEING = ("dependency_wait",)


class Word(msgspec.Struct, frozen=True):
    """A sample or a rollout, as the log has it."""

    at: int
    id: str
    source: str
    data: Payload


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """How an initiative stands at an instant. `lacks` is what its gate misses; None: it is not declared.

    `failing` are the checks of confidence that do not hold, of `checks`, with what shows it. `integrity` is
    (linked, all) artifacts of everybody.
    """

    at: int
    lacks: list[str] | None
    checks: int
    failing: dict[str, list[str]]
    integrity: tuple[int, int]

    def same_as(self, other: Pulse | None) -> bool:
        """Whether nothing but the instant differs."""
        return other is not None and msgspec.structs.replace(self, at=other.at) == other


class Restated(msgspec.Struct, frozen=True):
    """A number that was reported in an earlier snapshot, and what it is now for the same instant."""

    metric: str
    stat: str
    scope: str
    reported: tuple[float, int] | None
    now: tuple[float, int] | None


class Evening(msgspec.Struct, frozen=True, kw_only=True):
    """What is known at the end of a day. `moved` are the standings of the day, each where it differs from the last."""

    day: str
    at: datetime
    snapshot: int
    pulses: list[Pulse]
    thread: Thread | None
    metrics: list[MetricPoint]
    restated_facts: list[dict[str, Any]]
    restated_metrics: list[Restated]


class Replay:
    """A database under `directory`, filled day by day. Close it in the end."""

    def __init__(self, directory: Path, initiative: str) -> None:
        self.settings = Settings.model_validate(
            {
                "database": directory / "leadline.db",
                "snapshots": directory / "snapshots",
                "actor_key": _KEY,
            }
        )
        self.wiring = Wiring(self.settings)
        self.initiative = initiative
        self.words: list[Word] = []
        self._read = 0
        self._last: Pulse | None = None
        self._reported: list[MetricPoint] = []

    def day(self, day: Day) -> Iterator[Moment | Evening]:
        """Yield each moment once it was taken in, and the evening last."""
        pulses: list[Pulse] = []
        for moment in day.moments:
            self.take(moment)
            pulse = self.pulse(to_us(moment.at))
            if not pulse.same_as(self._last):
                pulses.append(pulse)
                self._last = pulse
            yield moment
        at = day.moments[-1].at.replace(hour=0, minute=0, second=0, microsecond=0) + _EVENING
        yield self._evening(day.name, at, pulses)

    def take(self, moment: Moment) -> None:
        """Apply what was declared, store what came in, and derive everything from it: one run."""
        log = self.wiring.log()
        if moment.contract:
            loaded = load(moment.contract)
            declare(log, changes(loaded.require(), read_contract(log), moment.at, prune=True), moment.at)
        store(log, moment.deliveries, moment.at)
        self.wiring.translator().run(moment.at)
        self.wiring.engine().run()
        self._listen()

    def known(self) -> Known:
        """Return the facts as they are now."""
        return Known(self.wiring.engine().state)

    def contract(self) -> Contract:
        """Return the contract as declared so far."""
        return self.wiring.engine().contract

    def pulse(self, at: int) -> Pulse:
        """Return how the initiative stands at an instant."""
        known = self.known()
        gate, told = evaluate(self.contract(), known, self.initiative, at), self.confidence(at)
        artifacts = known.of(ArtifactFact)
        return Pulse(
            at=at,
            lacks=None if gate is None else gate.missing,
            checks=0 if told is None else len(told.checks),
            failing={} if told is None else {each.name: each.evidence for each in told.checks if not each.holds},
            integrity=(sum(each.status == "linked" for each in artifacts), len(artifacts)),
        )

    def confidence(self, at: int) -> Confidence | None:
        """Return the confidence in the initiative at an instant; None: it is not declared."""
        samples: dict[str, list[int]] = {}
        for word in self.words:
            if isinstance(word.data, OutcomeSampled):
                samples.setdefault(word.data.metric, []).append(word.at)
        return confidence(self.contract(), self.known(), self.initiative, at, samples)

    def thread(self, at: int) -> Thread | None:
        """Return what changed, which signal moved and what remains uncertain; None: it is not declared."""
        return thread(self.contract(), self.known(), self.initiative, at, self.words)

    def digest(self) -> str:
        """Return a hash over all facts and all numbers: equal if and only if they are the same bytes."""
        state, found = self.wiring.engine().state, hashlib.blake2b(digest_size=16)
        for kind, struct in FACTS.items():
            for key, fact in sorted(state.table(f"fact_{kind}", struct).items(), key=lambda item: item[0]):
                found.update(msgspec.json.encode([kind, key, fact]))
        found.update(msgspec.json.encode(self.wiring.metrics()))
        return found.hexdigest()

    def rebuild(self) -> str:
        """Forget everything that was derived, replay the log from its beginning, and return the digest."""
        self.wiring.engine().rebuild()
        return self.digest()

    def close(self) -> None:
        """Release the database."""
        self.wiring.close()

    def _listen(self) -> None:
        """Take in the samples and rollouts that the log has got since the last time."""
        log = self.wiring.log()
        while rows := log.read_values(EVENTS, self._read, _BATCH):
            self._read = rows[-1][0]
            for _, _, value in rows:
                event = decode(value)
                if isinstance(event.data, OutcomeSampled | RolloutChanged):
                    self.words.append(Word(to_us(event.time), event.id, event.source, event.data))

    def _evening(self, name: str, at: datetime, pulses: list[Pulse]) -> Evening:
        restated = self._restated_metrics()
        built = build(self.wiring.store(), self.wiring.log(), self.settings.snapshots, at, version=version("leadline"))
        self._reported = self.wiring.metrics()
        number = built.manifest.number
        pulse = self.pulse(to_us(at))
        if not pulse.same_as(self._last):
            pulses.append(pulse)
            self._last = pulse
        return Evening(
            day=name,
            at=at,
            snapshot=number,
            pulses=pulses,
            thread=self.thread(to_us(at)),
            metrics=self._reported,
            restated_facts=self._restated_facts(number),
            restated_metrics=restated,
        )

    def _restated_metrics(self) -> list[Restated]:
        """Compare the numbers of windows, as last reported, with what they are now for the same instant."""
        reported = {
            _key(point): (point.value, point.n)
            for point in self._reported
            if point.window_days is not None and point.metric not in _AGEING
        }
        if not reported:
            return []
        as_of = from_us(self._reported[0].as_of)
        now = {
            _key(point): (point.value, point.n)
            for point in self.wiring.metrics(as_of)
            if point.window_days is not None and point.metric not in _AGEING
        }
        differing = [key for key in sorted({*reported, *now}) if reported.get(key) != now.get(key)]
        shortest = min((key[-1] for key in differing), default=0)
        return [
            Restated(metric, stat, f"{kind} {scope}", reported.get(key), now.get(key))
            for key in differing
            for metric, stat, kind, scope, days in [key]
            if days == shortest
        ]

    def _restated_facts(self, snapshot: int) -> list[dict[str, Any]]:
        sql = (
            "SELECT kind, id, field, old_value::varchar AS old_value, new_value::varchar AS new_value FROM restatements"
            " WHERE to_snapshot = $snapshot::bigint ORDER BY kind, id, field"
        )
        with reading(self.settings.snapshots) as library, library.ask(sql, {"snapshot": str(snapshot)}) as answer:
            return list(answer.rows)


def _key(point: MetricPoint) -> tuple[str, str, str, str, int]:
    return point.metric, point.stat, point.scope_kind, point.scope, point.window_days or 0
