"""What is Bitbucket's own in its poller: links to pages, queries, and tokens of two kinds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access
from pipeline.log.memory import MemoryLog
from tests.connectors.bitbucket_cloud.recorded import RECORDED, Bucket
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import NOW, Answer, serving


@pytest.fixture
def bucket() -> Iterator[Asking]:
    with serving(Bucket()) as source, asking(RECORDED, source, MemoryLog()) as found:
        yield found


def test_bounds_are_told_in_its_query_language(bucket: Asking) -> None:
    bucket.backfill(since=NOW - timedelta(days=60), until=NOW - timedelta(days=30))
    (listed,) = [unquote_plus(target) for target in bucket.source.asked if "/pullrequests?" in target]
    assert 'state = "SUPERSEDED"' in listed
    assert "(updated_on >= 2026-09-24T12:00:00Z) AND (created_on < 2026-10-24T12:00:00Z)" in listed
    assert "state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED" in listed


def test_the_token_is_not_shown_where_a_link_leads_elsewhere(bucket: Asking) -> None:
    source = bucket.source
    assert isinstance(source, Bucket)
    answer = source.answer

    def lead_astray(path: str, query: dict[str, str]) -> Answer:
        if path.endswith("/activity"):
            return Answer(body={"values": [], "next": "https://elsewhere.example/2.0/activity"})
        return answer(path, query)

    source.answer = lead_astray  # type: ignore[method-assign]
    error = bucket.backfill().error
    assert isinstance(error, ConfigError)
    assert "elsewhere.example" in str(error)


def test_a_repository_without_pipelines_is_read_all_the_same(bucket: Asking) -> None:
    source = bucket.source
    assert isinstance(source, Bucket)
    answer = source.answer

    def refuse(path: str, query: dict[str, str]) -> Answer:
        return Answer(404, body={}) if "/pipelines" in path or "/deployments" in path else answer(path, query)

    source.answer = refuse  # type: ignore[method-assign]
    assert bucket.backfill().error is None
    assert {delivery.kind for delivery in bucket.deliveries()} == {
        "rest.pullrequest_commits",
        "rest.pullrequest_activity",
        "rest.commits",
    }


def test_an_approval_that_moves_no_update_time_is_found(bucket: Asking) -> None:
    source = bucket.source
    assert isinstance(source, Bucket)
    assert bucket.backfill().error is None
    person = source.lists["pullrequests"][0]["author"]
    approval = {"date": "2026-11-23T12:01:00.000000+00:00", "user": person}
    source.lists["activity"].insert(0, {"approval": approval, "pull_request": {"id": 40}})
    report = bucket.polling.poll(RECORDED.scope)
    assert (report.error, report.new) == (None, 1)
    assert bucket.told() == bucket.held()


@pytest.mark.parametrize(("token", "shown"), [(None, None), ("me:app", "Basic bWU6YXBw"), ("ATCTT3", "Bearer ATCTT3")])
def test_how_a_token_is_shown(token: str | None, shown: str | None) -> None:
    with RECORDED.poller.client(Access(token=token)) as client:
        assert client.headers.get("authorization") == shown
        assert str(client.base_url) == "https://api.bitbucket.org/2.0/"
