"""The thread of an initiative: what changed, which signal moved, what remains uncertain.

A part that lacks evidence is named as incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import OutcomeSampled, RolloutChanged
from pipeline.events.times import from_us, to_us
from pipeline.facts.rows import DeploymentFact, TicketFact
from pipeline.governance.claims import claims
from pipeline.governance.confidence import open_of
from pipeline.governance.declared import Held, event_of, held, horizon_end
from pipeline.governance.known import Known
from pipeline.governance.origins import Word

CHANGED, MOVED, UNCERTAIN = "what changed", "which signal moved", "what remains uncertain"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is so: what it is about, since or until when (microseconds), in words, and what shows it."""

    about: str
    at: int | None
    text: str
    evidence: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome metric in its latest period, that began at `start`, beside the one before the change.

    `value` is that of everybody, `variants` has (n, value) of each variant. `weighted` weighs the values of the
    variants by the shares that the rollout serves; None unless all of them are known. Ratios are in [0, 1].
    """

    metric: str
    start: int
    n: int
    value: float
    variants: dict[str, tuple[int, float]]
    weighted: float | None
    before: float | None
    baseline: float | None


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The three parts. `incomplete` names each part that lacks evidence, and what it lacks."""

    initiative: str
    changed: list[Finding]
    moved: list[Reading]
    uncertain: list[Finding]
    incomplete: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether all three parts rest on evidence."""
        return not self.incomplete


def thread(contract: Contract, known: Known, name: str, as_of: int, words: Iterable[Word]) -> Thread | None:
    """Return the thread of an initiative as of an instant; None: it is not declared.

    `words` are the events of samples and rollouts, in any order; others are ignored.
    """
    found = held(contract, name, as_of)
    if found is None:
        return None
    told = [word for word in words if word.at <= as_of]
    rollouts = _rollouts(contract, known, name, told)
    changed = sorted(
        [*_shipped(known, name, as_of), *_rolled_out(rollouts)], key=lambda each: (each.at or 0, each.about)
    )
    since = min((each.at for each in changed if each.at is not None), default=None)
    served = _served(rollouts)
    samples = _held_samples(told)
    readings = [_reading(contract, found, metric, since, samples, served) for metric in _metrics(found)]
    moved = [reading for reading in readings if reading is not None]
    incomplete = {}
    if not changed:
        incomplete[CHANGED] = "no deployment and no rollout of it is known"
    silent = [metric for metric, reading in zip(_metrics(found), readings, strict=True) if reading is None]
    if silent or not readings:
        incomplete[MOVED] = f"no sample of {', '.join(silent)} since then" if silent else "it declares no outcome"
    uncertain = [
        *_assumed(found),
        *_waiting(known, name, as_of),
        *_claimed(contract, known, name, as_of, samples),
        *_exposed(rollouts),
        *_unripe(found, since, as_of),
    ]
    if not found.intent.assumptions and not found.intent.horizon:
        incomplete[UNCERTAIN] = "it declares neither assumptions nor a horizon"
    return Thread(initiative=name, changed=changed, moved=moved, uncertain=uncertain, incomplete=incomplete)


# --- what changed -----------------------------------------------------------------------------------------------------


def _shipped(known: Known, name: str, as_of: int) -> Iterator[Finding]:
    for fact in known.of(DeploymentFact):
        at = fact.finished_at
        if (
            fact.production
            and fact.outcome == "success"
            and name in fact.initiatives
            and at is not None
            and at <= as_of
        ):
            text = "deployed" + (", and failed afterwards" if fact.failed else "")
            yield Finding(fact.service, at, text, fact.deployment)


def _rolled_out(rollouts: Iterable[Word]) -> Iterator[Finding]:
    for word in rollouts:
        data = word.data
        if isinstance(data, RolloutChanged) and data.state != "archived":
            share = "" if data.exposure is None else f" for {data.exposure:.0%}"
            place = f" in {data.environment}" if data.environment else ""
            yield Finding(f"rollout {data.rollout}", word.at, f"{data.state}{share}{place}", word.id)


def _rollouts(contract: Contract, known: Known, name: str, words: Iterable[Word]) -> list[Word]:
    """Return the latest word of each rollout that leads to the initiative."""
    latest: dict[tuple[str, ...], Word] = {}
    for word in sorted(words, key=lambda word: (word.at, word.id)):
        data = word.data
        if isinstance(data, RolloutChanged) and name in _meant(contract, known, data):
            latest[word.source, data.project or "", data.rollout, data.environment or ""] = word
    return list(latest.values())


def _meant(contract: Contract, known: Known, data: RolloutChanged) -> Iterator[str]:
    for ref in data.refs:
        if ref.kind == "initiative":
            yield from contract.initiatives_named(ref.value)
        elif ref.kind == "label":
            yield from contract.initiatives_by_label(ref.value)
        elif ref.kind == "ticket":
            ticket = known.get(TicketFact, ref.value)
            if ticket is not None and ticket.initiative is not None:
                yield ticket.initiative


# --- which signal moved -----------------------------------------------------------------------------------------------


class _Sample(msgspec.Struct, frozen=True):
    at: int
    data: OutcomeSampled


def _held_samples(words: Iterable[Word]) -> list[_Sample]:
    """Return the samples that hold: of each source, metric, period and variant the one of the highest revision."""
    latest: dict[tuple[object, ...], tuple[tuple[int, int, str], OutcomeSampled]] = {}
    for word in words:
        data = word.data
        if isinstance(data, OutcomeSampled):
            key = (word.source, data.metric, data.start, data.end, data.variant)
            rank = (data.revision, word.at, word.id)
            if key not in latest or rank > latest[key][0]:
                latest[key] = (rank, data)
    return [_Sample(rank[1], data) for rank, data in latest.values()]


def _metrics(found: Held) -> list[str]:
    return [outcome.metric for outcome in found.intent.outcomes]


def _reading(
    contract: Contract,
    found: Held,
    metric: str,
    since: int | None,
    samples: Sequence[_Sample],
    served: Mapping[str, float],
) -> Reading | None:
    """Return the latest period that reaches beyond the first change; None: it was not sampled since then."""
    own = [each.data for each in samples if each.data.metric == metric and each.data.n]
    everybody = sorted((each for each in own if each.variant is None), key=lambda each: (each.start, each.end, each.n))
    after = [each for each in everybody if since is not None and to_us(each.end) > since]
    if not after:
        return None
    latest = after[-1]
    before = [each for each in everybody if since is not None and to_us(each.end) <= since]
    is_count = _is_count(contract, metric)
    variants = {
        each.variant: (each.n, _value(each, is_count=is_count))
        for each in sorted(own, key=lambda each: each.variant or "")
        if each.variant is not None and (each.start, each.end) == (latest.start, latest.end)
    }
    shares = {variant: share for variant, share in served.items() if share}
    all_known = bool(shares) and shares.keys() <= variants.keys() and not is_count
    return Reading(
        metric=metric,
        start=to_us(latest.start),
        n=latest.n,
        value=_value(latest, is_count=is_count),
        variants=variants,
        weighted=sum(share * variants[variant][1] for variant, share in shares.items()) if all_known else None,
        before=_value(before[-1], is_count=is_count) if before else None,
        baseline=_baseline(found, metric),
    )


def _served(rollouts: Iterable[Word]) -> dict[str, float]:
    """Return the share of each variant that the latest rollout serves."""
    told = [word for word in rollouts if isinstance(word.data, RolloutChanged) and word.data.variants]
    latest = max(told, key=lambda word: (word.at, word.id), default=None)
    return dict(latest.data.variants) if latest is not None and isinstance(latest.data, RolloutChanged) else {}


def _value(sample: OutcomeSampled, *, is_count: bool) -> float:
    return sample.total if is_count else sample.total / sample.n


def _is_count(contract: Contract, metric: str) -> bool:
    version = contract.objects().get(("Metric", metric))
    return version is not None and (version.spec or {}).get("type") == "count"


def _baseline(found: Held, metric: str) -> float | None:
    outcomes: list[dict[str, Any]] = (found.version.spec or {}).get("outcomes", [])
    told = next((each.get("baseline") for each in outcomes if each.get("metric") == metric), None)
    return None if told is None else float(told)


# --- what remains uncertain -------------------------------------------------------------------------------------------


def _assumed(found: Held) -> Iterator[Finding]:
    for each in found.intent.assumptions:
        if each.status != "confirmed":
            yield Finding(f"assumption {each.id}", None, f"{each.status}: {each.text}", event_of(found.version))


def _waiting(known: Known, name: str, as_of: int) -> Iterator[Finding]:
    for wait in open_of(known, name, as_of):
        text = f"{wait.consumer} waits for {wait.provider}" + (f" ({wait.on})" if wait.on else "")
        yield Finding(wait.subject, wait.opened_at, text, wait.id)


def _claimed(contract: Contract, known: Known, name: str, as_of: int, samples: Iterable[_Sample]) -> Iterator[Finding]:
    instants: dict[str, list[int]] = {}
    for each in samples:
        instants.setdefault(each.data.metric, []).append(each.at)
    for claim in claims(contract, known, as_of, instants, name):
        if claim.state != "evidenced":
            text = f"{claim.state}: {claim.status} without {' and '.join(claim.missing)}"
            yield Finding(claim.ticket, claim.since, text, claim.ticket)


def _exposed(rollouts: Iterable[Word]) -> Iterator[Finding]:
    for word in rollouts:
        data = word.data
        if isinstance(data, RolloutChanged) and data.state == "on" and data.exposure is not None and data.exposure < 1:
            text = f"{1 - data.exposure:.0%} have not seen it"
            yield Finding(f"rollout {data.rollout}", word.at, text, word.id)


def _unripe(found: Held, since: int | None, as_of: int) -> Iterator[Finding]:
    for outcome in found.intent.outcomes:
        end = horizon_end(outcome.horizon or found.intent.horizon, since)
        if end is not None and end > as_of:
            text = f"can be judged from {from_us(end):%Y-%m-%d} on"
            yield Finding(outcome.metric, end, text, event_of(found.version))
