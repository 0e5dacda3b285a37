"""What is GitLab's own in its poller: keysets of time, lists that are switched off, ETags, a pinned branch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access
from pipeline.log.memory import MemoryLog
from tests.connectors.gitlab.recorded import PROJECT, RECORDED, Lab
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import NOW, Answer, serving


@pytest.fixture
def lab() -> Iterator[Asking]:
    with serving(Lab()) as source, asking(RECORDED, source, MemoryLog()) as found:
        yield found


def _queries(lab: Asking, name: str) -> list[dict[str, str]]:
    found = [urlsplit(target) for target in lab.source.asked]
    return [
        {key: values[0] for key, values in parse_qs(parts.query).items()}
        for parts in found
        if parts.path.endswith(f"snowflake_spend/{name}")
    ]


def test_each_page_begins_at_the_update_of_the_last_item(lab: Asking) -> None:
    lab.backfill(until=NOW)
    asked = _queries(lab, "merge_requests")
    assert {(query["order_by"], query["sort"], query["page"]) for query in asked} == {("updated_at", "asc", "1")}
    bounds = [query.get("updated_after", "") for query in asked]
    assert bounds == sorted(set(bounds)), "each later than the one before"
    assert bounds[:2] == ["", "2019-08-26T15:37:49.575Z"]


def test_bounds_are_told_to_gitlab(lab: Asking) -> None:
    lab.backfill(since=NOW - timedelta(days=60), until=NOW - timedelta(days=30))
    for name in ("merge_requests", "issues", "pipelines", "deployments"):
        (query,) = _queries(lab, name)
        assert query["updated_after"] == "2026-09-24T12:00:00Z"
        assert query["created_before"] == "2026-10-24T12:00:00Z"
    commits = _queries(lab, "repository/commits")[-1]
    assert (commits["since"], commits["until"]) == ("2026-09-17T12:00:00Z", "2026-10-24T12:00:00Z")


def test_what_a_project_has_switched_off_is_left_out(lab: Asking) -> None:
    source = lab.source
    assert isinstance(source, Lab)
    answer = source.answer

    def refuse(path: str, query: dict[str, str]) -> Answer:
        off = path.endswith(("/issues", "/pipelines", "/deployments", "/releases"))
        return Answer(403, body={"message": "403 Forbidden"}) if off else answer(path, query)

    source.answer = refuse  # type: ignore[method-assign]
    assert lab.backfill().error is None
    kinds = {delivery.kind for delivery in lab.deliveries()}
    assert kinds == {
        "rest.merge_request_commits",
        "rest.merge_request_notes",
        "rest.merge_request_approvals",
        "rest.commits",
    }


def test_releases_that_have_not_changed_are_not_read_again(lab: Asking) -> None:
    statuses: list[tuple[str, int]] = []
    lab.polling._client.event_hooks["response"].append(
        lambda answer: statuses.append((answer.url.path.rpartition("/")[2], answer.status_code))
    )
    lab.backfill()
    assert ("releases", 200) in statuses
    statuses.clear()
    lab.backfill()
    assert {status for name, status in statuses if name == "releases"} == {304}


def test_a_query_that_leaves_out_the_past_hides_no_release_from_the_next(lab: Asking) -> None:
    lab.backfill(since=NOW - timedelta(days=1))
    lab.backfill()
    assert "rest.releases" in {delivery.kind for delivery in lab.deliveries()}


def test_a_push_while_commits_are_read_shifts_no_page(lab: Asking) -> None:
    source = lab.source
    assert isinstance(source, Lab)
    heads = []
    answer = source.answer

    def pinned(path: str, query: dict[str, str]) -> Answer:
        if path.endswith("/repository/commits"):
            heads.append(query["ref_name"])
        return answer(path, query)

    source.answer = pinned  # type: ignore[method-assign]
    lab.backfill(until=NOW)
    head = source.lists["repository/commits"][0]["id"]
    assert heads == ["master", head, head, head]


def test_a_moved_project_is_followed_with_the_token() -> None:
    with serving(Lab()) as source:
        answer = source.answer

        def moved(path: str, query: dict[str, str]) -> Answer:
            if "old%2Fname" in path:
                now = path.replace("old%2Fname", "gitlab-data%2Fsnowflake_spend")
                return Answer(301, {"location": f"{now}?{urlencode(query)}"})
            return answer(path, query)

        source.answer = moved  # type: ignore[method-assign]
        with asking(RECORDED, source, MemoryLog()) as lab:
            assert lab.polling.backfill(["old/name"])[0].error is None
            assert lab.told() == lab.held()
        assert source.tokens == {RECORDED.shown}


@pytest.mark.parametrize(
    "scope", ["shop", "acme/", "/acme/shop", "acme/shop/../other?", "https://gitlab.com/acme/shop"]
)
def test_a_scope_that_is_no_project_is_named(lab: Asking, scope: str) -> None:
    (report,) = lab.polling.backfill([scope])
    assert isinstance(report.error, ConfigError)
    assert "write GROUP/PROJECT" in str(report.error)


@pytest.mark.parametrize(
    "url", ["https://git.example.com", "https://git.example.com/api/v4", "https://git.example.com/"]
)
def test_an_address_may_name_the_api_or_the_page(url: str) -> None:
    with RECORDED.poller.client(Access(url=url)) as client:
        assert str(client.base_url) == "https://git.example.com/api/v4/"
        assert "authorization" not in client.headers
    assert PROJECT in RECORDED.scope
