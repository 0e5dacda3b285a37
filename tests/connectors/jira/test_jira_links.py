from __future__ import annotations

import pytest

from pipeline.events.envelope import Event
from pipeline.events.types import DependencyEvent
from tests.connectors.jira.jira_shapes import configured, history, issue, item, link, of_type, translated


def edges(events: list[Event], predicate: str = "dependency.added") -> list[tuple[str, str]]:
    found = []
    for event in of_type(events, predicate):
        assert isinstance(event.data, DependencyEvent)
        found.append((event.data.ticket, event.data.blocked_by))
    return found


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (link("is blocked by", "blocks", inwardIssue="CORE-7"), ("GROW-12", "CORE-7")),
        (link("is blocked by", "blocks", outwardIssue="CORE-7"), ("CORE-7", "GROW-12")),
        (link("is depended on by", "depends on", name="Dep", outwardIssue="CORE-7"), ("GROW-12", "CORE-7")),
        (link("is depended on by", "depends on", name="Dep", inwardIssue="CORE-7"), ("CORE-7", "GROW-12")),
        (link("is needed for", "Depends On", name="Dep", inwardIssue="CORE-7"), ("CORE-7", "GROW-12")),
        (link("wird blockiert durch", "blockiert", inwardIssue="CORE-7"), ("GROW-12", "CORE-7")),
        (link("wird blockiert durch", "blockiert", outwardIssue="CORE-7"), ("CORE-7", "GROW-12")),
    ],
)
def test_direction_of_a_link(shown: dict[str, object], expected: tuple[str, str]) -> None:
    assert edges(translated(issue(issuelinks=[shown]))) == [expected]


@pytest.mark.parametrize(
    "shown",
    [
        link("relates to", "relates to", name="Relates", inwardIssue="CORE-7"),
        link("is duplicated by", "duplicates", name="Duplicate", outwardIssue="CORE-7"),
        link("is blocked by", "blocks"),
        link("is blocked by", "blocks", inwardIssue="GROW-12"),
    ],
)
def test_what_is_no_dependency(shown: dict[str, object]) -> None:
    assert edges(translated(issue(issuelinks=[shown]))) == []


def test_the_history_gives_the_time_of_a_link() -> None:
    added = history(
        "7", "2026-11-02T10:00:00.900+0000", item("Link", None, "CORE-7", toString="This issue is blocked by CORE-7")
    )
    shown = link("is blocked by", "blocks", inwardIssue="CORE-7")
    events = of_type(translated(issue(issuelinks=[shown], histories=[added])), "dependency.added")
    assert [event.time.isoformat() for event in events] == ["2026-11-02T10:00:00+00:00"]


def test_a_link_that_no_history_tells_is_there_by_the_last_update() -> None:
    shown = link("is blocked by", "blocks", inwardIssue="CORE-7")
    events = of_type(translated(issue(issuelinks=[shown], histories=[])), "dependency.added")
    assert [event.time.isoformat() for event in events] == ["2026-11-20T10:00:00+00:00"]


def test_both_issues_tell_one_edge() -> None:
    blocked = history(
        "7", "2026-11-02T10:00:00.545+0000", item("Link", None, "CORE-7", toString="This issue is blocked by CORE-7")
    )
    blocker = history(
        "6", "2026-11-02T10:00:00.538+0000", item("Link", None, "GROW-12", toString="This issue blocks GROW-12")
    )
    here = of_type(translated(issue(histories=[blocked])), "dependency.added")
    there = of_type(translated(issue("CORE-7", histories=[blocker])), "dependency.added")
    assert here == there
    assert len(here) == 1


def test_a_pushed_link_and_the_polled_one_are_one_event() -> None:
    said = item("Link", None, "CORE-7", toString="This issue is blocked by CORE-7")
    shown = [link("is blocked by", "blocks", inwardIssue="CORE-7")]
    pushed = {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1795168800470,
        "issue": issue(issuelinks=shown),
        "changelog": {"id": "7", "items": [said]},
    }
    polled = issue(issuelinks=shown, histories=[history("7", "2026-11-20T10:00:00.459+0000", said)])
    first = of_type(translated(pushed, "jira:issue_updated"), "dependency.added")
    assert first == of_type(translated(polled), "dependency.added")
    assert len(first) == 1


def test_the_words_of_another_language_are_learnt_from_the_links() -> None:
    said = history(
        "7",
        "2026-11-02T10:00:00.000+0000",
        item("Link", "CORE-7", None, fromString="Dieser Vorgang wird blockiert durch CORE-7"),
    )
    shown = link("wird blockiert durch", "blockiert", inwardIssue="CORE-8")
    assert edges(translated(issue(issuelinks=[shown], histories=[said])), "dependency.removed") == [
        ("GROW-12", "CORE-7")
    ]


def test_phrases_and_types_can_be_set() -> None:
    said = history(
        "7", "2026-11-02T10:00:00.000+0000", item("Link", None, "CORE-7", toString="This issue wartet auf CORE-7")
    )
    settings = {"blocked_by_phrases": "wartet auf", "blocking_link_types": "Warten"}
    assert edges(configured(issue(histories=[said]), **settings)) == [("GROW-12", "CORE-7")]
    usual = link("is blocked by", "blocks", outwardIssue="CORE-9", name="Other")
    assert edges(configured(issue(issuelinks=[usual]), **settings, blocks_phrases="hält auf")) == []
