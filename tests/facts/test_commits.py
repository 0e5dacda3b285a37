"""Containment by propagation equals reachability worked out the slow way, in any order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.types import CommitRecorded
from pipeline.facts.commits import Commits
from pipeline.facts.state import State

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPO = "acme/shop"

#: Parents of commit n are smaller than n, so that there is no circle, as in git.
histories = st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=1, max_size=16).map(
    lambda drawn: {
        number: sorted({parent % number for parent in parents}) if number else []
        for number, parents in enumerate(drawn)
    }
)
placements = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 99)), max_size=6)


def contained(parents: dict[int, list[int]], commit: int) -> set[int]:
    found, stack = {commit}, [commit]
    while stack:
        for parent in parents[stack.pop()]:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


def recorded(parents: dict[int, list[int]], commit: int) -> CommitRecorded:
    told = [f"c{parent}" for parent in parents[commit]]
    return CommitRecorded(repo=REPO, sha=f"c{commit}", authored_at=NOW, committed_at=NOW, parents=told)


@given(histories, placements, st.randoms(use_true_random=False))
def test_the_first_deployment_of_a_commit_is_the_earliest_that_contains_it(
    parents: dict[int, list[int]], placed: list[tuple[int, int]], chance: Random
) -> None:
    deployments = {(at, f"d{number}"): commit % len(parents) for number, (commit, at) in enumerate(placed)}
    commits = Commits(State())
    acts: list[CommitRecorded | tuple[int, str]] = [*(recorded(parents, commit) for commit in parents), *deployments]
    chance.shuffle(acts)
    for act in acts:
        if isinstance(act, CommitRecorded):
            commits.record(act)
        else:
            commits.place(REPO, f"c{deployments[act]}", "shop", act)

    for commit in parents:
        expected = min(
            (arrival for arrival, at in deployments.items() if commit in contained(parents, at)), default=None
        )
        node = commits.get(REPO, f"c{commit}")
        assert node is not None
        assert node.first_deployed.get("shop") == expected


@given(histories, placements)
def test_taking_a_deployment_back_leaves_what_the_others_contain(
    parents: dict[int, list[int]], placed: list[tuple[int, int]]
) -> None:
    deployments = {(at, f"d{number}"): commit % len(parents) for number, (commit, at) in enumerate(placed)}
    commits = Commits(State())
    for commit in parents:
        commits.record(recorded(parents, commit))
    for arrival, commit in deployments.items():
        commits.place(REPO, f"c{commit}", "shop", arrival)
    for gone in sorted(deployments)[:1]:
        commits.displace(REPO, f"c{deployments.pop(gone)}", "shop", gone[1])
        for arrival in sorted(deployments):
            commits.replace_through(REPO, f"c{deployments[arrival]}", "shop", arrival)
    for commit in parents:
        expected = min(
            (arrival for arrival, at in deployments.items() if commit in contained(parents, at)), default=None
        )
        node = commits.get(REPO, f"c{commit}")
        assert node is not None
        assert node.first_deployed.get("shop") == expected
