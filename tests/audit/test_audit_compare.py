from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from pipeline.audit.compare import compare_facts, compare_metrics
from pipeline.audit.load import scratch
from pipeline.audit.verdict import Verdict, audit
from pipeline.cli.audit import show
from pipeline.cli.output import Format
from pipeline.events.times import to_us
from pipeline.facts.rows import FACTS, ChangeFact, DeploymentFact, Fact
from pipeline.metrics.catalogue import MetricPoint
from tests.audit.auditing import log_of, recomputed, rows
from tests.simulation.stories import STORIES
from tests.simulation.story import SEED, SHOP, deployed, merged, moment, opened, seen

EVENTS = [
    deployed("01 09:00", "d0"),
    opened("02 09:00", 1),
    seen("02 09:00", 1, title="GROW-1 faster", labels=["b", "a"]),
    merged("02 10:00", 1),
    deployed("02 11:00", "d1"),
]
AS_OF = moment("28 12:00")


def facts_of(connection: Any, kind: str) -> list[Fact]:
    """The audit's own rows as the fold would hold them."""
    return [msgspec.convert(row, FACTS[kind], from_attributes=True) for row in structs(rows(connection, f"audit_{kind}"), kind)]
