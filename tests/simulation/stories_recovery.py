"""Stories about recovery and rework."""

from __future__ import annotations

from tests.simulation.story import (
    DAY,
    HOUR,
    SHOP,
    Story,
    declared,
    deployed,
    deployment,
    incident,
    merged,
    opened,
    rolled_back,
    seen,
    service,
    trouble,
    us,
)

RECOVERY = (
    Story(
        "several incidents on one deployment fail it once, and it recovers with the last of them",
        (
            deployed("02 09:00", "d1"),
            trouble("02 10:00", "i1"),
            trouble("02 11:00", "i1", "resolved"),
            trouble("02 10:30", "i2", "reported"),
            trouble("02 13:00", "i2", "resolved"),
            deployed("03 09:00", "d2"),
            trouble("03 10:00", "i3"),
            trouble("03 11:00", "i3", "resolved"),
            trouble("03 10:30", "i4"),
        ),
        {
            deployment("d1"): {"recovered_at": us("02 13:00"), "recovery_time": 4 * HOUR},
            deployment("d2"): {"failed": True, "recovered_at": None, "recovery_time": None},
        },
        metrics={
            ("change_fail_rate", "value", "org", "all", 28): (1.0, 2),
            ("failed_deployment_recovery_time", "p95", "org", "all", 28): (4 * HOUR, 1),
            ("open_recoveries", "value", "org", "all", None): (1.0, 1),
            ("open_recoveries", "p50", "org", "all", None): (25 * DAY + 3 * HOUR, 1),
        },
    ),
    Story(
        "a reopened incident is not resolved before it is resolved again",
        (
            deployed("02 09:00", "d1"),
            trouble("02 10:00", "i1"),
            trouble("02 11:00", "i1", "resolved"),
            trouble("02 12:00", "i1", "reopened"),
            trouble("02 14:00", "i1", "resolved"),
            trouble("02 15:00", "i1", "resolved"),
            deployed("03 09:00", "d2"),
            trouble("03 10:00", "i2"),
            trouble("03 11:00", "i2", "resolved"),
            trouble("03 12:00", "i2", "reopened"),
            trouble("02 16:00", "i3", "resolved"),
            trouble("02 17:00", "i3", "resolved"),
        ),
        {
            incident("i1"): {"resolved_at": us("02 14:00")},
            incident("i2"): {"resolved_at": None, "detected_at": us("03 10:00")},
            incident("i3"): {"detected_at": us("02 16:00"), "resolved_at": us("02 16:00")},
            deployment("d1"): {"recovered_at": us("02 16:00"), "recovery_time": 7 * HOUR},
            deployment("d2"): {"recovered_at": None},
        },
    ),
    Story(
        "a failed outcome recovers with the next success of the service, or with a rollback that came first",
        (
            deployed("02 09:00", "d1", what="failed"),
            deployed("02 09:30", "d2", environment="staging"),
            deployed("02 10:00", "d3", repo="acme/other"),
            deployed("02 11:00", "d4"),
            deployed("03 09:00", "d5", what="failed"),
            rolled_back("03 09:30", "r1", "d5"),
            deployed("03 10:00", "d6"),
            deployed("04 09:00", "d7"),
            trouble("04 10:00", "i1", deployment="d7"),
            deployed("04 11:00", "d8"),
        ),
        {
            deployment("d1"): {"recovered_at": us("02 11:00"), "recovery_time": 2 * HOUR},
            deployment("d5"): {"recovered_at": us("03 09:30"), "recovery_time": 0.5 * HOUR},
            # a success that is put down as failed by an incident does not recover by being replaced
            deployment("d7"): {"failed": True, "recovered_at": None},
        },
        metrics={("failed_deployment_recovery_time", "p50", "org", "all", 28): (1.25 * HOUR, 2)},
    ),
    Story(
        "an incident that was over before the named deployment ended has a negative recovery",
        (
            deployed("02 09:00", "d1"),
            trouble("02 07:00", "i1", deployment="d1"),
            trouble("02 08:00", "i1", "resolved", deployment="d1"),
        ),
        {deployment("d1"): {"failed": True, "recovered_at": us("02 08:00"), "recovery_time": None, "negative": 1}},
        metrics={
            ("failed_deployment_recovery_time", "p50", "org", "all", 28): None,
            ("open_recoveries", "value", "org", "all", None): None,
        },
    ),
)

REWORK = (
    Story(
        "a deployment is rework if an incident made it necessary or it carries an unplanned change",
        (
            deployed("01 09:00", "d0"),
            deployed("02 09:00", "d1", caused_by="INC-1"),
            opened("02 10:00", 1),
            seen("02 10:00", 1, branch="hotfix/now"),
            merged("02 11:00", 1),
            deployed("02 12:00", "d2"),
            opened("03 10:00", 2),
            seen("03 10:00", 2, labels=["revert"]),
            merged("03 11:00", 2),
            deployed("03 12:00", "d3"),
            opened("04 10:00", 3),
            seen("04 10:00", 3, body="Incident: INC-2"),
            merged("04 11:00", 3),
            deployed("04 12:00", "d4"),
            opened("05 10:00", 4),
            seen("05 10:00", 4, branch="feature/hotfix/now", labels=["hotfixes"]),
            merged("05 11:00", 4),
            deployed("05 12:00", "d5"),
            trouble("06 12:00", "i1", environment="staging"),
        ),
        {
            ("change", f"{SHOP}#1"): {"unplanned": True},
            ("change", f"{SHOP}#2"): {"unplanned": True},
            ("change", f"{SHOP}#3"): {"unplanned": True},
            ("change", f"{SHOP}#4"): {"unplanned": False},
            deployment("d1"): {"rework": True, "caused_by": "INC-1"},
            deployment("d2"): {"rework": True},
            deployment("d3"): {"rework": True},
            deployment("d4"): {"rework": True},
            deployment("d5"): {"rework": False},
        },
        metrics={("deployment_rework_rate", "value", "org", "all", 28): (4 / 6, 6)},
    ),
    Story(
        "a policy names its own patterns of rework and of what is exempt",
        (
            service(),
            declared(
                "Policy",
                "default",
                {"rework": {"branches": ["fire-*"], "labels": ["burning"]}, "exempt": {"labels": ["bot/*"]}},
            ),
            deployed("01 09:00", "d0"),
            opened("02 10:00", 1),
            seen("02 10:00", 1, branch="hotfix/now"),
            merged("02 11:00", 1),
            deployed("02 12:00", "d1"),
            opened("03 10:00", 2),
            seen("03 10:00", 2, branch="fire-drill", labels=["bot/deps"]),
            merged("03 11:00", 2),
            deployed("03 12:00", "d2"),
        ),
        {
            ("change", f"{SHOP}#1"): {"unplanned": False, "exempt": False},
            ("change", f"{SHOP}#2"): {"unplanned": True, "exempt": True},
            deployment("d1"): {"rework": False, "trace": "orphan"},
            deployment("d2"): {"rework": True, "trace": "exempt"},
        },
        metrics={
            ("traceability_coverage", "value", "team", "growth", 28): (0.0, 1),
            ("orphan_deployments", "value", "team", "growth", 28): (1.0, 1),
            ("ambiguous_deployments", "value", "team", "growth", 28): (0.0, 1),
        },
    ),
)

RECOVERIES = (*RECOVERY, *REWORK)
