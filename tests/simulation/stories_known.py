"""Stories about what is known: whether anything could tell a failure, and when what is open is what was open."""

from __future__ import annotations

from tests.simulation.story import (
    HOUR,
    SHOP,
    Story,
    committed,
    deployed,
    deployment,
    incident,
    opened,
    rolled_back,
    trouble,
)

OTHER = "acme/ledger"

EVIDENCE = (
    Story(
        "nothing that could tell a failure: throughput is known, instability is not",
        (
            committed("c0", "20 08:00"),
            deployed("20 09:00", "d0", "c0"),
            deployed("21 09:00", "d1", caused_by="INC-1"),
            deployed("22 09:00", "d2", what="failed", environment="staging"),
            deployed("23 09:00", "d3", what="cancelled"),
        ),
        {deployment("d1"): {"rework": True}, deployment("d2", environment="staging"): {"failed": False}},
        metrics={
            ("deployment_frequency", "value", "org", "all", 28): (2 / 28, 2),
            ("change_fail_rate", "value", "org", "all", 28): None,
            ("change_fail_rate", "value", "service", SHOP, 90): None,
            ("deployment_rework_rate", "value", "org", "all", 28): None,
            ("failed_deployment_recovery_time", "p50", "org", "all", 28): None,
            ("open_recoveries", "value", "org", "all", None): None,
        },
    ),
    Story(
        "one incident, even one that does not count, tells that failures would be told, in every scope",
        (
            deployed("20 09:00", "d0"),
            deployed("20 10:00", "e0", repo=OTHER),
            trouble("27 09:00", "i1", environment="staging", repo=OTHER),
        ),
        {incident("i1"): {"excluded": "not_production", "deployment": None}},
        metrics={
            ("change_fail_rate", "value", "org", "all", 28): (0.0, 2),
            ("change_fail_rate", "value", "service", SHOP, 28): (0.0, 1),
            ("deployment_rework_rate", "value", "service", SHOP, 28): (0.0, 1),
        },
    ),
    Story(
        "one rollback tells it, whatever it undid",
        (deployed("20 09:00", "d0"), rolled_back("10 09:00", "r1", "unknown")),
        metrics={
            ("change_fail_rate", "value", "org", "all", 28): (0.0, 1),
            ("deployment_rework_rate", "value", "org", "all", 28): (0.0, 1),
        },
    ),
    Story(
        "one failed production deployment tells it, however long ago, and also of what came before",
        (
            deployed("01 09:00", "e0", repo=OTHER, what="failed"),
            deployed("27 09:00", "d0"),
        ),
        metrics={
            ("change_fail_rate", "value", "org", "all", 7): (0.0, 1),
            ("change_fail_rate", "value", "org", "all", 28): (0.5, 2),
            ("deployment_rework_rate", "value", "service", SHOP, 7): (0.0, 1),
        },
    ),
    Story(
        "a deployment that fails after its success tells it, also as of before",
        (
            deployed("20 09:00", "d0"),
            deployed("21 09:00", "e0", repo=OTHER),
            deployed("21 10:00", "e0", repo=OTHER, what="failed"),
        ),
        metrics={
            ("change_fail_rate", "value", "service", SHOP, 28): (0.0, 1),
            ("change_fail_rate", "value", "service", OTHER, 28): None,
        },
        as_of="20 12:00",
    ),
    Story(
        "what fails and then turns out not to have failed tells nothing",
        (deployed("20 09:00", "d0", what="failed"), deployed("20 10:00", "d0")),
        {deployment("d0"): {"outcome": "success", "failed": False}},
        metrics={
            ("deployment_frequency", "value", "org", "all", 28): (1 / 28, 1),
            ("change_fail_rate", "value", "org", "all", 28): None,
        },
    ),
)

OPEN = (
    Story(
        "what was open before the latest event is not known",
        (
            opened("10 09:00", 1),
            deployed("11 09:00", "d1", what="failed"),
            opened("12 09:00", 2),
        ),
        metrics={
            ("open_changes", "value", "org", "all", None): None,
            ("open_changes", "p50", "service", SHOP, None): None,
            ("open_recoveries", "value", "org", "all", None): None,
            ("change_fail_rate", "value", "org", "all", 28): (1.0, 1),
        },
        as_of="12 08:59:59.999999",
    ),
    Story(
        "what is open at the latest event is known",
        (
            opened("10 09:00", 1),
            deployed("11 09:00", "d1", what="failed"),
            opened("12 09:00", 2),
        ),
        metrics={
            ("open_changes", "value", "org", "all", None): (2.0, 2),
            ("open_changes", "p50", "org", "all", None): (24 * HOUR, 2),
            ("open_recoveries", "value", "org", "all", None): (1.0, 1),
        },
        as_of="12 09:00",
    ),
)

KNOWN = (*EVIDENCE, *OPEN)
