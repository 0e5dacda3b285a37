"""What is Jenkins' own in its poller: folders, builds that vanish, plugins that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access
from pipeline.log.memory import MemoryLog
from tests.connectors.jenkins.recorded import RECORDED, Farm
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import NOW, serving

FREESTYLE = "Test-jenkins-dir/test-jenkins-sub-dir/test-sub-sub-dir/devlake"


@pytest.fixture
def farm() -> Iterator[Asking]:
    with serving(Farm()) as source, asking(RECORDED, source, MemoryLog()) as found:
        yield found


def _jobs(farm: Asking) -> set[str]:
    return {delivery.headers["x-leadline-job"] for delivery in farm.deliveries()}


def test_a_scope_is_a_job_or_a_folder(farm: Asking) -> None:
    reports = farm.polling.backfill([FREESTYLE, "github_org/devlake-jenkins", "github_org/nothing"], until=NOW)
    assert [type(report.error) for report in reports] == [type(None), type(None), ConfigError]
    assert "connectors.jenkins.poll.scopes" in str(reports[2].error)
    assert _jobs(farm) == set(_farm(farm).jobs)


def _farm(farm: Asking) -> Farm:
    assert isinstance(farm.source, Farm)
    return farm.source


def test_builds_that_vanish_while_they_are_read_hide_no_other(farm: Asking) -> None:
    source = _farm(farm)
    kept = {build["number"] for build in source.jobs[FREESTYLE][2:]}

    def vanish(_: int, path: str) -> None:
        builds = source.jobs[FREESTYLE]
        if path.endswith("/job/devlake/api/json") and len(source.asked) > 6 and builds[0]["number"] == 10005:
            del builds[:2]

    source.before = vanish
    assert farm.backfill().error is None
    assert source.jobs[FREESTYLE][0]["number"] == 10003
    told = [delivery.body for delivery in farm.deliveries() if delivery.headers["x-leadline-job"] == FREESTYLE]
    assert all(any(b'"number":%d,' % number in body for body in told) for number in kept)


def test_without_the_plugin_there_are_no_stages(farm: Asking) -> None:
    _farm(farm).stages.clear()
    assert farm.backfill().error is None
    assert {delivery.kind for delivery in farm.deliveries()} == {"rest.builds"}


def test_the_beginning_of_a_build_is_an_upper_bound_and_its_end_a_lower_one(farm: Asking) -> None:
    start = datetime(2024, 3, 24, 10, 40, tzinfo=UTC)
    farm.polling.backfill(["github_org"], since=start, until=datetime(2024, 3, 24, 10, 45, tzinfo=UTC))
    told = [(delivery.headers["x-leadline-job"], delivery.kind) for delivery in farm.deliveries()]
    assert told == [("github_org/devlake-jenkins/feature-1", kind) for kind in ("rest.builds", "rest.stages")]


@pytest.mark.parametrize("scope", ["/shop", "shop/", " shop"])
def test_a_scope_with_slashes_around_it_is_named(farm: Asking, scope: str) -> None:
    (report,) = farm.polling.backfill([scope])
    assert isinstance(report.error, ConfigError)
    assert "FOLDER/JOB" in str(report.error)


@pytest.mark.parametrize(
    ("token", "shown"), [(None, None), ("reader:11aa", "Basic cmVhZGVyOjExYWE="), ("eyJ", "Bearer eyJ")]
)
def test_how_a_token_is_shown(token: str | None, shown: str | None) -> None:
    with RECORDED.poller.client(Access(url="https://ci.example.com", token=token)) as client:
        assert client.headers.get("authorization") == shown
