"""What is Sentry's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.deploying import DEPLOYED
from pipeline.events.errors import ConfigError
from pipeline.events.incidents import DETECTED, REOPENED, RESOLVED
from pipeline.events.polling import Checkpoint
from pipeline.events.types import DeploymentEvent
from tests.connectors.polled import bodies, events, memory, read
from tests.connectors.sentry.recorded import COMMIT, RECORDED, RELEASE, Watch, happen
from tests.ingest.sources import NOW, serving

DAY = timedelta(days=1)


@pytest.fixture
def watch() -> Iterator[Watch]:
    with serving(Watch()) as source:
        yield source


def test_each_end_and_reopening_is_told(watch: Watch) -> None:
    identity = watch.issues[0]["id"]
    told = [event for event in events(RECORDED, read(RECORDED, watch)) if event.subject == identity]
    assert [event.type for event in sorted(told, key=lambda event: event.time)] == [
        DETECTED,
        RESOLVED,
        REOPENED,
        RESOLVED,
    ]


def test_resolved_issues_are_asked_for_too(watch: Watch) -> None:
    """Without a query, Sentry leaves them out; without a beginning, what is older than a quarter of a year."""
    read(RECORDED, watch)
    asked = parse_qs(urlsplit(watch.asked[0]).query, keep_blank_values=True)
    assert (asked["query"], asked["start"], asked["sort"]) == ([""], ["2008-01-01T00:00:00Z"], ["new"])


def test_what_is_volatile_or_of_a_person_is_not_kept(watch: Watch) -> None:
    before = read(RECORDED, watch)
    for issue in watch.issues:
        issue.update(count="1000000", userCount=9, assignedTo={"email": "mona@example.com"})
    after = read(RECORDED, watch)
    assert [each.id for page in before for each in page.deliveries] == [
        each.id for page in after for each in page.deliveries
    ]
    assert "mona" not in json.dumps(bodies(after))


def test_activity_is_asked_for_where_the_status_is_another(watch: Watch) -> None:
    remembered = memory(read(RECORDED, watch))
    for issue in watch.issues:
        issue["lastSeen"] = f"{NOW - DAY:%Y-%m-%dT%H:%M:%SZ}"
    happen(watch.issues[2], "set_regression", NOW - DAY / 2)
    watch.asked.clear()
    (told,) = bodies(read(RECORDED, watch, since=NOW - DAY, checkpoint=Checkpoint(memory=remembered)))
    assert told["issue"]["id"] == watch.issues[2]["id"]
    assert sum(target.count("/issues/1") for target in watch.asked) == 1


def test_one_project_is_searched_for(watch: Watch) -> None:
    read(RECORDED, watch, "acme/backend", until=NOW)
    (query,) = parse_qs(urlsplit(watch.asked[0]).query)["query"]
    assert query == f"project:backend firstSeen:<{NOW:%Y-%m-%dT%H:%M:%SZ}"


def test_deploys_of_releases_are_deployments(watch: Watch) -> None:
    pages = read(RECORDED, watch, "deploys:acme")
    told = [event for event in events(RECORDED, pages) if event.type == DEPLOYED]
    assert [event.data for event in told] == [
        DeploymentEvent(
            deployment=f"deploys/{number}",
            environment=environment,
            repo="acme/shop",
            sha=COMMIT,
            service="backend",
            version=RELEASE,
        )
        for number, environment in ((11, "staging"), (12, "production"))
    ]
    assert f"/organizations/acme/releases/{RELEASE.replace('@', '%40')}/deploys/" in watch.paths()
    assert sum(path.endswith("/deploys/") for path in watch.paths()) == 1, "a release without deploys is not asked for"


def test_a_release_is_asked_for_again_when_it_was_deployed_again(watch: Watch) -> None:
    for release in watch.releases:
        release["dateCreated"] = f"{NOW - 3 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    known = Checkpoint(memory=memory(read(RECORDED, watch, "deploys:acme")))
    assert bodies(read(RECORDED, watch, "deploys:acme", since=NOW - DAY, checkpoint=known)) == []
    watch.deploys.insert(0, {**watch.deploys[0], "id": "13"})
    watch.releases[0]["deployCount"] = 3
    (told,) = bodies(read(RECORDED, watch, "deploys:acme", since=NOW - DAY, checkpoint=known))
    assert [deploy["id"] for deploy in told["deploys"]] == ["13", "11", "12"]


@pytest.mark.parametrize("scope", ["", "releases:acme", "acme/", "acme/backend/more", "deploys:"])
def test_a_scope_that_is_none_is_refused(watch: Watch, scope: str) -> None:
    with pytest.raises(ConfigError, match="ORGANIZATION/PROJECT"):
        read(RECORDED, watch, scope)
    assert watch.asked == []
