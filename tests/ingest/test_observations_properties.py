"""Whatever the order, the repetition, the batches and the crashes: the samples are those of the slow way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.delivery import Observation
from pipeline.events.errors import Retryable
from pipeline.ingest.observation_store import MemoryStore
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import Appended, Record
from pipeline.log.sqlite import SqliteLog
from tests.ingest.tracking import (
    COUNT,
    MEAN,
    METRICS,
    RATE,
    RECORDED,
    declare,
    expected,
    holding,
    samples,
    seen,
    send,
    told,
    translator,
)

ARMS = st.sampled_from([None, "a", "b"])


def observations(days: int) -> st.SearchStrategy[list[Observation]]:
    """Few units and few ids, so that they meet; one id may be told with different content."""
    one = st.builds(
        lambda number, name, unit, minutes, arm, amount, kind: seen(
            f"i{number}", name, unit, minutes / 60, arm=arm, amount=amount, kind=kind
        ),
        st.integers(1, 9),
        st.sampled_from(["entered", "done", "paid"]),
        st.sampled_from(["u1", "u2", "u3"]),
        st.integers(0, days * 24 * 60) | st.sampled_from([0, 2 * 24 * 60, days * 24 * 60]),
        ARMS,
        st.sampled_from([None, 0, 1, -3, 0.1, 0.2, 1e16, 2.5e-7]),
        st.sampled_from(["real", "trial"]),
    )
    return st.lists(one, max_size=14)


def split(every: list[Observation], sizes: list[int]) -> list[list[Observation]]:
    batches, rest = [], list(every)
    for size in sizes:
        batches.append(rest[:size])
        rest = rest[size:]
    return [*batches, rest]


@given(observations(days=80), st.data(), st.lists(st.integers(0, 4), max_size=5), st.integers(1, 4))
def test_any_order_any_repetition_and_any_split_give_the_samples_of_the_slow_way(
    every: list[Observation], data: st.DataObject, sizes: list[int], limit: int
) -> None:
    order = data.draw(st.permutations(every))
    again = data.draw(st.lists(st.sampled_from(every), max_size=5)) if every else []
    log, store = MemoryLog(), MemoryStore()
    for name, spec in METRICS.items():
        declare(log, name, spec)
    send(log, *split([*order, *again], sizes))
    while translator(log, store).run(RECORDED, limit=limit).deliveries:
        pass
    assert told(log) == expected(every, METRICS)
    assert len({event.id for event in samples(log)}) == len(samples(log))


class _Dying(SqliteLog):
    """A file whose process is killed at the n-th thing that it writes; what was not committed is gone."""

    left = 10**9

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        self._spend()
        appended = super().append(stream, records, recorded)
        self._spend()
        return appended

    def commit(self, name: str, offset: int) -> None:
        self._spend()
        super().commit(name, offset)

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Retryable("killed")


@given(
    observations(days=300),
    st.lists(st.integers(0, 4), max_size=4),
    st.integers(1, 3),
    st.integers(0, 14),
    st.integers(1, 3),
)
@settings(max_examples=25)
def test_any_crash_point_ends_in_the_very_samples_of_a_run_without_one(
    every: list[Observation], sizes: list[int], limit: int, alive: int, other_limit: int
) -> None:
    """Over any span of time: what is late and forgotten depends on the order of the deliveries, on nothing else."""
    with TemporaryDirectory() as folder:
        held = []
        for name, dies in (("calm", False), ("killed", True)):
            log = _Dying(Path(folder) / f"{name}.db")
            for metric, spec in METRICS.items():
                declare(log, metric, spec)
            send(log, *split(every, sizes))
            log.left = alive if dies else 10**9
            try:
                while translator(log).run(RECORDED, limit=limit).deliveries:
                    pass
            except Retryable:
                log.close()
                log = _Dying(log.path)
                while translator(log).run(RECORDED, limit=other_limit).deliveries:
                    pass
            held.append(holding(log))
            log.close()
        assert held[0] == held[1]


@given(observations(days=300), st.lists(st.integers(0, 4), max_size=4), st.integers(1, 3))
@settings(max_examples=25)
def test_deriving_anew_gives_the_very_samples_that_were_there(
    every: list[Observation], sizes: list[int], limit: int
) -> None:
    log, store = MemoryLog(), MemoryStore()
    for name, spec in METRICS.items():
        declare(log, name, spec)
    send(log, *split(every, sizes))
    while translator(log, store).run(RECORDED, limit=limit).deliveries:
        pass
    before, held = told(log), holding(log)
    first = translator(log, store).retranslate(RECORDED)
    assert (told(log), first.added) == (before, 0)
    assert {key: held[key] for key in holding(log)} == holding(log)
    second = translator(log, store).retranslate(RECORDED)
    assert (second.removed, second.added) == (0, 0)


@given(observations(days=80), observations(days=80))
@settings(max_examples=20)
def test_what_comes_after_a_retranslation_is_added_to_what_it_found(
    before: list[Observation], after: list[Observation]
) -> None:
    log, store = MemoryLog(), MemoryStore()
    declare(log, "rate", {**RATE, "denominator": {"event": "nothing"}})
    send(log, before)
    translator(log, store).run(RECORDED)
    declare(log, "rate", RATE, said=1)
    declare(log, "acts", COUNT, said=1)
    translator(log, store).retranslate(RECORDED)
    send(log, after)
    translator(log, store).run(RECORDED)
    assert told(log) == expected([*before, *after], {"rate": RATE, "acts": COUNT})


@given(st.permutations([1e16, 1.0, -1e16, 0.1, 0.2, 3e99, -3e99, 2.5e-9]), st.integers(1, 8))
def test_sums_are_exact_so_that_order_cannot_show(values: list[float], limit: int) -> None:
    log, store = MemoryLog(), MemoryStore()
    declare(log, "amount", MEAN)
    send(log, *([seen(f"i{value!r}", "paid", amount=value)] for value in values))
    while translator(log, store).run(RECORDED, limit=limit).deliveries:
        pass
    ((n, total, squares),) = told(log).values()
    assert (n, total) == (8, 1.3000000025)
    assert squares == float(2 * Fraction(3e99) ** 2)
