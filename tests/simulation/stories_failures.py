"""Stories about incidents and rollbacks, and the deployment that each is put down to."""

from __future__ import annotations

from tests.simulation.story import (
    DAY,
    HOUR,
    SHOP,
    Story,
    declared,
    deployed,
    deployment,
    deployment_id,
    incident,
    rollback,
    rolled_back,
    trouble,
    us,
)

FAILURES = (
    Story(
        "an incident is put down to the latest successful production deployment of its service before it",
        (
            deployed("02 09:00", "d1"),
            deployed("02 10:00", "d2"),
            deployed("02 10:30", "d3", environment="staging"),
            deployed("02 10:40", "d4", what="failed"),
            deployed("02 10:50", "d5", repo="acme/other"),
            deployed("02 12:00", "d6"),
            trouble("02 11:00", "i1", severity="1", title="Down"),
            trouble("02 13:00", "i1", "resolved", severity="2", title="Was down"),
        ),
        {
            incident("i1"): {
                "kind": "incident",
                "service": SHOP,
                "deployment": deployment_id("d2"),
                "method": "window",
                "detected_at": us("02 11:00"),
                "resolved_at": us("02 13:00"),
                "severity": "2",
                "title": "Was down",
                "excluded": None,
            },
            deployment("d2"): {
                "failed": True,
                "failures": [incident("i1")[1]],
                "recovered_at": us("02 13:00"),
                "recovery_time": 3 * HOUR,
            },
            deployment("d1"): {"failed": False, "failures": [], "recovered_at": None, "recovery_time": None},
        },
        metrics={
            ("change_fail_rate", "value", "org", "all", 28): (2 / 5, 5),
            ("failed_deployment_recovery_time", "p50", "service", SHOP, 28): (2.1666666666666665 * HOUR, 2),
        },
    ),
    Story(
        "the attribution window is 72 hours, both ends included, unless the policy says otherwise",
        (
            deployed("02 09:00", "d1"),
            trouble("05 09:00", "i1"),
            trouble("05 09:00:00.000001", "i2"),
            trouble("02 09:00", "i3"),
            trouble("02 08:59", "i4"),
        ),
        {
            incident("i1"): {"deployment": deployment_id("d1"), "method": "window"},
            incident("i2"): {"deployment": None, "method": None},
            incident("i3"): {"deployment": deployment_id("d1")},
            incident("i4"): {"deployment": None},
            deployment("d1"): {"failures": [incident("i1")[1], incident("i3")[1]]},
        },
        metrics={("change_fail_rate", "value", "org", "all", 28): (1.0, 1)},
    ),
    Story(
        "a policy sets the attribution window as of the failure",
        (
            declared("Policy", "default", {"attributionWindow": "1h"}, since="03 00:00"),
            deployed("02 09:00", "d1"),
            trouble("02 11:00", "i1"),
            deployed("03 09:00", "d2"),
            trouble("03 10:00", "i2"),
            trouble("03 11:00", "i3"),
        ),
        {
            incident("i1"): {"deployment": deployment_id("d1")},
            incident("i2"): {"deployment": deployment_id("d2")},
            incident("i3"): {"deployment": None},
        },
    ),
    Story(
        "a named deployment is meant whenever and wherever it ended; one of the failure's own source comes first",
        (
            deployed("01 09:00", "d1", source="https://other.example"),
            deployed("01 08:00", "d1", source="https://pager.acme.example"),
            deployed("01 08:30", "d2", repo="acme/other", what="failed"),
            deployed("10 09:00", "d3"),
            deployed("10 10:00", "d4", environment="staging"),
            trouble("10 11:00", "i1", deployment="d1"),
            trouble("10 11:00", "i2", deployment="d2"),
            trouble("10 11:00", "i3", deployment="d4"),
            trouble("10 11:00", "i4", deployment="nowhere"),
            deployed("10 10:30", "d5", what="cancelled"),
            trouble("10 11:00", "i5", deployment="d5"),
        ),
        {
            incident("i1"): {
                "deployment": deployment_id("d1", source="https://pager.acme.example"),
                "method": "explicit",
            },
            incident("i2"): {"deployment": deployment_id("d2", repo="acme/other"), "method": "explicit"},
            incident("i3"): {"deployment": deployment_id("d3"), "method": "window"},
            incident("i4"): {"deployment": deployment_id("d3"), "method": "window"},
            incident("i5"): {"deployment": deployment_id("d3"), "method": "window"},
            deployment("d5"): {"failed": False},
        },
    ),
    Story(
        "of several deployments with the named id the latest is meant",
        (
            deployed("01 09:00", "d1", "c1"),
            deployed("01 10:00", "d1", "c2"),
            deployed("01 11:00", "d1", "c3", what="started"),
            trouble("02 09:00", "i1", deployment="d1"),
        ),
        {incident("i1"): {"deployment": deployment_id("d1", "c2"), "method": "explicit"}},
    ),
    Story(
        "a rollback is put down to what it names, else to what ran before it, never to itself",
        (
            deployed("02 09:00", "d1"),
            deployed("02 10:00", "d2"),
            deployed("02 11:00", "r1"),
            rolled_back("02 11:00", "r1"),
            deployed("03 09:00", "d3"),
            rolled_back("03 09:00", "r2"),
            rolled_back("03 10:00", "r3", "d1"),
            rolled_back("03 12:00", "r3", "d1"),
        ),
        {
            rollback("r1"): {
                "kind": "rollback",
                "deployment": deployment_id("d2"),
                "method": "window",
                "detected_at": us("02 11:00"),
            },
            rollback("r2"): {"deployment": deployment_id("r1"), "method": "window"},
            rollback("r3"): {
                "deployment": deployment_id("d1"),
                "method": "explicit",
                "detected_at": us("03 10:00"),
            },
            deployment("d2"): {"failed": True, "recovered_at": us("02 11:00"), "recovery_time": 1 * HOUR},
            deployment("d1"): {"recovery_time": 1 * DAY + 1 * HOUR},
            deployment("d3"): {"failed": False},
        },
    ),
    Story(
        "trouble of which neither service nor repository is known is put down to nothing",
        (
            deployed("02 09:00", "d1", repo=None),
            trouble("02 10:00", "i1", repo=None),
            trouble("02 10:00", "i2", repo=None, deployment="d1"),
        ),
        {
            incident("i1"): {"service": None, "team": None, "deployment": None},
            incident("i2"): {"service": None, "deployment": deployment_id("d1", repo=None)},
            deployment("d1", repo=None): {"service": "unknown", "failures": [incident("i2")[1]]},
        },
    ),
    Story(
        "trouble outside production is excluded",
        (
            deployed("02 09:00", "d1"),
            trouble("02 10:00", "i1", environment="staging"),
            trouble("02 10:00", "i2", environment="production"),
            trouble("02 10:00", "i3", environment="staging", deployment="d1"),
            rolled_back("02 11:00", "r1", environment="staging"),
        ),
        {
            incident("i1"): {"excluded": "not_production", "deployment": None, "method": None},
            incident("i2"): {"excluded": None, "deployment": deployment_id("d1")},
            incident("i3"): {"excluded": "not_production", "deployment": None},
            rollback("r1"): {"excluded": "not_production", "deployment": None},
            deployment("d1"): {"failures": [incident("i2")[1]]},
        },
    ),
)
