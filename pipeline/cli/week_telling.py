"""What a day of the recorded week made visible, in words made of facts alone."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.cli.replay import Evening, Pulse, Replay, Restated
from pipeline.events.times import day_of, from_us, to_us
from pipeline.facts.rows import ActFact, ArtifactFact, DecisionFact, DeploymentFact, FailureFact, WaitFact
from pipeline.governance.declared import held
from pipeline.governance.known import Known
from pipeline.governance.progress import progress
from pipeline.governance.thread import CHANGED, MOVED, UNCERTAIN, Reading, Thread
from pipeline.metrics.catalogue import BY_NAME, MetricPoint
from pipeline.metrics.windows import human_seconds

_WEEK = 7
#: The numbers of the summary; throughput never without instability.
_SUMMARY = (
    ("deployment_frequency", "value"),
    ("change_fail_rate", "value"),
    ("change_lead_time", "p50"),
    ("flow_efficiency", "value"),
    ("dependency_latency", "p50"),
    ("context_integrity", "value"),
)


def day_lines(replay: Replay, evening: Evening) -> Iterator[str]:
    """Yield what a day made visible."""
    yield f"{evening.at:%A %d %B}: what became visible"
    known, today = replay.known(), day_of(to_us(evening.at))
    yield from _initiatives(replay, evening)
    told = [*_asked(known, today), *_proposed(known, today), *_ran(known, today), *_pulses(evening)]
    yield from (f"  {from_us(at):%H:%M:%S}  {line}" for at, line in sorted(told))
    if evening.thread is not None and not evening.thread.complete:
        for part, lack in evening.thread.incomplete.items():
            yield f"  incomplete: {part} ({lack})"
    yield from _restated(evening)


def friday_lines(replay: Replay, evening: Evening) -> Iterator[str]:
    """Yield the summary of the week. Nobody types it."""
    at = to_us(evening.at)
    found = held(replay.contract(), replay.initiative, at)
    if found is None or evening.thread is None:
        return
    title = found.version.metadata.get("displayName", replay.initiative)
    told, share = replay.confidence(at), progress(replay.known()).get(replay.initiative)
    yield f"{title} ({found.intent.owner}, {found.intent.stage}), as of {evening.at:%Y-%m-%d %H:%M} UTC"
    yield from thread_lines(evening.thread)
    if told is not None:
        failing = [check.name for check in told.checks if not check.holds]
        holds = f"{len(told.checks) - len(failing)} of {len(told.checks)} checks hold"
        yield f"Confidence: {holds}" + (f"; not: {', '.join(failing)}" if failing else "")
    if share is not None:
        yield f"Progress: {share.done} of {share.tickets} tickets done"
    numbers = {(point.metric, point.stat): point for point in evening.metrics if _is_of(point, replay.initiative)}
    for metric, stat in _SUMMARY:
        point = numbers.get((metric, stat))
        name = metric.replace("_", " ") + ("" if stat == "value" else f" {stat}")
        yield f"{name}: " + ("no data" if point is None else f"{_number(metric, point.value)} (n = {point.n})")


def thread_lines(told: Thread) -> Iterator[str]:
    """Yield the three parts of a thread, each named incomplete where it is."""
    yield _part(told, CHANGED)
    yield from (f"  {_instant(each.at)} {each.about}: {each.text}" for each in told.changed)
    yield _part(told, MOVED)
    yield from (f"  {_reading(each)}" for each in told.moved)
    yield _part(told, UNCERTAIN)
    yield from (f"  {each.about}: {each.text}" for each in told.uncertain)


def _part(told: Thread, part: str) -> str:
    lack = told.incomplete.get(part)
    return f"{part.capitalize()}:" + (f" incomplete, {lack}" if lack else "")


def _reading(reading: Reading) -> str:
    parts = [f"{reading.metric}: {reading.value:.0%} of {reading.n} on {from_us(reading.start):%Y-%m-%d}"]
    if reading.before is not None:
        parts.append(f"before {reading.before:.0%}")
    parts += [f"{name} {value:.0%} of {n}" for name, (n, value) in reading.variants.items()]
    if reading.weighted is not None:
        against = (
            ""
            if reading.baseline is None
            else f", {100 * (reading.weighted - reading.baseline):+.0f} points on the baseline"
        )
        parts.append(f"weighed by exposure {reading.weighted:.0%}{against}")
    return "; ".join(parts)


def _initiatives(replay: Replay, evening: Evening) -> Iterator[str]:
    """Tell of the drafts on the day on which they became one initiative."""
    contract, at = replay.contract(), to_us(evening.at)
    versions, found = contract.versions("Initiative", replay.initiative), held(contract, replay.initiative, at)
    if found is None or day_of(versions[0].declared) != day_of(at):
        return
    intent = found.intent
    drafts: list[str] = (found.version.spec or {}).get("aliases", [])
    for draft in drafts:
        said = next((each.spec for each in contract.versions("Initiative", draft) if each.spec is not None), {})
        metrics = ", ".join(outcome["metric"] for outcome in said.get("outcomes", []))
        yield f"  draft {draft}: of {said.get('owner')}, for {metrics}"
    yield (
        f"  they are one initiative: {replay.initiative}, owner {intent.owner}, {len(intent.outcomes)} outcome,"
        f" {len(intent.assumptions)} assumptions"
    )


def _asked(known: Known, today: int) -> Iterator[tuple[int, str]]:
    for decision in known.of(DecisionFact):
        if decision.decided_at is not None and day_of(decision.decided_at) == today:
            took = "" if decision.latency is None else f" after {human_seconds(decision.latency)}"
            yield decision.decided_at, f"{decision.title}: {decision.status}{took} by {', '.join(decision.approvers)}"
    for wait in known.of(WaitFact):
        if not wait.cross_team:
            continue
        if day_of(wait.opened_at) == today:
            yield wait.opened_at, _opened(wait)
        if wait.ended_at is not None and day_of(wait.ended_at) == today:
            took = "" if wait.latency is None else f" after {human_seconds(wait.latency)}"
            yield wait.ended_at, f"{wait.kind} of {wait.subject}: {wait.end}{took}"


def _opened(wait: WaitFact) -> str:
    parts = [f"{wait.kind}: {wait.subject} ({wait.consumer}) waits for {wait.on or wait.provider}"]
    parts += [f"({wait.provider})"] if wait.on else []
    late = "" if wait.discovery_lag is None else f", found {human_seconds(wait.discovery_lag)} after work began"
    due = "" if wait.due_at is None else f", due {_instant(wait.due_at)}"
    return " ".join(parts) + late + due


def _proposed(known: Known, today: int) -> Iterator[tuple[int, str]]:
    for artifact in known.of(ArtifactFact):
        if day_of(artifact.proposed_at) == today:
            yield artifact.proposed_at, f"{artifact.agent} proposed {artifact.id}"
        if artifact.relinked_at is not None and day_of(artifact.relinked_at) == today:
            yield artifact.relinked_at, f"{artifact.id} was linked to {artifact.initiative} by hand"
    for act in known.of(ActFact):
        if day_of(act.acted_at) == today and act.violation:
            yield act.acted_at, f"{act.agent} did {act.action!r} on {act.on}: outside its boundary ({act.rule})"


def _ran(known: Known, today: int) -> Iterator[tuple[int, str]]:
    for deployment in known.of(DeploymentFact):
        if deployment.finished_at is not None and day_of(deployment.finished_at) == today and deployment.previous:
            yield deployment.finished_at, f"{deployment.service}: deployment to production, {deployment.outcome}"
    for failure in known.of(FailureFact):
        if day_of(failure.detected_at) == today:
            yield failure.detected_at, f"{failure.service}: {failure.title}"


def _pulses(evening: Evening) -> Iterator[tuple[int, str]]:
    yield from ((pulse.at, f"-> {_pulse(pulse)}") for pulse in evening.pulses)


def _pulse(pulse: Pulse) -> str:
    if pulse.lacks is None:
        return "the initiative is not declared yet"
    gate = f"gate lacks {', '.join(pulse.lacks)}" if pulse.lacks else "gate complete"
    holding = pulse.checks - len(pulse.failing)
    failing = "".join(f"; not {name}: {', '.join(seen)}" for name, seen in pulse.failing.items())
    linked, proposed = pulse.integrity
    integrity = f"; context integrity {linked / proposed:.0%}" if proposed else ""
    return f"{gate}; confidence {holding}/{pulse.checks}{failing}{integrity}"


def _restated(evening: Evening) -> Iterator[str]:
    for each in evening.restated_metrics:
        if each.scope == "org all" and each.stat in ("value", "p50"):
            yield f"  restated: {_said(each)}"
    for row in evening.restated_facts:
        if row["kind"] in ("deployment", "failure"):
            about = f"{row['kind']} {row['id']}"
            yield f"  restated: {about} {row['field']}: {row['old_value']} -> {row['new_value']}"


def _said(each: Restated) -> str:
    values = [
        "no data" if told is None else f"{_number(each.metric, told[0])} (n = {told[1]})"
        for told in (each.reported, each.now)
    ]
    return f"{each.metric} was reported as {values[0]}, and is {values[1]}"


def _number(metric: str, value: float) -> str:
    unit = BY_NAME[metric].unit
    return human_seconds(value) if unit == "seconds" else f"{value:.1%}" if unit == "ratio" else f"{value:.3g}"


def _instant(at: int | None) -> str:
    return "" if at is None else f"{from_us(at):%a %H:%M}"


def _is_of(point: MetricPoint, initiative: str) -> bool:
    return (point.scope_kind, point.scope) == ("initiative", initiative) and point.window_days in (_WEEK, None)
