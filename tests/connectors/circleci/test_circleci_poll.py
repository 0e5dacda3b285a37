"""What is CircleCI's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.polling import Checkpoint
from pipeline.events.types import DeploymentEvent
from tests.connectors.circleci.recorded import RECORDED, Circle
from tests.connectors.polled import bodies, events, memory, read
from tests.ingest.sources import NOW, serving

DAY = timedelta(days=1)


@pytest.fixture
def circle() -> Iterator[Circle]:
    with serving(Circle()) as source:
        yield source


def test_a_workflow_that_waits_for_long_is_found_when_it_ends(circle: Circle) -> None:
    circle.change(NOW - 5 * DAY)
    waiting = circle.workflows[-1]
    waiting.update(status="on_hold", stopped_at=None)
    remembered = memory(read(RECORDED, circle))
    assert remembered == {waiting["pipeline_id"]: (NOW - 5 * DAY).isoformat()}
    waiting.update(status="success", stopped_at="2026-11-23T11:00:00Z")
    pages = read(RECORDED, circle, since=NOW - DAY / 24, checkpoint=Checkpoint(memory=remembered))
    (told,) = bodies(pages)
    assert [(each["id"], each["status"]) for each in told["items"]] == [(waiting["id"], "success")]
    assert memory(pages) == {waiting["pipeline_id"]: ""}, "it is over, and need not be asked for again"


def test_an_approval_that_never_comes_is_forgotten(circle: Circle) -> None:
    circle.change(NOW - 31 * DAY)
    circle.workflows[-1].update(status="on_hold", stopped_at=None)
    assert memory(read(RECORDED, circle)) == {}


def test_a_pipeline_that_is_gone_is_forgotten(circle: Circle) -> None:
    known = {"gone": (NOW - 9 * DAY).isoformat()}
    assert memory(read(RECORDED, circle, since=NOW - DAY, checkpoint=Checkpoint(memory=known))) == {"gone": ""}


def test_a_page_token_that_is_no_longer_known_begins_again(circle: Circle) -> None:
    pages = read(RECORDED, circle)
    cursor = pages[5].cursor
    token, _, pipeline = cursor.partition(" ")
    assert token
    assert pipeline
    again = read(RECORDED, circle, checkpoint=Checkpoint(cursor=cursor))
    assert bodies(again) == bodies(pages[6:])

    circle.stale = token
    circle.asked.clear()
    assert bodies(read(RECORDED, circle, checkpoint=Checkpoint(cursor=cursor))) == bodies(pages)
    assert "page-token" in circle.asked[0]
    assert "page-token" not in circle.asked[1]


def test_jobs_know_their_pipeline(circle: Circle) -> None:
    told = events(RECORDED, read(RECORDED, circle))
    commits = {event.data.sha for event in told if isinstance(event.data, DeploymentEvent)}
    assert len(commits) > 1
    assert all(len(sha or "") == 40 for sha in commits), "a job alone does not tell its commit"


@pytest.mark.parametrize("scope", ["acme/site", "gh/acme/site/more", ""])
def test_a_scope_that_is_no_slug_is_refused(circle: Circle, scope: str) -> None:
    with pytest.raises(ConfigError, match="write its slug"):
        read(RECORDED, circle, scope)
    assert circle.asked == []
