"""Pollers at work against a source, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from connectors.github import CONNECTOR as GITHUB
from connectors.github.poll import POLLER as GITHUB_POLLER
from connectors.jira import CONNECTOR as JIRA
from connectors.jira.poll import POLLER as JIRA_POLLER
from pipeline.events.codec import decode
from pipeline.events.delivery import Connector, Delivery
from pipeline.events.envelope import Event
from pipeline.events.polling import Access, Poller
from pipeline.ingest.deliveries import from_stored
from pipeline.ingest.polling import Polling, Report
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog
from tests.ingest.fakes import CONTEXT, translator
from tests.ingest.sources import NOW, REPO, Hub, Site, Source

TOKEN = "a-token-to-keep"
SCOPES = {"github": REPO, "jira": "project = EE"}
CONNECTORS: dict[str, Connector] = {"github": GITHUB, "jira": JIRA}
POLLERS: dict[str, Poller] = {"github": GITHUB_POLLER, "jira": JIRA_POLLER}
_KINDS = {
    "pulls": "rest.pulls",
    "issues": "rest.issues",
    "issues/comments": "rest.issue_comments",
    "pulls/comments": "rest.pull_comments",
    "actions/runs": "rest.actions_runs",
}


@dataclass
class Asking:
    """A polling of one source over a log, whose clock and waiting are the test's."""

    name: str
    source: Source
    log: EventLog
    polling: Polling
    waited: list[float] = field(default_factory=list)

    def backfill(self, since: datetime | None = None, until: datetime | None = None) -> Report:
        (report,) = self.polling.backfill([SCOPES[self.name]], since=since, until=until)
        return report

    def told(self) -> list[Event]:
        """Return the events in the log, after translation of what is there."""
        translator(self.log, *CONNECTORS.values()).run(NOW)
        return [decode(stored.value) for batch in self.log.iterate(EVENTS) for stored in batch]

    def deliveries(self) -> list[Delivery]:
        return [from_stored(stored) for batch in self.log.iterate(DELIVERIES) for stored in batch]


@contextmanager
def asking(
    name: str, source: Source, log: EventLog, *, moment: datetime = NOW, dry_run: bool = False
) -> Iterator[Asking]:
    """Ask a source at an instant. Whatever is waited for is noted, and over at once."""
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    poller = POLLERS[name]
    client = poller.client(Access(url=source.url, token=TOKEN))
    client.timeout = 5.0
    with Polling(log, poller, client, lambda: moment, wait=wait, dry_run=dry_run) as polling:
        yield Asking(name, source, log, polling, waited)


def ids(events: list[Event]) -> set[tuple[str, str]]:
    found = [(event.source, event.id) for event in events]
    assert len(found) == len(set(found)), "an event is there twice"
    return set(found)


def held(source: Source) -> set[tuple[str, str]]:
    """Return what a source has to tell, read from its lists and not page by page."""
    if isinstance(source, Site):
        return _ids("jira", [("rest.issue", issue, {}) for issue in source.issues])
    assert isinstance(source, Hub)
    told: list[tuple[str, object, dict[str, str]]] = []
    for name, items in source.lists.items():
        if name in _KINDS:
            told.append((_KINDS[name], items, {}))
        elif name.endswith("/reviews"):
            told.append(("rest.pull_reviews", items, {"x-leadline-number": name.split("/")[1]}))
        else:
            (pull,) = [pull for pull in source.lists["pulls"] if str(pull["number"]) == name.split("/")[1]]
            told.append(("rest.pull_commits", {"pull_request": pull, "commits": items}, {}))
    return _ids("github", told)


def _ids(name: str, told: list[tuple[str, object, dict[str, str]]]) -> set[tuple[str, str]]:
    found = set()
    for kind, body, headers in told:
        delivery = Delivery(
            connector=name,
            id="d",
            kind=kind,
            received_at=NOW,
            body=msgspec.json.encode(body),
            headers={"x-leadline-repo": REPO, **headers},
        )
        found |= {(event.source, event.id) for event in CONNECTORS[name].translate(delivery, CONTEXT).events}
    assert found
    return found


def pushed_pull(pull: dict[str, object], identity: str) -> Delivery:
    """Return the webhook that tells of a closed pull request."""
    repository = {"full_name": REPO, "html_url": f"https://github.com/{REPO}", "name": "ants"}
    body = {"action": "closed", "number": pull["number"], "pull_request": pull, "repository": repository}
    return Delivery(
        connector="github",
        id=identity,
        kind="pull_request",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        body=json.dumps(body).encode(),
    )
