"""Stories about containment, deployments, and the parts of a change."""

from __future__ import annotations

from tests.simulation.story import (
    DAY,
    HOUR,
    SHOP,
    Story,
    abandoned,
    change,
    commit,
    committed,
    deployed,
    deployment,
    deployment_id,
    merged,
    opened,
    pushed,
    reviewed,
    seen,
    service,
    us,
)

# The seed: what ran before the story. Its own change is excluded, so that the story's are not.
SEED = (committed("c0", "01 08:00"), deployed("01 09:00", "d0", "c0"))

CONTAINMENT = (
    Story(
        "a squashed change is delivered by the first deployment that contains its merge commit",
        (
            *SEED,
            committed("c1", "02 09:00", "c0"),
            committed("c2", "02 15:00", "c1"),
            opened("02 16:00", 7),
            seen("02 16:00", 7, head_sha="c2", commits=["c1", "c2"], title="Faster start", branch="faster"),
            reviewed("02 18:00", 7),
            committed("m1", "03 10:00", "c0"),
            merged("03 10:00", 7, "m1"),
            committed("m2", "03 11:00", "m1"),
            deployed("03 12:00", "d1", "m2", begun="03 11:30"),
            deployed("04 12:00", "d2", "m2"),
        ),
        {
            change(7): {
                "kind": "pull_request",
                "repo": SHOP,
                "services": [SHOP],
                "service": SHOP,
                "team": None,
                "status": "deployed",
                "created_at": us("02 16:00"),
                "authored_at": us("02 09:00"),
                "first_review_at": us("02 18:00"),
                "merged_at": us("03 10:00"),
                "deployed_at": us("03 12:00"),
                "deployment": deployment_id("d1", "m2"),
                "method": "ancestry",
                "excluded": None,
                "lead_time": 27 * HOUR,
                "coding_time": 7 * HOUR,
                "pickup_time": 2 * HOUR,
                "review_time": 16 * HOUR,
                "deploy_time": 2 * HOUR,
                "negative": 0,
            },
            commit("m2"): {"kind": "commit", "lead_time": 1 * HOUR, "coding_time": None, "created_at": None},
            deployment("d1", "m2"): {"started_at": us("03 11:30"), "changes": 2, "previous": deployment_id("d0", "c0")},
            deployment("d2", "m2"): {"changes": 0, "trace": "empty", "previous": deployment_id("d1", "m2")},
        },
        absent=(commit("c1"), commit("c2"), commit("m1")),
    ),
    Story(
        "an older commit keeps the earlier deployment, whichever deployment is of the newer commit",
        (
            *SEED,
            committed("c1", "02 09:00", "c0"),
            committed("c2", "02 10:00", "c1"),
            committed("c3", "02 11:00", "c2"),
            deployed("03 09:00", "d1", "c2"),
            deployed("03 08:00", "d2", "c1"),
            deployed("04 09:00", "d3", "c3"),
            # a redeployment of an old commit contains nothing newer
            deployed("03 08:30", "d4", "c0"),
        ),
        {
            commit("c1"): {"deployed_at": us("03 08:00"), "deployment": deployment_id("d2", "c1")},
            commit("c2"): {"deployed_at": us("03 09:00"), "deployment": deployment_id("d1", "c2")},
            commit("c3"): {"deployed_at": us("04 09:00"), "deployment": deployment_id("d3", "c3")},
            deployment("d4", "c0"): {"changes": 0, "seed": False},
        },
    ),
    Story(
        "two deployments that finish in one instant: the smaller id delivered it",
        (
            *SEED,
            committed("c1", "02 09:00", "c0"),
            deployed("03 09:00", "d-b", "c1"),
            deployed("03 09:00", "d-a", "c1"),
        ),
        {
            commit("c1"): {"deployment": deployment_id("d-a", "c1")},
            deployment("d-a", "c1"): {"changes": 1},
            deployment("d-b", "c1"): {"changes": 0},
        },
    ),
    Story(
        "a merge commit is a way, not a change; both of its sides are contained",
        (
            *SEED,
            committed("left", "02 09:00", "c0"),
            committed("right", "02 10:00", "c0"),
            committed("both", "02 11:00", "left", "right"),
            deployed("02 12:00", "d1", "both"),
        ),
        {
            commit("left"): {"deployed_at": us("02 12:00"), "lead_time": 3 * HOUR},
            commit("right"): {"deployed_at": us("02 12:00"), "lead_time": 2 * HOUR},
            deployment("d1", "both"): {"changes": 2},
        },
        absent=(commit("both"),),
    ),
    Story(
        "a push tells what its head contains: the commits it lists, and what was there unless it was forced",
        (
            *SEED,
            committed("c1", "02 09:00", brief=True),
            committed("c2", "02 10:00", brief=True),
            committed("gone", "02 08:00", brief=True),
            pushed("02 11:00", "main", "c0", "c2", commits=["c1", "c2"], distinct=["c1", "c2"]),
            committed("c3", "03 09:00", brief=True),
            pushed("03 10:00", "main", "c2", "c3", commits=["c3"], distinct=["c3"]),
            committed("c4", "03 11:00", brief=True),
            pushed("03 12:00", "main", "gone", "c4", forced=True, commits=["c4"], distinct=["c4"]),
            deployed("04 09:00", "d1", "c3"),
            deployed("05 09:00", "d2", "c4"),
        ),
        {
            commit("c1"): {"deployed_at": us("04 09:00")},
            commit("c2"): {"deployed_at": us("04 09:00")},
            commit("c3"): {"deployed_at": us("04 09:00")},
            commit("c4"): {"deployed_at": us("05 09:00")},
        },
        absent=(commit("gone"),),
    ),
    Story(
        "the same commit in another repository is another node; staging, failed and running deployments deliver nothing",
        (
            *SEED,
            committed("c1", "02 09:00", "c0"),
            deployed("02 10:00", "d1", "c1", environment="staging"),
            deployed("02 11:00", "d2", "c1", what="failed"),
            deployed("02 12:00", "d3", "c1", what="cancelled"),
            deployed("02 13:00", "d4", "c1", what="started"),
            deployed("02 14:00", "d5", "c1", repo="acme/fork"),
            deployed("02 15:00", "d6", "c1"),
        ),
        {
            commit("c1"): {"deployment": deployment_id("d6", "c1")},
            deployment("d1", "c1", environment="staging"): {"production": False, "outcome": "success", "failed": False},
            deployment("d2", "c1"): {"outcome": "failure", "failed": True, "finished_at": us("02 11:00")},
            deployment("d3", "c1"): {"outcome": "cancelled", "failed": False, "finished_at": us("02 12:00")},
            deployment("d4", "c1"): {"outcome": "running", "finished_at": None, "previous": None},
            deployment("d5", "c1", repo="acme/fork"): {"changes": 0, "seed": True},
        },
    ),
)

CLAIMS = (
    Story(
        "a change claims its commits, its heads, and what was new in the push of its head or merge",
        (
            *SEED,
            committed("old-head", "02 08:00", "c0"),
            committed("p1", "02 09:00", "c0"),
            committed("p2", "02 10:00", "p1"),
            opened("02 12:00", 1),
            seen("02 12:00", 1, head_sha="old-head"),
            seen("02 13:00", 1, head_sha="p2"),
            pushed("02 13:00", "topic", "old-head", "p2", forced=True, commits=["p1", "p2"], distinct=["p1", "p2"]),
            committed("r1", "03 09:00", "c0"),
            committed("r2", "03 09:01", "r1"),
            pushed("03 10:00", "main", "c0", "r2", commits=["r1", "r2"], distinct=["r1", "r2"]),
            merged("03 10:00", 1, "r2"),
            deployed("04 10:00", "d1", "r2"),
        ),
        {
            change(1): {"authored_at": us("02 08:00"), "lead_time": 2 * DAY + 2 * HOUR},
            deployment("d1", "r2"): {"changes": 1},
        },
        absent=(commit("r1"), commit("r2"), commit("p1"), commit("p2"), commit("old-head")),
    ),
    Story(
        "the merge commit does not say when work began, unless the change lists it as its own",
        (
            *SEED,
            opened("02 12:00", 1),
            committed("m1", "02 09:00", "c0"),
            merged("03 10:00", 1, "m1"),
            opened("02 12:00", 2),
            committed("m2", "02 10:00", "m1"),
            seen("02 12:00", 2, head_sha="m2"),
            merged("03 11:00", 2, "m2"),
            deployed("03 12:00", "d1", "m2"),
        ),
        {
            change(1): {"authored_at": None, "lead_time": 1 * DAY, "coding_time": None, "deploy_time": 2 * HOUR},
            change(2): {"authored_at": us("02 10:00"), "lead_time": 26 * HOUR, "coding_time": 2 * HOUR},
        },
    ),
    Story(
        "review by oneself or by a machine does not end the pickup; by somebody unknown it does",
        (
            opened("02 09:00", 1, "p-ann"),
            reviewed("02 10:00", 1, "p-ann"),
            reviewed("02 11:00", 1, "p-bot", automated=True),
            reviewed("02 12:00", 1, "p-bob"),
            opened("02 09:00", 2, "p-ann"),
            reviewed("02 13:00", 2, None),
            opened("02 09:00", 3, None),
            reviewed("02 14:00", 3, "p-ann"),
            opened("02 09:00", 4, "p-ann"),
            reviewed("02 15:00", 4, "p-ann"),
        ),
        {
            change(1): {"first_review_at": us("02 12:00"), "pickup_time": 3 * HOUR, "status": "open"},
            change(2): {"first_review_at": us("02 13:00")},
            change(3): {"first_review_at": us("02 14:00")},
            change(4): {"first_review_at": None, "pickup_time": None},
        },
    ),
    Story(
        "spans that run backwards are null and counted",
        (
            *SEED,
            committed("c1", "02 12:00", "c0"),
            opened("02 09:00", 1),
            seen("02 13:00", 1, head_sha="c1"),
            reviewed("02 08:00", 1),
            merged("02 14:00", 1, "c1"),
            deployed("02 13:30", "d1", "c1"),
        ),
        {
            change(1): {
                "lead_time": 1.5 * HOUR,
                "coding_time": None,
                "pickup_time": None,
                "review_time": 6 * HOUR,
                "deploy_time": None,
                "negative": 3,
            }
        },
    ),
    Story(
        "spans are cut to whole milliseconds",
        (
            *SEED,
            committed("c1", "02 09:00:00.000600", "c0"),
            deployed("02 09:00:01.001599", "d1", "c1"),
        ),
        {commit("c1"): {"lead_time": 1.0}},
    ),
    Story(
        "an abandoned change is open again when it is reopened, and a merge outweighs everything",
        (
            opened("02 09:00", 1),
            abandoned("02 10:00", 1),
            opened("02 09:00", 2),
            abandoned("02 10:00", 2),
            seen("02 10:00", 2, closed=True),
            seen("02 11:00", 2, closed=True, labels=["stale"]),
            opened("02 09:00", 3),
            abandoned("02 10:00", 3),
            seen("02 11:00", 3),
            opened("02 09:00", 4),
            merged("02 10:00", 4),
            abandoned("02 11:00", 4),
        ),
        {
            change(1): {"status": "abandoned"},
            change(2): {"status": "abandoned"},
            change(3): {"status": "open"},
            change(4): {"status": "merged", "merged_at": us("02 10:00")},
        },
        metrics={("open_changes", "value", "org", "all", None): (2.0, 2)},
    ),
)

FALLBACK = (
    Story(
        "without a graph, a merged change is delivered by the next deployment in time",
        (
            deployed("01 09:00", "d0"),
            opened("02 09:00", 1),
            merged("02 12:00", 1, "unknown-1"),
            opened("02 09:00", 2),
            merged("02 13:00", 2),
            opened("02 09:00", 3),
            deployed("02 12:00", "d1"),
            deployed("02 15:00", "d2", "unknown-2"),
        ),
        {
            change(1): {"method": "time", "deployment": deployment_id("d1"), "lead_time": 3 * HOUR, "deploy_time": 0.0},
            change(2): {"method": "time", "deployment": deployment_id("d2", "unknown-2"), "deploy_time": 2 * HOUR},
            change(3): {"method": None, "deployment": None, "status": "open"},
            deployment("d0"): {"seed": True, "changes": 0},
        },
    ),
    Story(
        "a deployment whose commit has a graph says what it contains; time is no argument there",
        (
            *SEED,
            opened("02 09:00", 1),
            merged("02 12:00", 1, "m1"),
            committed("c1", "02 10:00", "c0"),
            deployed("02 15:00", "d1", "c1"),
        ),
        {
            change(1): {"status": "merged", "deployed_at": None, "deployment": None, "method": None},
            deployment("d1", "c1"): {"changes": 1},
        },
    ),
    Story(
        "what the oldest deployment contains is excluded from lead time, and still is its member",
        (
            committed("c1", "01 08:00"),
            opened("01 09:00", 1),
            merged("01 10:00", 1, "c1"),
            deployed("01 12:00", "d1", "c1"),
            deployed("02 12:00", "d2", "c1"),
        ),
        {
            change(1): {"status": "deployed", "excluded": "seed", "deployed_at": us("01 12:00")},
            deployment("d1", "c1"): {"seed": True, "changes": 1},
            deployment("d2", "c1"): {"seed": False, "previous": deployment_id("d1", "c1")},
        },
        metrics={
            ("change_lead_time", "p50", "org", "all", 28): None,
            ("deploy_time", "p50", "org", "all", 28): None,
            ("deployment_frequency", "value", "org", "all", 28): (2 / 28, 2),
        },
    ),
)

OUTCOMES = (
    Story(
        "the best of a deployment's outcomes holds, at its earliest; a failure after the success makes it failed",
        (
            deployed("02 09:00", "d1", what="started"),
            deployed("02 10:00", "d1", begun="02 08:30"),
            deployed("02 11:00", "d1", begun="02 08:30"),
            deployed("03 09:00", "d2", what="failed"),
            deployed("03 10:00", "d2"),
            deployed("04 09:00", "d3"),
            deployed("04 10:00", "d3", what="failed"),
            deployed("05 09:00", "d4", what="cancelled"),
            deployed("05 10:00", "d4", what="failed"),
        ),
        {
            deployment("d1"): {"outcome": "success", "started_at": us("02 08:30"), "finished_at": us("02 10:00")},
            deployment("d2"): {"outcome": "success", "finished_at": us("03 10:00"), "failed": False},
            deployment("d3"): {
                "outcome": "success",
                "finished_at": us("04 09:00"),
                "failed": True,
                "failures": [],
                "recovered_at": None,
            },
            deployment("d4"): {"outcome": "failure", "finished_at": us("05 10:00"), "failed": True},
        },
        metrics={
            ("deployment_frequency", "value", "org", "all", 28): (3 / 28, 3),
            ("change_fail_rate", "value", "org", "all", 28): (2 / 4, 4),
            ("open_recoveries", "value", "org", "all", None): (2.0, 2),
        },
    ),
    Story(
        "the previous deployment is of the same service, repository and environment, whatever its case",
        (
            deployed("02 10:00", "d1", begun="02 09:00", environment="Production"),
            deployed("02 09:30", "d2", environment="staging"),
            deployed("02 11:00", "d3", begun="02 08:00", environment="production"),
            deployed("02 12:00", "d4", what="failed", environment="PRODUCTION"),
            deployed("02 13:00", "d5", environment="production"),
            deployed("02 12:30", "d6", repo=None, service=SHOP, environment="production"),
            deployed("02 14:00", "d7", what="started"),
        ),
        {
            deployment("d1", environment="Production"): {"previous": deployment_id("d3")},
            deployment("d2", environment="staging"): {"previous": None, "production": False},
            deployment("d3"): {"previous": None},
            deployment("d4", environment="PRODUCTION"): {"previous": deployment_id("d1", environment="Production")},
            deployment("d5"): {"previous": deployment_id("d1", environment="Production")},
            deployment("d6", repo=None, service=SHOP): {"previous": None, "seed": False, "service": SHOP},
            deployment("d7"): {"previous": None, "outcome": "running"},
        },
    ),
    Story(
        "one id at two places is two deployments; a repeated event is one",
        (
            deployed("02 09:00", "d1", "c1", service="web"),
            deployed("02 09:00", "d1", "c1", service="web"),
            deployed("02 10:00", "d1", "c1", service="api"),
        ),
        {
            deployment("d1", "c1", service="web"): {"service": "web", "seed": True},
            deployment("d1", "c1", service="api"): {"service": "api", "seed": True},
        },
        metrics={
            ("deployment_frequency", "value", "org", "all", 28): (2 / 28, 2),
            ("deployment_frequency", "value", "service", "web", 28): (1 / 28, 1),
        },
    ),
    Story(
        "a production environment by its name",
        tuple(
            deployed(f"02 09:{minute:02}", f"d{minute}", environment=name)
            for minute, name in enumerate(["eu-live", "PRD_2", "Prod", "pre-prod", "non production", "prod-test", "product"])
        ),
        {
            deployment(f"d{minute}", environment=name): {"production": minute < 3}
            for minute, name in enumerate(["eu-live", "PRD_2", "Prod", "pre-prod", "non production", "prod-test", "product"])
        },
    ),
    Story(
        "a service with several in its repository: its own deployment delivers to it, else whichever came first",
        (
            service("web", paths=["web/"]),
            service("api", paths=["api/**"]),
            committed("c0", "01 08:00", paths=["README"]),
            deployed("01 09:00", "w0", "c0", service="web"),
            deployed("01 09:00", "a0", "c0", service="api"),
            committed("c1", "02 08:00", "c0", paths=["web/page.ts"]),
            committed("c2", "02 09:00", "c1", paths=["README"]),
            committed("c3", "02 09:30", "c2"),
            deployed("02 10:00", "a1", "c3", service="api"),
            deployed("02 11:00", "w1", "c3", service="web"),
            deployed("02 12:00", "x1", "c3", service="extra"),
            committed("c4", "03 09:00", "c3", paths=["web/page.ts"]),
            deployed("03 10:00", "x2", "c4", service="extra"),
        ),
        {
            commit("c1"): {"services": ["web"], "service": "web", "deployed_at": us("02 11:00")},
            commit("c2"): {"services": ["api", "web"], "service": "api", "deployed_at": us("02 10:00")},
            commit("c3"): {"services": ["api", "web"], "service": "api", "team": "growth"},
            commit("c4"): {"services": ["web"], "service": "extra", "team": None, "deployed_at": us("03 10:00")},
        },
    ),
)

DELIVERY = (*CONTAINMENT, *CLAIMS, *FALLBACK, *OUTCOMES)
