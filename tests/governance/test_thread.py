"""The thread of an initiative: each part rests on evidence, or is named incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.events.coordination import OutcomeSampled, RolloutChanged
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import Payload, Ref
from pipeline.governance.known import Known
from pipeline.governance.thread import CHANGED, MOVED, UNCERTAIN, Reading, Thread, thread
from tests.simulation.folding import contract_of, fold
from tests.simulation.story import declared, initiative, moment, us

OUTCOME = {"metric": "activation", "baseline": 0.3, "target": 0.4, "direction": "up"}
ASSUMED = [{"id": "a1", "text": "It helps."}, {"id": "a2", "text": "It is quick.", "status": "confirmed"}]


class Word(msgspec.Struct, frozen=True):
    at: int
    id: str
    source: str
    data: Payload


def sample(at: str, day: str, n: int, total: float, **fields: Any) -> Word:
    """A sample of a day, as known at an instant."""
    start, end = moment(f"{day} 00:00"), moment(f"{int(day) + 1:02d} 00:00")
    fields = {"metric": "activation", **fields}
    data = OutcomeSampled(start=start, end=end, n=n, total=total, **fields)
    return Word(us(at), f"{at}{fields}", "segment", data)


def rollout(at: str, exposure: float | None, *, state: Any = "on", **variants: float) -> Word:
    data = RolloutChanged(
        rollout="form", state=state, exposure=exposure, variants=variants, refs=[Ref("initiative", "x", "field")]
    )
    return Word(us(at), at, "flags", data)


def told(words: Sequence[Word], *more: Event, as_of: str = "20 12:00", **spec: Any) -> Thread:
    events = [initiative("x", **{"outcomes": [OUTCOME], "assumptions": ASSUMED, **spec}), *more]
    found = thread(contract_of(events), Known(fold(events)), "x", us(as_of), words)
    assert found is not None
    return found


def reading(words: Sequence[Word], *more: Event) -> Reading:
    (found,) = told(words, *more).moved
    return found


def test_an_initiative_that_is_not_declared_has_no_thread() -> None:
    events = [initiative("x")]
    assert thread(contract_of(events), Known(fold(events)), "y", us("20 12:00"), []) is None


def test_each_part_that_lacks_evidence_is_named() -> None:
    nothing = told([], outcomes=[], assumptions=[])
    assert set(nothing.incomplete) == {CHANGED, MOVED, UNCERTAIN}
    assert nothing.incomplete[MOVED] == "it declares no outcome"
    assert not nothing.complete
    assert told([rollout("05 09:00", 0.2), sample("05 20:00", "05", 10, 4)]).complete


def test_only_what_was_known_by_then_counts() -> None:
    words = [rollout("05 09:00", 0.2), sample("06 20:00", "05", 10, 4)]
    assert told(words, as_of="06 12:00").incomplete == {MOVED: "no sample of activation since then"}
    assert told(words, as_of="06 20:00").complete


def test_the_latest_word_on_a_rollout_holds() -> None:
    found = told([rollout("06 09:00", 0.5), rollout("05 09:00", 0.2)])
    assert [(each.at, each.text) for each in found.changed] == [(us("06 09:00"), "on for 50%")]
    assert ("rollout form", "50% have not seen it") in [(each.about, each.text) for each in found.uncertain]


def test_what_was_confirmed_is_not_uncertain_and_what_was_refuted_is() -> None:
    refuted = [*ASSUMED, {"id": "a3", "text": "It is cheap.", "status": "refuted"}]
    assert [each.text for each in told([], assumptions=refuted).uncertain] == [
        *("open: It helps.", "refuted: It is cheap."),
    ]


def test_a_sample_replaces_those_of_lower_revision_whatever_their_time() -> None:
    words = [
        rollout("05 09:00", None),
        sample("05 18:00", "05", 10, 5, revision=2),
        sample("05 20:00", "05", 4, 1, revision=1),
        sample("04 20:00", "04", 10, 2),
    ]
    found = reading(words)
    assert (found.n, found.value, found.before, found.baseline) == (10, 0.5, 0.2, 0.3)
    assert found.weighted is None  # no variant is known


def test_the_outcome_is_weighed_by_the_shares_that_are_served() -> None:
    words = [
        rollout("05 09:00", 0.25, on=0.25, off=0.75),
        sample("05 20:00", "05", 20, 9),
        sample("05 20:00", "05", 10, 6, variant="on"),
        sample("05 20:00", "05", 10, 3, variant="off"),
    ]
    found = reading(words)
    assert found.variants == {"off": (10, 0.3), "on": (10, 0.6)}
    # Half of those who were seen had the new form, but only a quarter of all are served it.
    assert found.weighted == 0.25 * 0.6 + 0.75 * 0.3
    assert reading([*words[:2], words[2]]).weighted is None  # nothing is known of `off`


def test_a_count_is_its_total_and_is_not_weighed() -> None:
    metric = declared("Metric", "activation", {"type": "count"})
    words = [
        rollout("05 09:00", 1.0, on=1.0),
        sample("05 20:00", "05", 4, 7, variant="on"),
        sample("05 20:00", "05", 4, 7),
    ]
    found = reading(words, metric)
    assert (found.value, found.weighted) == (7, None)
    assert to_us(moment("05 00:00")) == found.start
