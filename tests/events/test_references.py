"""What counts as a mention, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.references import MAX_REFS, in_branch, in_labels, in_text, merge
from pipeline.events.types import Ref

REPO = "acme/shop"


def _tickets(text: str, repo: str | None = REPO) -> list[str]:
    return [ref.value for ref in in_text(text, "title", repo) if ref.kind == "ticket"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("GROW-12 ask for the name last", ["GROW-12"]),
        ("GROW-12: ask", ["GROW-12"]),
        ("[GROW-12] ask", ["GROW-12"]),
        ("(GROW-12)", ["GROW-12"]),
        ("GROW-12.", ["GROW-12"]),
        ("GROW-12, GROW-13; GROW-12 again", ["GROW-12", "GROW-13"]),
        ("see https://acme.atlassian.net/browse/GROW-12", ["GROW-12"]),
        ("<https://jira.acme.example/jira/browse/GROW-12?focusedId=1>", ["GROW-12"]),
        ("https://acme.example/downloads/GROW-12.zip", []),
        ("A1_B-7", ["A1_B-7"]),
        ("fix of a typo: KAKFA-1234", ["KAKFA-1234"]),
        ("lookalikes resolve to nothing later: UTF-8, KIP-101, SHA-256", ["UTF-8", "KIP-101", "SHA-256"]),
        ("CVE-2026-1234", []),
        ("v1.ABC-1.2", []),
        ("ABC-1.2", []),
        ("path/ABC-1", []),
        ("XABC-1-2", []),
        ("grow-12 in lower case is prose", []),
        ("GROW-0 and GROW-012", []),
        ("G-1 has one letter", []),
        ("GROW-12345678901", []),
        ("", []),
    ],
)
def test_keys_in_prose(text: str, keys: list[str]) -> None:
    assert _tickets(text) == keys


@pytest.mark.parametrize(
    ("text", "repo", "keys"),
    [
        ("Fixes #12", REPO, ["acme/shop#12"]),
        ("Fixes #12", None, []),
        ("ask last (#12)", REPO, ["acme/shop#12"]),
        ("Closes acme/till#3", REPO, ["acme/till#3"]),
        ("Closes acme/till#3", None, ["acme/till#3"]),
        ("https://github.com/acme/till/issues/3", None, ["acme/till#3"]),
        ("https://gitlab.acme.example/acme/till/-/issues/3", None, ["acme/till#3"]),
        ("https://github.com/acme/till/pull/3", None, []),
        ("colour #123abc", REPO, []),
        ("a&#39;b", REPO, []),
        ("page#4", REPO, []),
        ("#0", REPO, []),
    ],
)
def test_numbers_belong_to_a_repository(text: str, repo: str | None, keys: list[str]) -> None:
    assert _tickets(text, repo) == keys


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("Ask last\n\nInitiative: faster-activation", [Ref("initiative", "faster-activation", "trailer")]),
        ("initiatives: a, b", [Ref("initiative", "a", "trailer"), Ref("initiative", "b", "trailer")]),
        ("Incident: INC 3\r\n", [Ref("incident", "INC 3", "trailer")]),
        ("Initiative:", []),
        ("Initiative: ,", []),
        ("This Initiative: is prose", []),
        ("  Initiative:\tindented  ", [Ref("initiative", "indented", "trailer")]),
    ],
)
def test_trailers_name_initiatives_and_incidents(text: str, refs: list[Ref]) -> None:
    assert in_text(text, "body") == refs


def test_a_trailer_at_the_end_of_a_huge_text_is_found_and_its_middle_is_not() -> None:
    text = "GROW-1 " + "x" * 50_000 + " GROW-2 " + "y" * 50_000 + "\nInitiative: faster-activation"
    assert in_text(text, "body") == [
        Ref("initiative", "faster-activation", "trailer"),
        Ref("ticket", "GROW-1", "body"),
    ]


def test_a_pasted_list_is_cut() -> None:
    assert len(in_text(" ".join(f"GROW-{number}" for number in range(1, 100)), "body")) == MAX_REFS


@pytest.mark.parametrize(
    ("branch", "keys"),
    [
        ("feature/grow-12-faster", ["GROW-12"]),
        ("GROW-12", ["GROW-12"]),
        ("ada/GROW-12_and_grow-13", ["GROW-12", "GROW-13"]),
        ("GROW-12/GROW-12", ["GROW-12"]),
        ("main", []),
        ("release-2.4", []),
        ("v2.4.0", []),
        ("grow-0", []),
        ("", []),
        (None, []),
    ],
)
def test_keys_in_branches_are_read_in_any_case(branch: str | None, keys: list[str]) -> None:
    assert [ref.value for ref in in_branch(branch)] == keys
    assert all((ref.kind, ref.via) == ("ticket", "branch") for ref in in_branch(branch))


def test_labels_are_kept_as_written_each_once() -> None:
    assert in_labels(["b", "a", "b", ""]) == [Ref("label", "b", "label"), Ref("label", "a", "label")]
    assert len(in_labels(f"label {number}" for number in range(500))) == 100


def test_the_same_mentions_make_the_same_list_in_whatever_order_they_were_found() -> None:
    title, branch = in_text("GROW-2 GROW-1", "title"), in_branch("grow-1")
    assert merge(title, branch) == merge(branch, title[::-1], title)
    assert merge(title, branch) == [
        Ref("ticket", "GROW-1", "branch"),
        Ref("ticket", "GROW-1", "title"),
        Ref("ticket", "GROW-2", "title"),
    ]


_mentions = st.sampled_from(
    ["GROW-12", "UTF-8", "#7", "acme/till#3", "Initiative: a, b", "\n", " ", "-", ".", "/", "x"]
)


@given(st.lists(st.text(max_size=8) | _mentions, max_size=30).map("".join), st.none() | st.just(REPO))
def test_any_text_gives_few_distinct_references_and_always_the_same(text: str, repo: str | None) -> None:
    refs = in_text(text, "body", repo)
    assert refs == in_text(text, "body", repo)
    assert len(refs) == len(set(refs)) <= MAX_REFS
    assert all(ref.value.strip() == ref.value != "" for ref in refs)


@pytest.mark.parametrize("text", ["A" * 20_000, "A-" * 10_000, "a/" * 10_000, "#1" * 10_000, "Initiative: " * 2_000])
def test_no_text_makes_the_search_slow(text: str) -> None:
    # Backtracking would take minutes here; the suite's time limit is the assertion that it does not.
    assert len(in_text(text, "body", REPO)) <= MAX_REFS
