from __future__ import annotations

import random

import pytest

from pipeline.facts.rows import FACTS
from pipeline.metrics.catalogue import CATALOGUE
from tests.audit.auditing import EVENTS, recomputed, rows
from tests.simulation.stories import STORIES
from tests.simulation.story import Story, moment


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_audit_tells_a_story_as_the_definitions_do(story: Story) -> None:
    with recomputed(story.events, moment(story.as_of)) as connection:
        facts = {(kind, row["id"]): row for kind in FACTS for row in rows(connection, f"audit_{kind}")}
        points = {
            (row["metric"], row["stat"], row["scope_kind"], row["scope"], row["window_days"]): (row["value"], row["n"])
            for row in rows(connection, "audit_metric")
        }
    assert story.mismatches(facts, points) == []


def test_every_metric_and_every_kind_of_fact_has_a_story() -> None:
    told = {metric for story in STORIES for (metric, *_), expected in story.metrics.items() if expected is not None}
    assert told == {metric.name for metric in CATALOGUE}
    assert {kind for story in STORIES for kind, _ in story.facts} == set(FACTS)
    assert len({story.name for story in STORIES}) == len(STORIES)


def test_the_order_in_which_events_arrive_and_their_repetition_change_nothing() -> None:
    events = [*EVENTS, *(event for story in STORIES for event in story.events)]
    shuffled = random.Random(7).sample(events, len(events)) + events[:20]
    with recomputed(events) as connection, recomputed(shuffled) as other:
        for table in [*(f"audit_{kind}" for kind in FACTS), "audit_metric"]:
            once, again = rows(connection, table), rows(other, table)
            assert once
            assert sorted(map(str, once)) == sorted(map(str, again))


def test_an_audit_row_has_the_fields_of_the_fact() -> None:
    with recomputed(STORIES[0].events) as connection, connection.cursor() as cursor:
        for kind, fact in FACTS.items():
            columns = [column[0] for column in cursor.execute(f"from audit_{kind}").description or ()]
            assert columns == [name for name in fact.__struct_fields__ if name != "evidence"]
