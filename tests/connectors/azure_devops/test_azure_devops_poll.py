"""What is Azure DevOps' own in its poller: its way to refuse a token, the host of releases, counted requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.azure_devops.boards import recycled_at
from connectors.azure_devops.poll import _release_host
from pipeline.events.errors import ConfigError, Retryable
from pipeline.log.memory import MemoryLog
from tests.connectors.azure_devops.recorded import RECORDED, Collection
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import NOW, Answer, serving


@pytest.fixture
def azure() -> Iterator[Asking]:
    with serving(Collection()) as source, asking(RECORDED, source, MemoryLog()) as found:
        yield found


@pytest.mark.parametrize("status", [203, 302])
def test_the_page_to_sign_in_means_that_the_token_is_of_no_use(azure: Asking, status: int) -> None:
    azure.source.faults = dict.fromkeys(range(1, 99), Answer(status, {}, "<html>Sign in</html>"))
    error = azure.backfill().error
    assert isinstance(error, ConfigError)
    assert "connectors.azure_devops.token" in str(error)
    assert len(azure.source.asked) == 1


def test_an_answer_that_asks_for_a_rest_is_kept_and_the_rest_too(azure: Asking) -> None:
    source = azure.source
    assert isinstance(source, Collection)
    project = Answer(headers={"retry-after": "5"}, body={"id": "6ce954b1", "name": "Fiber"})
    source.faults = {1: project}
    assert azure.backfill().error is None
    assert azure.waited == [5.0]
    assert azure.told() == azure.held()


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://dev.azure.com/acme/", "https://vsrm.dev.azure.com/acme"),
        ("https://acme.visualstudio.com/", "https://acme.vsrm.visualstudio.com"),
        ("https://tfs.example.com/DefaultCollection/", ""),
    ],
)
def test_classic_releases_are_at_a_host_of_their_own(base: str, host: str) -> None:
    assert _release_host(base) == host


def test_a_poll_reads_what_is_open_and_what_was_closed_since(azure: Asking) -> None:
    azure.backfill(since=NOW - timedelta(days=1), until=NOW)
    listed = [target for target in azure.source.asked if "/git/pullrequests" in target]
    assert "searchCriteria.status=all" in listed[0]
    assert "searchCriteria.queryTimeRangeType=closed" in listed[0]
    assert any("searchCriteria.status=active" in target for target in listed)
    pulls = [target for target in azure.source.asked if "/threads" in target]
    assert len(pulls) == 2, "the two that are open"


def test_a_work_item_that_was_destroyed_meanwhile_hides_no_other(azure: Asking) -> None:
    source = azure.source
    assert isinstance(source, Collection)

    def destroy(_: int, path: str) -> None:
        if path.endswith("/wit/workitemsbatch") and source.lists["items"][0]["id"] == 5:
            del source.lists["items"][0]

    source.before = destroy
    assert azure.backfill().error is None
    assert azure.told() == azure.held()


def test_a_refused_list_within_the_project_is_not_the_end(azure: Asking) -> None:
    source = azure.source
    assert isinstance(source, Collection)
    below = source.answer

    def refuse(path: str, query: dict[str, str]) -> Answer:
        return Answer(403, body={}) if "/release/" in path or "/recyclebin" in path else below(path, query)

    source.answer = refuse  # type: ignore[method-assign]
    assert azure.backfill().error is None
    assert not {delivery.kind for delivery in azure.deliveries()} & {"rest.deployments", "rest.recyclebin"}


def test_a_pull_request_without_a_repository_is_nothing_of_azures(azure: Asking) -> None:
    source = azure.source
    assert isinstance(source, Collection)
    for pull in source.lists["pulls"]:
        pull.pop("repository")
    assert isinstance(azure.backfill().error, Retryable)


@pytest.mark.parametrize(
    ("told", "instant"),
    [
        ("1/31/2017 9:21:14 PM", "2017-01-31T21:21:14+00:00"),
        ("05/06/2022 08:55:27", "2022-05-06T08:55:27+00:00"),
        ("2022-05-06T08:55:27Z", None),
        ("", None),
    ],
)
def test_dates_of_the_recycle_bin(told: str, instant: str | None) -> None:
    found = recycled_at(told)
    assert (found.isoformat() if found else None) == instant
