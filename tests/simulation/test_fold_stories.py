"""The fold gives every story the facts and metrics that the definitions give it."""

from __future__ import annotations

import pytest

from pipeline.metrics.windows import read_metrics
from tests.simulation.folding import facts_of, fold, latest_of
from tests.simulation.stories import STORIES
from tests.simulation.story import Story, moment


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("order", ["told", "reversed"])
def test_story_has_its_facts_and_metrics(story: Story, order: str) -> None:
    events = list(story.events) if order == "told" else list(reversed(story.events))
    state = fold(events, size=3 if order == "reversed" else None, restart=True)

    for (kind, key), fields in story.facts.items():
        fact = facts_of(state, kind).get(key)
        assert fact is not None, f"{kind} {key} is missing"
        assert {name: getattr(fact, name) for name in fields} == dict(fields), f"{kind} {key}"
    for kind, key in story.absent:
        assert key not in facts_of(state, kind)
    points = {
        (point.metric, point.stat, point.scope_kind, point.scope, point.window_days): (point.value, point.n)
        for point in read_metrics(state, moment(story.as_of), latest=latest_of(events))
    }
    for metric, expected in story.metrics.items():
        assert points.get(metric) == (None if expected is None else pytest.approx(expected)), metric
