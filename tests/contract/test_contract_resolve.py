"""Resolution as of event time, as docs/definitions.md has it."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.resolve import Contract, Declaration
from pipeline.contract.rules import sounds_like_production
from pipeline.contract.timeline import EVER, Timeline, combine
from pipeline.events.times import from_us
from pipeline.events.types import ContractDeclared

DAY = 86_400_000_000
HOUR = DAY // 24


def declared(
    kind: Any, name: str, spec: dict[str, Any] | None, since: int | None = None, said: int = 0, **metadata: Any
) -> Declaration:
    """A declaration that holds from day `since` on and was made on day `said`; its id follows from its content."""
    effective = None if since is None else from_us(since * DAY)
    data = ContractDeclared(kind=kind, name=name, spec=spec, metadata=metadata, effective_from=effective)
    return said * DAY, f"{kind}/{name}/{spec}/{since}/{said}", data


def service(name: str, since: int | None = None, said: int = 0, **spec: Any) -> Declaration:
    return declared("Service", name, spec, since, said)


def initiative(name: str, said: int = 0, **spec: Any) -> Declaration:
    return declared("Initiative", name, spec, None if said == 0 else said, said)


def policy(since: int | None = None, name: str = "default", said: int = 0, **spec: Any) -> Declaration:
    return declared("Policy", name, spec, since, said)


def test_nothing_declared_means_the_defaults() -> None:
    contract = Contract.compile([])
    assert not contract.has_declarations
    assert contract.service_of("acme/shop", "shop", 0) == "shop"
    assert contract.service_of("acme/shop", None, 0) == "acme/shop"
    assert contract.service_of(None, None, 0) == "unknown"
    assert contract.service_of("", "", 0) == "unknown"
    assert contract.services_of_change("acme/shop", ["a.py"], 0) == ["acme/shop"]
    assert contract.is_production("shop", "prod-eu", 0)
    assert contract.team_of("shop", 0) is None
    assert contract.initiatives_named("x") == frozenset()
    assert contract.initiatives_by_label("x") == contract.initiatives_by_ticket("x") == frozenset()
    assert contract.initiatives_by_service("x") == frozenset()
    held = contract.policy(0)
    assert held.attribution_window_us == 72 * HOUR
    assert held.is_unplanned("hotfix/login", [])
    assert held.is_unplanned("Revert-12-x", ())
    assert held.is_unplanned(None, ["Incident"])
    assert not held.is_unplanned("feature/hotfix", ["feature"])
    assert not held.is_exempt("dependabot/x", ["dependencies"])


def test_a_reorganisation_does_not_rewrite_history() -> None:
    contract = Contract.compile(
        [
            service("shop", owner="growth", repos=["acme/shop"]),
            service("shop", since=10, said=12, owner="checkout", repos=["acme/shop"]),
        ]
    )
    assert contract.team_of("shop", -(10**15)) == "growth"
    assert contract.team_of("shop", 10 * DAY - 1) == "growth"
    assert contract.team_of("shop", 10 * DAY) == "checkout"
    assert contract.team_of("shop", 10**18) == "checkout"


def test_versions_follow_each_other_by_start_then_by_when_they_were_said_then_by_id() -> None:
    contract = Contract.compile(
        [
            service("shop", since=10, said=1, owner="planned-early"),
            service("shop", since=5, said=2, owner="back-dated"),
            service("shop", since=10, said=3, owner="corrected"),
            service("shop", since=20, said=3, owner="a"),
            service("shop", since=20, said=3, owner="b"),
        ]
    )
    owners = [contract.team_of("shop", day * DAY) for day in (4, 5, 9, 10, 19, 20)]
    assert owners == [None, "back-dated", "back-dated", "corrected", "corrected", "b"]


def test_before_its_first_version_and_once_withdrawn_an_object_does_not_exist() -> None:
    contract = Contract.compile(
        [
            service("shop", since=10, owner="growth", repos=["acme/shop"], environments={"production": ["live"]}),
            declared("Service", "shop", None, since=20, said=20),
        ]
    )
    assert [contract.service_of("acme/shop", None, day * DAY) for day in (9, 10, 20)] == [
        "acme/shop",
        "shop",
        "acme/shop",
    ]
    assert [contract.team_of("shop", day * DAY) for day in (9, 10, 20)] == [None, "growth", None]
    assert [contract.is_production("shop", "prod", day * DAY) for day in (9, 10, 20)] == [True, False, True]
    assert [contract.services_of_change("acme/shop", None, day * DAY) for day in (9, 10, 20)] == [
        ["acme/shop"],
        ["shop"],
        ["acme/shop"],
    ]
    assert contract.objects(15 * DAY).keys() == {("Service", "shop")}
    assert contract.objects().keys() == set()


def test_a_service_is_the_one_named_else_the_only_one_of_the_repository() -> None:
    contract = Contract.compile(
        [
            service("shop", repos=["acme/shop", "acme/mono"]),
            service("api", repos=["acme/mono"]),
            service("late", since=10, repos=["acme/shop"]),
        ]
    )
    assert contract.service_of("acme/shop", "api", 0) == "api"
    assert contract.service_of("acme/shop", "what-the-tool-says", 0) == "shop"
    assert contract.service_of("acme/shop", None, 10 * DAY) == "acme/shop"
    assert contract.service_of("acme/mono", None, 0) == "acme/mono"
    assert contract.service_of("acme/mono", "tool", 0) == "tool"
    assert contract.services_of_change("acme/mono", None, 0) == ["api", "shop"]


MONO = [
    service("web", repos=["acme/mono"], paths=["web/", "shared/ui"]),
    service("api", repos=["acme/mono"], paths=["services/api", "proto/*.proto"]),
    service("rest", repos=["acme/mono"]),
]


@pytest.mark.parametrize(
    ("paths", "services"),
    [
        (None, ["api", "rest", "web"]),
        ([], ["api", "rest", "web"]),
        (["web/index.html"], ["web"]),
        (["web"], ["web"]),
        (["website/index.html"], ["api", "rest", "web"]),
        (["services/api-gateway/x.py"], ["api", "rest", "web"]),
        (["services/api/x.py", "shared/ui/a.css"], ["api", "web"]),
        (["proto/v1/pay.proto", "README.md"], ["api"]),
        (["Proto/pay.proto"], ["api", "rest", "web"]),
        (["web/a\nb"], ["web"]),
    ],
)
def test_paths_tell_the_services_of_a_shared_repository_apart(paths: list[str] | None, services: list[str]) -> None:
    assert Contract.compile(MONO).services_of_change("acme/mono", paths, 0) == services


def test_the_list_of_services_is_the_callers_own() -> None:
    contract = Contract.compile(MONO)
    contract.services_of_change("acme/mono", None, 0).clear()
    assert contract.services_of_change("acme/mono", None, 0) == ["api", "rest", "web"]


@pytest.mark.parametrize(
    ("environment", "production"),
    [
        ("production", True),
        ("PROD", True),
        ("prd", True),
        ("live", True),
        ("prod-eu-1", True),
        ("aws/eu_prod", True),
        ("github-pages", False),
        ("production2", False),
        ("products", False),
        ("alive", False),
        ("pre-prod", False),
        ("preprod", False),
        ("non-production", False),
        ("nonprod", False),
        ("prod-test", False),
        ("staging/production", False),
        ("dev.live", False),
        ("", False),
    ],
)
def test_an_undeclared_environment_is_judged_by_its_words(environment: str, production: bool) -> None:
    assert sounds_like_production(environment) is production
    assert Contract.compile([service("shop", owner="a")]).is_production("shop", environment, 0) is production


def test_a_service_that_declares_environments_has_no_other_production() -> None:
    contract = Contract.compile(
        [
            service("shop", environments={"production": ["Blue", "ÉTÉ"]}),
            service("api", environments={"staging": ["prod"]}),
            service("web", environments={}),
        ]
    )
    assert contract.is_production("shop", "blue", 0)
    assert contract.is_production("shop", "été", 0)
    assert not contract.is_production("shop", "production", 0)
    assert not contract.is_production("api", "prod", 0)
    assert contract.is_production("web", "prod", 0)


def test_the_policy_holds_as_of_event_time_and_each_part_has_its_default() -> None:
    contract = Contract.compile(
        [
            policy(since=10, attributionWindow="36h", rework={"branches": ["Fix-?/*"]}, exempt={"labels": ["DEP*"]}),
            policy(since=20, said=20, rework={"labels": []}),
            declared("Policy", "default", None, since=30, said=30),
        ]
    )
    hours = [contract.policy(day * DAY).attribution_window_us // HOUR for day in (9, 10, 20, 30)]
    assert hours == [72, 36, 72, 72]
    first, second = contract.policy(10 * DAY), contract.policy(20 * DAY)
    assert first.is_unplanned("fix-1/x", [])
    assert not first.is_unplanned("hotfix/x", [])
    assert first.is_unplanned(None, ["hotfix"])
    assert first.is_exempt(None, ["dependencies"])
    assert not first.is_exempt("dependencies", [])
    assert second.is_unplanned("hotfix/x", [])
    assert not second.is_unplanned(None, ["hotfix"])


def test_of_several_policies_the_first_by_name_that_holds_counts() -> None:
    contract = Contract.compile(
        [policy(name="b", attributionWindow="2h"), policy(name="a", since=10, attributionWindow="1h")]
    )
    assert [contract.policy(day * DAY).attribution_window_us // HOUR for day in (0, 10)] == [2, 1]


def test_initiatives_resolve_by_their_latest_version() -> None:
    contract = Contract.compile(
        [
            initiative("faster", aliases=["Old Name"], tracks={"jira": [{"epic": "GROW-1"}]}),
            initiative(
                "faster",
                said=10,
                aliases=["Activation 2.0"],
                tracks={
                    "jira": [{"epic": "GROW-2"}, {"ticket": "GROW-3"}, {"label": "activation"}],
                    "tracker-of-our-own": [{"label": "act"}],
                    "trailer": ["Initiative"],
                    "service": ["onboarding"],
                },
            ),
            initiative("cheaper", tracks={"github": [{"ticket": "GROW-2"}]}),
            initiative("gone", aliases=["bye"], tracks={"jira": [{"epic": "GROW-2"}]}),
            declared("Initiative", "gone", None, since=5, said=5),
        ]
    )
    assert contract.initiatives_named("FASTER") == {"faster"}
    assert contract.initiatives_named("activation 2.0") == {"faster"}
    assert contract.initiatives_named("Old Name") == frozenset()
    assert contract.initiatives_named("bye") == contract.initiatives_named("gone") == frozenset()
    assert contract.initiatives_by_ticket("GROW-1") == frozenset()
    assert contract.initiatives_by_ticket("GROW-2") == {"faster", "cheaper"}
    assert contract.initiatives_by_ticket("GROW-3") == {"faster"}
    assert contract.initiatives_by_label("activation") == contract.initiatives_by_label("act") == {"faster"}
    assert contract.initiatives_by_label("Initiative") == frozenset()
    assert contract.initiatives_by_service("onboarding") == {"faster"}


def test_a_name_wins_over_an_alias_and_a_shared_alias_means_both() -> None:
    contract = Contract.compile(
        [initiative("a", aliases=["b", "both"]), initiative("b", aliases=["Both"]), initiative("c", aliases=["BOTH"])]
    )
    assert contract.initiatives_named("b") == {"b"}
    assert contract.initiatives_named("both") == {"a", "b", "c"}


BASE = [
    service(
        "shop", owner="growth", repos=["acme/shop", "acme/web"], paths=["a", "b"], environments={"production": ["live"]}
    ),
    initiative("faster", aliases=["x"], tracks={"jira": [{"epic": "GROW-1"}]}, outcomes=[{"metric": "a"}]),
    policy(attributionWindow="72h"),
    declared("Team", "growth", {"type": "platform"}),
    declared("StatusMap", "jira", {"tracker": "jira", "map": {"Done": "done"}}),
]

IRRELEVANT = {
    "outcome": initiative(
        "faster", said=9, aliases=["x"], tracks={"jira": [{"epic": "GROW-1"}]}, outcomes=[{"metric": "b"}]
    ),
    "kind of tracker": initiative("faster", said=9, aliases=["X"], tracks={"github": [{"ticket": "GROW-1"}]}),
    "order of lists": service(
        "shop",
        9,
        9,
        owner="growth",
        repos=["acme/web", "acme/shop"],
        paths=["b", "a"],
        environments={"production": ["LIVE"]},
    ),
    "staging and tier": service(
        "shop",
        9,
        9,
        owner="growth",
        repos=["acme/shop", "acme/web"],
        paths=["a", "b"],
        environments={"production": ["live"], "staging": ["s"]},
        tier=1,
    ),
    "another unit": policy(9, said=9, attributionWindow="3d"),
    "default written out": policy(9, said=9, rework={"labels": ["revert", "hotfix", "incident"]}, dedupeHorizon="1d"),
    "team": declared("Team", "growth", {"type": "enabling"}, 9, 9),
    "display name": declared("Policy", "default", {"attributionWindow": "72h"}, 9, 9, displayName="Ours"),
}

RELEVANT = {
    "owner": service(
        "shop",
        9,
        9,
        owner="checkout",
        repos=["acme/shop", "acme/web"],
        paths=["a", "b"],
        environments={"production": ["live"]},
    ),
    "repos": service(
        "shop", 9, 9, owner="growth", repos=["acme/shop"], paths=["a", "b"], environments={"production": ["live"]}
    ),
    "paths": service(
        "shop", 9, 9, owner="growth", repos=["acme/shop", "acme/web"], environments={"production": ["live"]}
    ),
    "environments": service("shop", 9, 9, owner="growth", repos=["acme/shop", "acme/web"], paths=["a", "b"]),
    "new service": service("api", 9, 9),
    "withdrawn service": declared("Service", "shop", None, 9, 9),
    "alias": initiative("faster", said=9, tracks={"jira": [{"epic": "GROW-1"}]}),
    "track": initiative("faster", said=9, aliases=["x"], tracks={"jira": [{"epic": "GROW-2"}]}),
    "label for ticket": initiative("faster", said=9, aliases=["x"], tracks={"jira": [{"label": "GROW-1"}]}),
    "withdrawn initiative": declared("Initiative", "faster", None, 9, 9),
    "new initiative": initiative("cheaper", said=9),
    "window": policy(9, said=9, attributionWindow="71h"),
    "rework": policy(9, said=9, rework={"labels": ["hotfix"]}),
    "exempt": policy(9, said=9, exempt={"branches": ["dependabot/*"]}),
    "status map": declared("StatusMap", "jira", None, 9, 9),
    "called otherwise": declared("Team", "growth", {"aliases": ["GROW"]}, 9, 9),
    "interaction": declared("Team", "growth", {"interactions": [{"with": "core", "mode": "collaboration"}]}, 9, 9),
    "closed": initiative("faster", said=9, aliases=["x"], tracks={"jira": [{"epic": "GROW-1"}]}, stage="stopped"),
    "expectation": policy(9, said=9, expectations={"review": "2d"}),
    "class of decisions": policy(9, said=9, decisions={"product": {"approvers": ["legal"], "latencyTarget": "2d"}}),
    "decision items": policy(9, said=9, decisionItems={"types": ["adr"]}),
    "agents": policy(9, said=9, agents={"human": ["merge"]}),
}


@pytest.mark.parametrize("more", IRRELEVANT.values(), ids=IRRELEVANT)
def test_what_derivation_does_not_read_leaves_the_fingerprint(more: Declaration) -> None:
    assert Contract.compile([*BASE, more]).fingerprint == Contract.compile(BASE).fingerprint


@pytest.mark.parametrize("more", RELEVANT.values(), ids=RELEVANT)
def test_what_derivation_reads_changes_the_fingerprint(more: Declaration) -> None:
    assert Contract.compile([*BASE, more]).fingerprint != Contract.compile(BASE).fingerprint


def test_when_a_change_of_owner_holds_changes_the_fingerprint() -> None:
    first = Contract.compile([service("shop", owner="a"), service("shop", since=5, owner="b")])
    later = Contract.compile([service("shop", owner="a"), service("shop", since=6, owner="b")])
    assert first.fingerprint != later.fingerprint


def test_the_fingerprint_is_the_same_in_every_process_and_release() -> None:
    assert Contract.compile([]).fingerprint == "49828a007662c01bbc1bb8e3ebb0f6d9"
    assert Contract.compile(BASE).fingerprint == "8f5f211b3854043c1ad5ba725784e751"


def test_a_declaration_that_cannot_be_used_is_listed_and_the_version_before_it_goes_on() -> None:
    contract = Contract.compile(
        [
            service("shop", owner="growth"),
            service("shop", since=5, said=5, owner=["a", "b"]),
            policy(attributionWindow="soon"),
            service("odd", repos="acme/odd"),
            initiative("odd", tracks={"jira": {"epic": "A-1"}}),
        ]
    )
    assert contract.team_of("shop", 9 * DAY) == "growth"
    assert contract.policy(0).attribution_window_us == 72 * HOUR
    assert contract.service_of("acme/odd", None, 0) == "acme/odd"
    assert {(each.kind, each.name) for each in contract.unreadable} == {
        ("Service", "shop"),
        ("Service", "odd"),
        ("Policy", "default"),
        ("Initiative", "odd"),
    }
    assert "Expected `str | null`, got `array` - at `$.owner`" in [each.message for each in contract.unreadable]


def test_keys_of_a_later_release_are_skipped() -> None:
    contract = Contract.compile([service("shop", owner="growth", novelty={"a": 1})])
    assert contract.team_of("shop", 0) == "growth"
    assert contract.unreadable == []


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(NAMES, max_size=2)
SPECS = {
    "Service": st.fixed_dictionaries(
        {"owner": NAMES, "repos": TEXTS},
        optional={"paths": TEXTS, "environments": st.fixed_dictionaries({"production": TEXTS})},
    ),
    "Initiative": st.fixed_dictionaries({"aliases": TEXTS, "tracks": st.fixed_dictionaries({"service": TEXTS})}),
    "Policy": st.fixed_dictionaries({"attributionWindow": st.sampled_from(["1h", "2h"])}),
}
DECLARATIONS = st.lists(
    st.sampled_from(sorted(SPECS)).flatmap(
        lambda kind: st.builds(
            declared,
            st.just(kind),
            NAMES,
            st.none() | SPECS[kind],
            st.none() | st.integers(-2, 3),
            st.integers(0, 3),
        )
    ),
    max_size=12,
)


def answers(contract: Contract) -> list[Any]:
    """Everything that the contract says about the few names and days there are."""
    days = [day * DAY for day in range(-3, 5)]
    return [
        contract.fingerprint,
        [sorted(contract.initiatives_named(name)) for name in "abc"],
        [contract.initiatives_by_service(name) for name in "abc"],
        [contract.policy(day).attribution_window_us for day in days],
        [contract.team_of(name, day) for name in "abc" for day in days],
        [contract.service_of(repo, name, day) for repo in "abc" for name in (None, "a") for day in days],
        [contract.services_of_change(repo, paths, day) for repo in "abc" for paths in (None, ["a"]) for day in days],
        [
            contract.is_production(name, environment, day)
            for name in "abc"
            for environment in ("a", "prod")
            for day in days
        ],
    ]


@given(DECLARATIONS, st.randoms(use_true_random=False))
def test_order_and_repetition_of_declarations_do_not_matter(
    declarations: list[Declaration], chance: random.Random
) -> None:
    shuffled = declarations + chance.choices(declarations, k=3) if declarations else []
    chance.shuffle(shuffled)
    assert answers(Contract.compile(shuffled)) == answers(Contract.compile(declarations))


@given(DECLARATIONS)
def test_owners_agree_with_a_plain_search_through_the_versions(declarations: list[Declaration]) -> None:
    contract = Contract.compile(declarations)
    for name in "abc":
        for at in range(-3 * DAY, 5 * DAY, DAY // 2):
            holding = [
                (data.effective_from is not None, data.effective_from, said, identity, data.spec)
                for said, identity, data in declarations
                if data.kind == "Service"
                and data.name == name
                and (data.effective_from is None or data.effective_from <= from_us(at))
            ]
            last = max(holding, key=lambda each: (each[0], each[1] or from_us(0), each[2], each[3]), default=None)
            assert contract.team_of(name, at) == (last[4]["owner"] if last and last[4] else None)


def test_a_timeline_merges_what_repeats_and_lets_the_last_of_equal_starts_count() -> None:
    timeline = Timeline([(EVER, "a"), (1, "a"), (2, "b"), (2, "c"), (3, None), (4, None), (5, "c")])
    assert timeline.steps() == [(EVER, "a"), (2, "c"), (3, None), (5, "c")]
    assert [timeline.at(moment) for moment in (-1, 2, 3, 4, 5)] == ["a", "c", None, None, "c"]
    assert Timeline[str]([]).at(0) is None
    both = combine([timeline, Timeline([(4, "z")])], lambda values: "".join(value or "-" for value in values))
    assert both.steps() == [(EVER, "a-"), (2, "c-"), (3, "--"), (4, "-z"), (5, "cz")]
