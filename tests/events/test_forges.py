"""What the connectors of code forges share."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.events.coordination import ReviewRequest
from pipeline.events.forges import (
    REVIEW_ASKED,
    REVIEW_WITHDRAWN,
    Repository,
    commit_assistant,
    existing,
    first_line,
    left_out,
    matches,
    moved_at,
    pushed_commit,
    version_of,
)
from pipeline.events.reading import parse_object
from pipeline.events.types import ChangeCreated, ChangeMerged, CommitRecorded

SHOP = Repository("https://forge.example/git", "acme/shop")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 13, tzinfo=UTC)


def test_events_are_told_in_the_name_of_the_repository_and_their_ids_cover_the_content() -> None:
    first, again, other = (SHOP.merged("acme/shop#7", NOON, sha) for sha in ("a1", "a1", "b2"))
    assert (first.source, first.partitionkey) == ("https://forge.example/git/acme/shop", "acme/shop")
    assert first.data == ChangeMerged(repo="acme/shop", change="acme/shop#7", merge_sha="a1")
    assert first.id == again.id != other.id


def test_a_change_refers_to_what_its_texts_branch_and_labels_name() -> None:
    found = SHOP.change_refs("Fix #3", "see GROW-1", "fix/grow-2", ["initiative: faster"])
    assert {"acme/shop#3", "GROW-1", "GROW-2"} <= {ref.value for ref in found}
    assert {"title", "body", "branch"} <= {ref.via for ref in found}


def test_a_pushed_commit_has_one_date_and_the_paths_that_it_changed() -> None:
    told = {"id": "a1", "timestamp": NOON.isoformat(), "message": "\nOne\nTwo #3", "added": ["b"], "removed": ["a"]}
    event = pushed_commit(parse_object(json.dumps(told).encode()), SHOP, "somebody")
    assert isinstance(event.data, CommitRecorded)
    assert (event.time, event.data.authored_at, event.data.committed_at) == (NOON, NOON, NOON)
    assert (event.data.title, event.data.author, event.data.paths) == ("One", "somebody", ["a", "b"])
    assert [ref.value for ref in event.data.refs] == ["acme/shop#3"]


def test_a_branch_moved_with_its_last_commit_else_with_the_youngest() -> None:
    times = {"a1": NOON, "b2": LATER}
    assert moved_at(times, "a1") == NOON
    assert moved_at(times, "c3") == LATER


@pytest.mark.parametrize(("sha", "there"), [("0" * 40, None), ("", None), (None, None), ("a0", "a0")])
def test_zeros_are_no_commit(sha: str | None, there: str | None) -> None:
    assert existing(sha) == there


@pytest.mark.parametrize(("tag", "version"), [("v1.2", "1.2"), ("1.2", "1.2"), ("vanilla", "vanilla")])
def test_the_version_of_a_tag(tag: str, version: str) -> None:
    assert version_of(tag) == version


def test_titles_and_names_are_bounded() -> None:
    assert first_line(None) == ""
    assert len(first_line("x" * 900)) == 500
    assert left_out("note", "system") == "note.system"
    assert left_out("note", "Free text!") == left_out("note", None) == "note.other"


def test_a_review_is_asked_of_a_team_or_a_person_and_no_longer() -> None:
    asked = SHOP.review_request(REVIEW_ASKED, "acme/shop#7", NOON, team="platform")
    gone = SHOP.review_request(REVIEW_WITHDRAWN, "acme/shop#7", NOON, team="platform")
    person = SHOP.review_request(REVIEW_ASKED, "acme/shop#7", NOON, reviewer="a-pseudonym")
    assert asked.data == ReviewRequest(repo="acme/shop", change="acme/shop#7", team="platform")
    assert len({asked.id, gone.id, person.id}) == 3


def test_the_author_of_a_commit_goes_before_a_helper() -> None:
    helped = "Faster\n\nAssisted-by: Gemini 2.5 Pro"
    assert commit_assistant(helped, "Claude", "noreply@anthropic.com") == "claude"
    assert commit_assistant(helped, "Ada", "ada@acme.example") == "gemini"
    assert commit_assistant("Faster", "Ada", "ada@acme.example") is None
    assert commit_assistant(None, None, None) is None


def test_who_opened_a_change_may_be_an_assistant() -> None:
    ours, its = (SHOP.created("acme/shop#7", NOON, "a-pseudonym", assistant) for assistant in (None, "copilot"))
    assert isinstance(its.data, ChangeCreated)
    assert its.data.assistant == "copilot"
    assert ours.id != its.id


@pytest.mark.parametrize(
    ("name", "patterns", "fits"),
    [
        ("Deploy / eu", ("deploy / *",), True),
        ("deploy", ("deploy / *", "deploy"), True),
        ("undeploy", ("deploy*",), False),
        ("Incident", ("incident",), True),
        ("Incident", (), False),
    ],
)
def test_names_match_patterns_whatever_their_case(name: str, patterns: tuple[str, ...], *, fits: bool) -> None:
    assert matches(name, patterns) is fits
