"""What is Linear's own in its poller: errors in the body, points, and cursors that go stale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.linear.poll import BELOW, PER_PAGE
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Query
from pipeline.log.memory import MemoryLog
from tests.connectors.linear.recorded import RECORDED, Space
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import NOW, Answer, serving

HOUR_LATER = str(round(NOW.timestamp() + 3600) * 1000)


@pytest.fixture
def space() -> Iterator[Asking]:
    with serving(Space()) as source, asking(RECORDED, source, MemoryLog()) as found:
        yield found


def _error(code: str) -> dict[str, Any]:
    return {"errors": [{"message": "no", "extensions": {"code": code}}]}


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Answer(400, {}, _error("RATELIMITED")), [60.0]),
        (
            Answer(
                400,
                {"x-ratelimit-requests-remaining": "0", "x-ratelimit-requests-reset": HOUR_LATER},
                _error("RATELIMITED"),
            ),
            [3600.0],
        ),
        (Answer(200, {}, _error("INTERNAL_SERVER_ERROR")), []),
        (Answer(200, {}, {"data": {"organization": None, "issues": None}}), []),
    ],
    ids=["limit", "limit-with-reset", "internal", "nothing"],
)
def test_errors_in_the_body_that_pass(space: Asking, fault: Answer, waits: list[float]) -> None:
    space.source.faults = {3: fault}
    assert space.backfill().error is None
    assert space.waited == waits
    assert space.told() == space.held()


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_key_that_was_revoked_is_named(space: Asking, status: int) -> None:
    space.source.faults = dict.fromkeys(range(1, 99), Answer(status, {}, _error("AUTHENTICATION_ERROR")))
    error = space.backfill().error
    assert isinstance(error, ConfigError)
    assert "connectors.linear.token" in str(error)
    assert len(space.source.asked) == 1


def test_it_rests_when_the_points_do_not_last_for_another_query(space: Asking) -> None:
    source = space.source
    assert isinstance(source, Space)
    answer = source.answer_post
    spent = {
        "x-complexity": "7000",
        "x-ratelimit-complexity-remaining": "6999",
        "x-ratelimit-complexity-reset": HOUR_LATER,
    }

    def costly(path: str, query: dict[str, str], body: Any) -> Answer:
        told = answer(path, query, body)
        return Answer(headers=spent, body=told.body) if len(source.asked) == 4 else told

    source.answer_post = costly  # type: ignore[method-assign]
    assert space.backfill().error is None
    assert space.waited == [3600.0]
    assert space.told() == space.held()


def test_a_cursor_whose_issue_is_gone_begins_anew(space: Asking) -> None:
    space.source.faults = {1: Answer(200, {}, _error("INPUT_ERROR"))}
    pages = RECORDED.poller.pages(space.polling._client, Query(scope="", now=NOW), Checkpoint(cursor="issues gone"))
    kinds = [delivery.kind for page in pages for delivery in page.deliveries]
    assert kinds.count("graphql.issues") == 5
    space.source.faults = dict.fromkeys(range(1, 99), Answer(200, {}, _error("INPUT_ERROR")))
    with pytest.raises(ConfigError, match="INPUT_ERROR"):
        list(RECORDED.poller.pages(space.polling._client, Query(scope="", now=NOW), Checkpoint()))


def test_a_team_narrows_the_search(space: Asking) -> None:
    asked: list[dict[str, Any]] = []
    source = space.source
    assert isinstance(source, Space)
    answer = source.answer_post

    def note(path: str, query: dict[str, str], body: Any) -> Answer:
        asked.append(body["variables"].get("filter", {}))
        return answer(path, query, body)

    source.answer_post = note  # type: ignore[method-assign]
    assert space.polling.backfill(["ENG"], since=NOW, until=NOW)[0].error is None
    bounds = {"updatedAt": {"gte": "2026-11-23T12:00:00Z"}, "createdAt": {"lt": "2026-11-23T12:00:00Z"}}
    assert asked == [
        {**bounds, "team": {"key": {"eq": "ENG"}}},
        {**bounds, "accessibleTeams": {"some": {"key": {"eq": "ENG"}}}},
        bounds,
    ]
    (report,) = space.polling.backfill(["eng team"])
    assert isinstance(report.error, ConfigError)
    assert not isinstance(report.error, Retryable)


def test_a_page_costs_less_than_linear_allows() -> None:
    """A property costs 0.1, an object 1, and a list as much as its elements; 10,000 is the limit."""
    issue = 1 + 14 * 0.1 + 6 * 1.2
    below = BELOW * ((1 + 0.1 + 2 * 1.1 + 1.1 + 1.2) + 2 * (1 + 0.2 + 2 * 1.2) + 1.1)
    assert PER_PAGE * (issue + below) < 9_000


@pytest.mark.parametrize(("token", "shown"), [("lin_api_x", "lin_api_x"), ("lin_oauth_x", "Bearer lin_oauth_x")])
def test_how_a_token_is_shown(token: str, shown: str) -> None:
    with RECORDED.poller.client(Access(token=token)) as client:
        assert client.headers["authorization"] == shown
        assert client.base_url.host == "api.linear.app"
