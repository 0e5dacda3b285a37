"""Acts of the forge: commits, pushes, pipeline runs, and how work lands on a main branch."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, TypeVar

from pipeline.events.times import SECOND_US, from_us
from pipeline.events.types import BranchUpdated, CommitRecorded, PipelineRun, Ref
from pipeline.simulate import texts
from pipeline.simulate.cast import Team
from pipeline.simulate.deeds import Change
from pipeline.simulate.world import MINUTE, Process, Repo, Running, World

T = TypeVar("T")

#: A process that makes something.
Making = Generator[float, None, T]

RECORDED = CommitRecorded.TYPES[0]
PUSHED = BranchUpdated.TYPES[0]
QUEUED, STARTED, FINISHED = PipelineRun.TYPES


def commit(
    world: World,
    repo: Repo,
    parents: list[str],
    title: str,
    author: str,
    *,
    refs: list[Ref],
    paths: list[str] | None,
    written_s: int = 0,
) -> str:
    """Record a commit that was authored `written_s` seconds ago; returns its sha."""
    sha = world.new_sha(repo)
    payload = CommitRecorded(
        repo=repo.name,
        sha=sha,
        authored_at=from_us(world.now - written_s * SECOND_US),
        committed_at=from_us(world.now),
        parents=parents,
        title=title,
        author=author,
        refs=refs,
        paths=paths,
    )
    world.tell(RECORDED, payload)
    return sha


def push(world: World, repo: Repo, branch: str, before: str | None, commits: list[str]) -> None:
    """Push commits that nobody had seen to a branch other than main."""
    payload = BranchUpdated(
        repo=repo.name, branch=branch, before=before, after=commits[-1], commits=commits, distinct=commits
    )
    world.tell(PUSHED, payload)


def land(world: World, repo: Repo, sha: str, commits: list[str], change: Change) -> None:
    """Move main to `sha`; from now on the next deployment of each of the change's services contains it."""
    payload = BranchUpdated(
        repo=repo.name, branch="main", before=repo.head, after=sha, commits=[*commits, sha], distinct=[sha]
    )
    world.tell(PUSHED, payload)
    repo.head = sha
    repo.landed += 1
    change.position = repo.landed
    for service in change.services:
        world.running[service].pending.append(change)


def direct_commit(world: World, running: Running, team: Team) -> None:
    """Somebody pushes straight to main: a commit that belongs to no change."""
    repo, author = running.repo, world.chance.pick(team.people)
    parents = [] if repo.head is None else [repo.head]
    sha = commit(world, repo, parents, texts.phrase(world.chance), author, refs=[], paths=paths((running,)))
    change = Change(
        id=f"{repo.name}@{sha}",
        services=(running.service.name,),
        team=team.name,
        authored_us=world.now,
        is_commit=True,
    )
    land(world, repo, sha, [], change)


def paths(touched: tuple[Running, ...]) -> list[str] | None:
    """Return the files that a commit touches, where the services share their repository; else None: not told."""
    folders = [running.service.path for running in touched]
    return [f"{folder}/main.py" for folder in folders if folder is not None] or None


def pipeline_run(world: World, repo: Repo, sha: str, branch: str, *, in_full: bool = True) -> Process:
    """A run of the build: queued, started and finished, or (not in full) told only when it finished."""
    run = f"run-{world.number('run')}"

    def told(outcome: Literal["success", "failure"] | None = None) -> PipelineRun:
        return PipelineRun(run=run, pipeline="build", repo=repo.name, sha=sha, branch=branch, outcome=outcome)

    if in_full:
        world.tell(QUEUED, told())
        yield MINUTE / 4
        world.tell(STARTED, told())
    yield world.wait(6 * MINUTE)
    world.tell(FINISHED, told("failure" if world.chance.happens(0.15) else "success"))
