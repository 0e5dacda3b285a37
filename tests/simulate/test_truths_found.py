"""The fold finds every planted truth, to the last number, though it is told out of order, late and twice."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

import pytest

from pipeline.facts.rows import ChangeFact, DeploymentFact, Fact, FailureFact
from pipeline.simulate.chance import Chance
from pipeline.simulate.organisation import everything, truth
from pipeline.simulate.plan import Plan
from pipeline.simulate.scramble import scramble
from pipeline.simulate.truths import Truth
from tests.simulation.folding import facts_of, fold

F = TypeVar("F", bound=Fact)

PLANS = [Plan(), Plan(seed=11, days=60, teams=3), Plan(seed=12, days=90, teams=2, events=4_000)]


class Found:
    """What the fold makes of the scrambled events of a plan, beside the truth."""

    def __init__(self, plan: Plan) -> None:
        state = fold(list(scramble(everything(plan), Chance(plan.seed))), size=2_000)
        self.truth: Truth = truth(plan)
        self.changes = _of(facts_of(state, ChangeFact.KIND), ChangeFact)
        self.failures = _of(facts_of(state, FailureFact.KIND), FailureFact)
        self.production = [
            each for each in _of(facts_of(state, DeploymentFact.KIND), DeploymentFact).values() if each.production
        ]

    def finished(self, service: str) -> list[DeploymentFact]:
        return [each for each in self.production if each.service == service and each.outcome in ("success", "failure")]

    def successes(self, service: str, team: str | None = None) -> int:
        return sum(each.outcome == "success" and (team is None or each.team == team) for each in self.finished(service))


def _of(facts: Mapping[str, Fact], kind: type[F]) -> dict[str, F]:
    return {key: fact for key, fact in facts.items() if isinstance(fact, kind)}


def _known(spans: Iterable[float | None]) -> list[float]:
    return sorted(span for span in spans if span is not None)


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: f"seed {plan.seed}")
def found(request: pytest.FixtureRequest) -> Found:
    return Found(request.param)


def test_every_service_has_its_figures(found: Found) -> None:
    for name, service in found.truth.services.items():
        finished = found.finished(name)
        timed = [
            change
            for change in found.changes.values()
            if change.service == name and change.status == "deployed" and change.excluded is None
        ]
        assert found.successes(name) == service.deployments
        assert len(finished) == service.finished
        assert sum(each.failed for each in finished) == service.failed
        assert sum(each.rework for each in finished) == service.rework
        assert _known(each.recovery_time for each in finished) == service.recoveries
        assert _known(change.lead_time for change in timed) == service.lead_times
        assert _known(change.review_time for change in timed) == service.review_times


def test_every_initiative_has_its_delivered_changes(found: Found) -> None:
    delivered = Counter(
        change.initiative
        for change in found.changes.values()
        if change.status == "deployed" and change.confidence in ("declared", "linked")
    )
    assert delivered == found.truth.delivered


def test_the_spells_are_found(found: Found) -> None:
    bad, hot = found.truth.bad_spell, found.truth.hotfix_spell
    assert bad is not None
    assert hot is not None
    during = [each for each in found.finished(bad.service) if _within(each, bad.start_us, bad.end_us)]
    before = [each for each in found.finished(bad.service) if _within(each, 0, bad.start_us)]
    assert (len(during), sorted(each.deployment for each in during if each.failed)) == (bad.finished, bad.failed)
    assert (len(before), sum(each.failed for each in before)) == (bad.finished_before, bad.failed_before)
    assert _links(found, during) == bad.links
    burning = [each for each in found.finished(hot.service) if _within(each, hot.start_us, hot.end_us)]
    assert len(burning) == hot.finished
    assert {each.deployment for each in burning if each.rework} == set(hot.rework)
    assert all(found.changes[change].unplanned for change in hot.changes)


def _within(deployment: DeploymentFact, start_us: int, end_us: int) -> bool:
    return deployment.finished_at is not None and start_us <= deployment.finished_at < end_us


def _links(found: Found, deployments: list[DeploymentFact]) -> list[tuple[str, str]]:
    names = {each.id: each.deployment for each in deployments}
    return sorted(
        (failure.id.rpartition("|")[2], names[failure.deployment])
        for failure in found.failures.values()
        if failure.deployment in names
    )


def test_orphan_late_and_ambiguous_work_is_found(found: Found) -> None:
    orphans = found.truth.orphans
    assert orphans is not None
    for change in (*orphans.changes, *orphans.commits):
        assert (found.changes[change].initiative, found.changes[change].confidence) == (None, None)
    traces = {each.deployment: each.trace for each in found.production}
    assert {traces[deployment] for deployment in orphans.deployments} <= {"orphan"}
    for late in found.truth.late_links:
        assert found.changes[late.change].initiative == late.initiative
        assert found.changes[late.change].deployed_at == late.deployed_us
    ambiguous = {key: set(each.candidates) for key, each in found.changes.items() if each.confidence == "ambiguous"}
    assert ambiguous == {each.change: set(each.initiatives) for each in found.truth.ambiguous}


def test_before_its_epic_came_late_work_was_orphan() -> None:
    plan = PLANS[0]
    late = truth(plan).late_links
    moment = min(link.linked_us for link in late)
    earlier = [event for event in everything(plan) if event.time.timestamp() * 1_000_000 < moment]
    changes = _of(facts_of(fold(earlier), ChangeFact.KIND), ChangeFact)
    deployed = [changes[link.change] for link in late if link.deployed_us < moment]
    assert deployed
    assert {(change.status, change.initiative) for change in deployed} == {("deployed", None)}


def test_the_reorganisation_counts_from_its_day(found: Found) -> None:
    moved = found.truth.reorganisation
    assert moved is not None
    assert tuple(found.successes(name) for name in (moved.renamed, moved.name_after)) == moved.renamed_deployments
    assert moved.rehomed_deployments == tuple(
        found.successes(moved.rehomed, team) for team in (moved.owner_before, moved.owner_after)
    )
