"""From files to declarations: what is appended, from when on it holds, and that it holds then."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.declare import body_of, changes
from pipeline.contract.model import KINDS, AnyObject
from pipeline.contract.resolve import Contract
from pipeline.events.codec import decode, encode
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import ContractDeclared

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def object_of(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> AnyObject:
    return KINDS[kind].model_validate(
        {"apiVersion": "leadline/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    )


def shop(owner: str) -> AnyObject:
    return object_of("Service", "shop", {"owner": owner, "repos": ["acme/shop"]})


def compiled(*batches: list[Event]) -> Contract:
    """The contract of events that went over the wire and back."""
    events = [decode(encode(event)) for batch in batches for event in batch]
    return Contract.compile(
        (to_us(event.time), event.id, event.data) for event in events if isinstance(event.data, ContractDeclared)
    )


def payload(event: Event) -> ContractDeclared:
    assert isinstance(event.data, ContractDeclared)
    return event.data


def test_a_first_declaration_holds_since_ever() -> None:
    [event] = changes([shop("growth")], Contract.compile([]), NOW)
    assert (event.type, event.source, event.subject, event.partitionkey, event.time) == (
        "dev.cdeventsx.leadline-contract.declared.1.0.0",
        "urn:leadline:contract",
        "Service/shop",
        "contract",
        NOW,
    )
    assert event.data == ContractDeclared(
        kind="Service", name="shop", spec={"owner": "growth", "repos": ["acme/shop"]}, metadata={}, effective_from=None
    )
    assert compiled([event]).team_of("shop", 0) == "growth"


def test_a_first_declaration_holds_from_the_instant_given() -> None:
    contract = compiled(changes([shop("growth")], Contract.compile([]), NOW, NOW - 9 * DAY))
    assert contract.team_of("shop", to_us(NOW - 10 * DAY)) is None
    assert contract.team_of("shop", to_us(NOW - 9 * DAY)) == "growth"


def test_applying_twice_declares_nothing_more() -> None:
    objects = [
        shop("growth"),
        object_of("Team", "growth", {}),
        object_of("Policy", "default", {"attributionWindow": "72h"}, displayName="Ours"),
    ]
    first = changes(objects, Contract.compile([]), NOW)
    assert [event.subject for event in first] == ["Policy/default", "Service/shop", "Team/growth"]
    contract = compiled(first)
    assert changes(objects, contract, NOW + DAY) == []
    assert (
        changes([object_of("Policy", "default", {"attributionWindow": "3d"}, displayName="Ours")], contract, NOW) == []
    )


def test_a_change_holds_from_now_on_or_from_the_instant_given() -> None:
    first = changes([shop("growth")], Contract.compile([]), NOW)
    [moved] = changes([shop("checkout")], compiled(first), NOW + DAY)
    assert payload(moved).effective_from == NOW + DAY
    [back_dated] = changes([shop("checkout")], compiled(first), NOW + DAY, NOW - 30 * DAY)
    contract = compiled(first, [back_dated])
    assert contract.team_of("shop", to_us(NOW - 31 * DAY)) == "growth"
    assert contract.team_of("shop", to_us(NOW - 30 * DAY)) == "checkout"


def test_metadata_alone_is_a_change() -> None:
    first = changes([object_of("Team", "growth", {})], Contract.compile([]), NOW)
    [renamed] = changes([object_of("Team", "growth", {}, displayName="Growth")], compiled(first), NOW + DAY)
    assert payload(renamed).metadata == {"displayName": "Growth"}


def test_a_planned_change_survives_a_second_apply_and_yields_to_an_explicit_one() -> None:
    first = changes([shop("growth")], Contract.compile([]), NOW)
    planned = changes([shop("checkout")], compiled(first), NOW, NOW + 30 * DAY)
    contract = compiled(first, planned)
    assert changes([shop("checkout")], contract, NOW + DAY) == []
    revoked = changes([shop("growth")], contract, NOW + DAY)
    assert [payload(event).effective_from for event in revoked] == [NOW + 30 * DAY]
    assert compiled(first, planned, revoked).team_of("shop", to_us(NOW + 40 * DAY)) == "growth"


def test_declaring_the_same_again_after_something_else_is_a_new_event() -> None:
    """Its id may not be that of the first, or the log would take it for a duplicate and drop it."""
    first = changes([shop("growth")], Contract.compile([]), NOW, NOW)
    second = changes([shop("checkout")], compiled(first), NOW + DAY, NOW)
    third = changes([shop("growth")], compiled(first, second), NOW + 2 * DAY, NOW)
    assert len({event.id for event in (*first, *second, *third)}) == 3
    assert compiled(first, second, third).team_of("shop", to_us(NOW)) == "growth"


def test_ids_are_deterministic() -> None:
    events = [changes([shop("growth")], Contract.compile([]), NOW) for _ in range(2)]
    assert events[0] == events[1]


def test_a_clock_that_is_behind_loses_no_change() -> None:
    first = changes([shop("growth")], Contract.compile([]), NOW, NOW - DAY)
    late = changes([shop("checkout")], compiled(first), NOW - 2 * DAY, NOW - DAY)
    assert compiled(first, late).team_of("shop", to_us(NOW)) == "checkout"


def test_only_prune_withdraws_and_what_was_withdrawn_can_come_back() -> None:
    both = [shop("growth"), object_of("Team", "growth", {})]
    first = changes(both, Contract.compile([]), NOW)
    assert changes(both[:1], compiled(first), NOW + DAY) == []
    [gone] = changes(both[:1], compiled(first), NOW + DAY, prune=True)
    assert (payload(gone).kind, payload(gone).spec, payload(gone).effective_from) == ("Team", None, NOW + DAY)
    contract = compiled(first, [gone])
    assert contract.objects().keys() == {("Service", "shop")}
    assert contract.objects(to_us(NOW)).keys() == {("Service", "shop"), ("Team", "growth")}
    assert changes(both[:1], contract, NOW + 2 * DAY, prune=True) == []
    [back] = changes(both, contract, NOW + 2 * DAY)
    assert payload(back).effective_from == NOW + 2 * DAY


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["growth", "checkout", "identity"]),
        st.integers(-5, 5),
        st.none() | st.integers(-9, 9),
        st.booleans(),
    ),
    max_size=6,
)


@given(STEPS)
def test_after_every_apply_the_files_hold_from_then_on_and_the_past_is_as_it_was(
    steps: list[tuple[str, int, int | None, bool]],
) -> None:
    """Whatever was declared before, by whichever clock, for whichever instant."""
    said: list[Event] = []
    for owner, day, since, present in steps:
        now, effective = NOW + day * DAY, None if since is None else NOW + since * DAY
        before = compiled(said)
        objects = [shop(owner)] if present else []
        events = changes(objects, before, now, effective, prune=True)
        assert {event.id for event in events}.isdisjoint({event.id for event in said})
        said += events
        after = compiled(said)
        assert changes(objects, after, now + DAY, prune=True) == []
        start = to_us(effective or now) if events and before.versions("Service", "shop") else None
        for instant in (to_us(NOW + timedelta(hours=12 * half)) for half in range(-20, 21)):
            if start is not None:
                expected = before.team_of("shop", instant) if instant < start else (owner if present else None)
                assert after.team_of("shop", instant) == expected


def test_a_body_holds_what_was_written_with_durations_in_their_largest_unit() -> None:
    declared = object_of("Policy", "default", {"attributionWindow": "72h", "dedupeHorizon": None}, description="x")
    assert body_of(declared) == ({"attributionWindow": "3d"}, {"description": "x"})
