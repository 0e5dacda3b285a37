"""The planted truths are there, and strong enough to be seen. Numbers are of the default plan."""

from collections import Counter

import pytest

from pipeline.contract.model import KINDS
from pipeline.events.times import DAY_US, to_us
from pipeline.events.types import ChangeCreated, ChangeUpdated, ContractDeclared, DeploymentEvent, TicketUpdated
from pipeline.simulate.declarations import contract_events
from pipeline.simulate.organisation import organisation, truth
from pipeline.simulate.plan import Plan
from pipeline.simulate.truths import ReworkTruth, SpellTruth, Truth, median


@pytest.fixture(scope="module")
def known() -> Truth:
    return truth(Plan())


def test_it_counts_the_events_of_the_same_stream(known: Truth) -> None:
    events = list(organisation(Plan()))
    assert known.events == Counter(event.type for event in events)
    assert known.as_of_us == to_us(events[-1].time)


def test_one_service_is_slow_and_its_reviews_are_why(known: Truth) -> None:
    assert known.slow == "signup"
    slow = known.services["signup"]
    others = [service for name, service in known.services.items() if name != "signup"]
    for other in others:
        assert (slow.lead_time_p50 or 0) > 2 * (other.lead_time_p50 or 0) > 0
        assert (slow.review_time_p50 or 0) > 6 * (other.review_time_p50 or 0) > 0


def test_deployments_went_badly_for_a_while(known: Truth) -> None:
    spell = known.bad_spell
    assert isinstance(spell, SpellTruth)
    assert spell.service == "cart"
    assert len(spell.failed) / spell.finished > 0.5
    assert spell.failed_before / spell.finished_before < 0.2
    assert {deployment for _, deployment in spell.links} <= set(spell.failed)
    assert any(failure.startswith("INC-") for failure, _ in spell.links)


def test_hotfixes_came_in_a_spell(known: Truth) -> None:
    spell = known.hotfix_spell
    assert isinstance(spell, ReworkTruth)
    assert len(spell.changes) > 10
    assert len(spell.rework) / spell.finished > 0.5
    assert known.services[spell.service].rework >= len(spell.rework)


def test_one_team_links_to_nothing(known: Truth) -> None:
    assert known.orphans is not None
    mentioned = {
        event.data.change: event.data.refs for event in organisation(Plan()) if isinstance(event.data, ChangeUpdated)
    }
    assert len(known.orphans.changes) > 100
    refs = {ref for change in known.orphans.changes for ref in mentioned[change]}
    assert all(ref.value.startswith("INC-") or ref.value == "hotfix" for ref in refs)
    assert known.orphans.commits
    assert known.orphans.deployments


def test_epics_came_weeks_after_the_deployment(known: Truth) -> None:
    assert len(known.late_links) > 10
    parents = {
        (event.data.ticket, to_us(event.time)): event.data.parent
        for event in organisation(Plan())
        if isinstance(event.data, TicketUpdated)
    }
    for link in known.late_links:
        assert link.linked_us - link.deployed_us > 7 * DAY_US
        assert parents[link.ticket, link.linked_us] is not None
        assert all(
            parent is None for (key, at), parent in parents.items() if key == link.ticket and at < link.linked_us
        )


def test_some_changes_are_ambiguous(known: Truth) -> None:
    opened = {event.data.change for event in organisation(Plan()) if isinstance(event.data, ChangeCreated)}
    assert {each.change for each in known.ambiguous} <= opened
    assert all(one != other for one, other in (each.initiatives for each in known.ambiguous))
    assert len(known.ambiguous) > 10


def test_the_organisation_was_reorganised_half_way(known: Truth) -> None:
    moved = known.reorganisation
    assert moved is not None
    assert moved.at_us == Plan().start_us + 60 * DAY_US
    assert min(*moved.rehomed_deployments, *moved.renamed_deployments) > 10
    deployed = sum(
        isinstance(event.data, DeploymentEvent)
        and event.type.startswith("dev.cdevents.service.deployed")
        and event.data.deployment.startswith(moved.renamed)
        and event.data.environment != "staging"
        for event in organisation(Plan())
    )
    assert deployed == sum(moved.renamed_deployments)
    told = [event.data for event in contract_events(Plan()) if isinstance(event.data, ContractDeclared)]
    assert {(data.name, data.spec is None) for data in told if data.effective_from is not None} == {
        (moved.rehomed, False),
        (moved.renamed, True),
        (moved.name_after, False),
    }


def test_what_the_plan_leaves_out_is_absent() -> None:
    plain = truth(
        Plan(
            days=30,
            teams=3,
            slow_service=False,
            bad_spell=False,
            hotfix_spell=False,
            orphan_team=False,
            late_links=False,
            ambiguity=False,
            reorganisation=False,
        )
    )
    assert (plain.slow, plain.bad_spell, plain.hotfix_spell, plain.orphans) == (None, None, None, None)
    assert (plain.late_links, plain.ambiguous, plain.reorganisation) == ([], [], None)
    assert plain.delivered


def test_the_contract_is_one_that_a_person_could_have_written() -> None:
    kinds = Counter[str]()
    for event in contract_events(Plan(teams=9)):
        declared = event.data
        assert isinstance(declared, ContractDeclared)
        kinds[declared.kind] += 1
        if declared.spec is not None:
            KINDS[declared.kind].model_validate(
                {
                    "apiVersion": "leadline/v1",
                    "kind": declared.kind,
                    "metadata": {"name": declared.name, **declared.metadata},
                    "spec": declared.spec,
                }
            )
    assert kinds == {"Team": 9, "Service": 18 + 3, "Initiative": 9, "StatusMap": 1, "Policy": 1}


@pytest.mark.parametrize(("numbers", "expected"), [([], None), ([3.0], 3.0), ([1.0, 2.0], 1.5), ([1.0, 2.0, 9.0], 2.0)])
def test_the_median_interpolates(numbers: list[float], expected: float | None) -> None:
    assert median(numbers) == expected
