"""Stories about the contract as of an event's time, and about windows, percentiles and what is absent."""

from __future__ import annotations

from tests.simulation.story import (
    DAY,
    HOUR,
    SHOP,
    Story,
    change,
    commit,
    committed,
    declared,
    deployed,
    deployment,
    incident,
    merged,
    opened,
    reviewed,
    seen,
    service,
    trouble,
    us,
)

OWNERSHIP = (
    Story(
        "a re-organisation does not rewrite history: owners hold as of the event",
        (
            service(owner="growth"),
            service(owner="core", at="01 00:00", since="10 00:00"),
            deployed("09 23:59:59", "d1"),
            deployed("10 00:00", "d2"),
            trouble("10 01:00", "i1"),
        ),
        {
            deployment("d1"): {"service": "shop", "team": "growth"},
            deployment("d2"): {"service": "shop", "team": "core"},
            incident("i1"): {"service": "shop", "team": "core"},
        },
        metrics={
            ("deployment_frequency", "value", "team", "growth", 28): (1 / 28, 1),
            ("change_fail_rate", "value", "team", "growth", 28): (0.0, 1),
            ("change_fail_rate", "value", "team", "core", 28): (1.0, 1),
        },
    ),
    Story(
        "before its first version and after its withdrawal an object does not exist; a later declaration wins a tie",
        (
            service(owner="growth", since="05 00:00"),
            service(owner="core", since="05 00:00", at="02 00:00"),
            declared("Service", "shop", None, since="10 00:00"),
            deployed("04 09:00", "d1"),
            deployed("05 09:00", "d2"),
            deployed("10 09:00", "d3"),
        ),
        {
            deployment("d1"): {"service": SHOP, "team": None},
            deployment("d2"): {"service": "shop", "team": "core"},
            deployment("d3"): {"service": SHOP, "team": None},
        },
        metrics={
            ("deployment_frequency", "value", "team", "growth", 28): None,
            ("deployment_frequency", "value", "team", "core", 28): (1 / 28, 1),
            ("deployment_frequency", "value", "service", SHOP, 28): (2 / 28, 2),
            ("deployment_frequency", "value", "org", "all", 28): (3 / 28, 3),
        },
    ),
    Story(
        "a service by its name, else by its repository, else as the source says",
        (
            service("shop"),
            service("pay", repos=["acme/pay", "acme/both"]),
            service("mail", repos=["acme/both"]),
            deployed("02 09:00", "d1", service="pay"),
            deployed("02 09:00", "d2", service="Shop Frontend"),
            deployed("02 09:00", "d3", repo="acme/both", service="worker"),
            deployed("02 09:00", "d4", repo="acme/both"),
            deployed("02 09:00", "d5", repo=None),
        ),
        {
            deployment("d1", service="pay"): {"service": "pay"},
            deployment("d2", service="Shop Frontend"): {"service": "shop"},
            deployment("d3", repo="acme/both", service="worker"): {"service": "worker"},
            deployment("d4", repo="acme/both"): {"service": "acme/both"},
            deployment("d5", repo=None): {"service": "unknown", "team": None},
        },
    ),
    Story(
        "a service's declared environments are the only production it has",
        (
            service(environments={"production": ["Blue", "green"]}),
            deployed("02 09:00", "d1", environment="BLUE"),
            deployed("02 10:00", "d2", environment="production"),
            deployed("02 11:00", "d3", environment="green"),
        ),
        {
            deployment("d1", environment="BLUE"): {"production": True},
            deployment("d2"): {"production": False, "seed": False},
            deployment("d3", environment="green"): {"production": True},
        },
        metrics={("deployment_frequency", "value", "service", "shop", 7): None},
    ),
)

WINDOWS = (
    Story(
        "a window is whole UTC days and ends with the day of as-of",
        (
            deployed("01 23:59:59", "d1"),
            deployed("02 00:00", "d2"),
            deployed("21 23:59:59.999999", "d3"),
            deployed("22 00:00", "d4"),
            deployed("28 23:59:59.999999", "d5"),
            deployed("29 00:00", "d6"),
        ),
        metrics={
            ("deployment_frequency", "value", "org", "all", 7): (2 / 7, 2),
            ("deployment_frequency", "value", "org", "all", 28): (5 / 28, 5),
            ("deployment_frequency", "value", "org", "all", 90): (5 / 90, 5),
            ("change_fail_rate", "value", "org", "all", 7): None,
            ("change_lead_time", "p50", "org", "all", 28): None,
            ("traceability_coverage", "value", "org", "all", 28): None,
            ("orphan_deployments", "value", "org", "all", 28): None,
            ("open_changes", "value", "org", "all", None): None,
        },
    ),
    Story(
        "percentiles interpolate between the exact values",
        (
            committed("c0", "01 08:00"),
            deployed("01 09:00", "d0", "c0"),
            *(committed(f"c{hour}", f"02 0{9 - hour}:00", f"c{hour - 1}") for hour in range(1, 6)),
            deployed("02 09:00", "d1", "c5"),
        ),
        {commit("c5"): {"lead_time": 5 * HOUR}},
        metrics={
            ("change_lead_time", "p50", "org", "all", 28): (3 * HOUR, 5),
            ("change_lead_time", "p85", "org", "all", 28): (4.4 * HOUR, 5),
            ("change_lead_time", "p95", "service", SHOP, 90): (4.8 * HOUR, 5),
            ("coding_time", "p50", "org", "all", 28): None,
        },
    ),
    Story(
        "the parts of the lead time are measured over the same changes, each where both of its ends are known",
        (
            deployed("01 09:00", "d0"),
            committed("c1", "02 07:00"),
            opened("02 09:00", 1),
            seen("02 09:00", 1, head_sha="c1"),
            reviewed("02 10:00", 1),
            merged("02 13:00", 1),
            opened("02 09:00", 2),
            merged("02 14:00", 2),
            deployed("02 18:00", "d1"),
        ),
        metrics={
            ("change_lead_time", "p50", "org", "all", 28): (10 * HOUR, 2),
            ("coding_time", "p50", "org", "all", 28): (2 * HOUR, 1),
            ("pickup_time", "p85", "org", "all", 28): (1 * HOUR, 1),
            ("review_time", "p95", "service", SHOP, 28): (3 * HOUR, 1),
            ("deploy_time", "p50", "org", "all", 28): (4.5 * HOUR, 2),
            ("change_lead_time", "p50", "org", "all", 7): None,
        },
    ),
    Story(
        "what is open is looked at as a whole, however old; commits are never open",
        (
            committed("c1", "01 09:00"),
            committed("c2", "02 09:00"),
            opened("10 09:00", 1),
            seen("10 09:00", 1, head_sha="c1"),
            opened("12 12:00", 2),
            merged("13 09:00", 2, "gone"),
            seen("14 09:00", 3),
        ),
        {
            change(1): {"status": "open", "authored_at": us("01 09:00"), "deployed_at": None},
            change(2): {"status": "merged", "deployed_at": None},
            change(3): {"status": "open", "created_at": None},
        },
        metrics={
            ("open_changes", "value", "org", "all", None): (2.0, 2),
            ("open_changes", "p50", "org", "all", None): (((27 * DAY + 3 * HOUR) + 16 * DAY) / 2, 2),
            ("open_changes", "value", "service", SHOP, None): (2.0, 2),
        },
        absent=(commit("c2"),),
    ),
)

SCOPES = (*OWNERSHIP, *WINDOWS)
