"""Stories about deployments: which one delivers without a graph, outcomes, environments, several services."""

from __future__ import annotations

from tests.simulation.stories_delivery import SEED
from tests.simulation.story import (
    HOUR,
    SHOP,
    Story,
    change,
    commit,
    committed,
    deployed,
    deployment,
    deployment_id,
    merged,
    opened,
    service,
    us,
)

# The first three are production.
ENVIRONMENTS = ["eu-live", "PRD_2", "Prod", "pre-prod", "non production", "prod-test", "product"]

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
        "in a repository for which the contract declares no service, whatever service is deployed from it delivers",
        (
            deployed("01 09:00", "d0", service="web"),
            opened("02 09:00", 1),
            merged("02 12:00", 1),
            deployed("02 15:00", "d1", service="web"),
        ),
        {
            change(1): {"deployment": deployment_id("d1", service="web"), "method": "time", "service": "web"},
            deployment("d1", service="web"): {"changes": 1},
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
            deployed(f"02 09:{minute:02}", f"d{minute}", environment=name) for minute, name in enumerate(ENVIRONMENTS)
        ),
        {
            deployment(f"d{minute}", environment=name): {"production": minute < 3}
            for minute, name in enumerate(ENVIRONMENTS)
        },
    ),
    Story(
        "of several services in a repository, those whose paths a change touches deliver it, else whichever came first",
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
        },
        # nothing of the services that the contract puts into the repository has delivered it
        absent=(commit("c4"),),
    ),
)

DEPLOYMENTS = (*FALLBACK, *OUTCOMES)
