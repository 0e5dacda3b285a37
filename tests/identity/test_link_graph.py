"""The link graph: late links, circles, deep hierarchies, and relations of any size at constant cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.resolve import Contract
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared
from pipeline.facts.fans import CHUNK, Fan, Fans
from pipeline.facts.rows import TicketFact
from pipeline.facts.state import State
from pipeline.identity.graph import LinkGraph
from tests.simulation.story import initiative


def graph(state: State | None = None) -> LinkGraph:
    """A graph whose contract tracks the epic GROW-1 and the label `fast`."""
    events = [
        initiative("faster", tracks={"jira": [{"epic": "GROW-1"}]}),
        initiative("quick", tracks={"github": [{"label": "fast"}]}),
    ]
    contract = Contract.compile(
        (to_us(event.time), event.id, event.data) for event in events if isinstance(event.data, ContractDeclared)
    )
    return LinkGraph(state or State(), contract)


def ticket(key: str, parent: str | None = None, labels: list[str] | None = None) -> TicketFact:
    return TicketFact(
        id=key, tracker="jira", project="GROW", kind="", title="", status="", parent=parent, labels=labels or []
    )


def test_a_ticket_serves_what_the_nearest_ticket_above_it_names() -> None:
    links = graph()
    links.place(ticket("GROW-3", "GROW-2"))
    assert links.resolve("GROW-3").initiatives == ()
    links.place(ticket("GROW-2", "GROW-1"))
    assert links.resolve("GROW-3").initiatives == ("faster",)
    assert links.resolve("GROW-3").path == ("GROW-3", "GROW-2", "GROW-1")
    links.place(ticket("GROW-2", "GROW-1", ["fast"]))
    assert links.resolve("GROW-3").initiatives == ("quick",)


def test_a_circle_of_parents_ends_and_resolves_to_nothing() -> None:
    links = graph()
    links.place(ticket("A-1", "A-2"))
    links.place(ticket("A-2", "A-1"))
    assert links.resolve("A-1").initiatives == ()
    assert links.below("A-1") == {"A-1", "A-2"}


def test_a_hierarchy_may_be_as_deep_as_it_likes() -> None:
    links = graph()
    links.place(ticket("T-0", "GROW-1"))
    for number in range(1, 500):
        links.place(ticket(f"T-{number}", f"T-{number - 1}"))
    assert links.resolve("T-499").initiatives == ("faster",)
    assert len(links.below("T-0")) == 500


def test_a_ticket_that_moved_away_is_no_longer_below() -> None:
    links = graph()
    links.place(ticket("T-1", "GROW-1"))
    links.place(ticket("T-1", "GROW-9"))
    assert links.below("GROW-1") == {"GROW-1"}
    links.place(ticket("T-1", "GROW-1"))
    assert links.below("GROW-1") == {"GROW-1", "T-1"}


def test_placing_a_ticket_where_it_stands_changes_nothing() -> None:
    links = graph()
    assert links.place(ticket("T-1", "GROW-1"))
    assert not links.place(ticket("T-1", "GROW-1"))


@given(st.lists(st.integers(0, 400), max_size=500))
def test_a_fan_holds_all_that_was_added_in_objects_of_bounded_size(items: list[int]) -> None:
    state = State()
    fans = Fans(state, "any")
    for item in items:
        fans.add("one", str(item))
    assert set(fans.members("one")) == {str(item) for item in items}
    assert all(len(fan.items) <= CHUNK for _, fan in state.table("any", Fan).items())
