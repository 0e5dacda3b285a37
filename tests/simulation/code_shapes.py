"""Strategies for commits, pushes and changes: holes in the graph, forced pushes, disputed commits, unmerged changes."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.events import references
from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    Ref,
)
from pipeline.simulate.telling import tell
from tests.simulation.ground import MONO, SHAS, instants, people, repos, shas, times

RECORDED = CommitRecorded.TYPES[0]
PUSHED = BranchUpdated.TYPES[0]
CREATED = ChangeCreated.TYPES[0]
UPDATED = ChangeUpdated.TYPES[0]
REVIEWED = ChangeReviewed.TYPES[0]
MERGED = ChangeMerged.TYPES[0]
ABANDONED = ChangeAbandoned.TYPES[0]

titles = st.sampled_from(
    ["Tidy up", "GROW-1 faster start", "GROW-3: retry", "CORE-1 and GROW-2", "UTF-8 everywhere", "NOPE-9 unknown"]
)
bodies = st.sampled_from(
    [
        "",
        "",
        "Closes CORE-2",
        "See GROW-1 and CORE-1",
        "Initiative: faster-activation",
        "Initiative: Old-Name",
        "Initiative: nobody-knows",
        "Incident: INC-1",
    ]
)
branches = st.sampled_from([None, "main", "feature/grow-2-x", "core-1", "hotfix/now", "revert-7", "chore/deps"])
labels = st.lists(
    st.sampled_from(["initiative/safer-core", "growth", "hotfix", "ui", "chore"]), max_size=2, unique=True
)
paths = st.sampled_from(
    [None, None, [], ["gateway/a.py"], ["ledger/b.py"], ["gateway/a.py", "ledger/b.py"], ["README.md"]]
)


@st.composite
def commits(draw: st.DrawFn, repo: str) -> list[Event]:
    """A graph with holes: some commits never told, some told by a push only (parents unknown), some told twice."""
    events = []
    for position, sha in enumerate(SHAS):
        told = draw(st.sampled_from(["fully", "fully", "fully", "briefly", "twice", "never"]))
        if told == "never":
            continue
        authored = draw(instants)
        full = CommitRecorded(
            repo=repo,
            sha=sha,
            authored_at=from_us(authored),
            committed_at=from_us(authored + draw(st.sampled_from([0, 60_000_000, 86_400_000_000]))),
            parents=draw(_parents(position)),
            title=(title := draw(titles)),
            author=draw(people),
            refs=references.merge(references.in_text(title, "commit"), references.in_text(draw(bodies), "commit")),
            paths=draw(paths) if repo == MONO else None,
        )
        brief = CommitRecorded(
            repo=repo,
            sha=sha,
            authored_at=full.authored_at,
            committed_at=full.committed_at,
            title=full.title,
            author=full.author,
            refs=full.refs,
        )
        payloads = {"fully": [full], "briefly": [brief], "twice": [brief, full]}[told]
        events += [tell(RECORDED, authored, payload) for payload in payloads]
    return events


def _parents(position: int) -> st.SearchStrategy[list[str]]:
    """Mostly the commit before, or two of the earlier ones (a merge); sometimes a root or a commit nobody knows."""
    earlier = SHAS[:position]
    if not earlier:
        return st.sampled_from([[], [SHAS[-1]]])
    straight = st.just([earlier[-1]])
    merge = st.lists(st.sampled_from([*earlier, "beef" * 10]), min_size=1, max_size=2, unique=True)
    return st.one_of(straight, straight, merge, st.just([]))


@st.composite
def pushes(draw: st.DrawFn) -> list[Event]:
    """A branch that moves: with and without its commits, forced, created, deleted."""
    repo, branch = draw(repos), draw(st.sampled_from(["main", "feature/grow-2-x", "hotfix/now"]))
    events = []
    for at in draw(times(1, 4)):
        listed = draw(st.lists(shas, max_size=3, unique=True))
        events.append(
            tell(
                PUSHED,
                at,
                BranchUpdated(
                    repo=repo,
                    branch=branch,
                    before=draw(st.none() | shas),
                    after=draw(st.none() | shas),
                    forced=draw(st.sampled_from([False, False, True])),
                    commits=listed,
                    distinct=listed[: draw(st.integers(0, 3))],
                ),
            )
        )
    return events


@st.composite
def changes(draw: st.DrawFn, repo: str, number: int) -> list[Event]:
    """One change: any subset of its life, in any order, its commits perhaps those of another change as well."""
    change = f"{repo}#{number}"
    author, merge_sha = draw(people), draw(st.none() | shas)
    events = [
        tell(CREATED, at, ChangeCreated(repo=repo, change=change, created_at=from_us(at), author=author))
        for at in draw(times(0, 1))
    ]
    events += [tell(UPDATED, at, draw(_snapshots(repo, change))) for at in draw(times(0, 4))]
    events += [tell(REVIEWED, at, draw(_reviews(repo, change))) for at in draw(times(0, 3))]
    for at in draw(times(0, 2)):
        told = merge_sha if draw(st.sampled_from([True, True, False])) else None
        events.append(tell(MERGED, at, ChangeMerged(repo=repo, change=change, merge_sha=told)))
    if draw(st.sampled_from([False, False, True])):
        events += [tell(ABANDONED, at, ChangeAbandoned(repo=repo, change=change)) for at in draw(times(1, 2))]
    return events


def _reviews(repo: str, change: str) -> st.SearchStrategy[ChangeReviewed]:
    return st.builds(
        ChangeReviewed,
        repo=st.just(repo),
        change=st.just(change),
        verdict=st.sampled_from(["approved", "changes_requested", "commented", "dismissed"]),
        reviewer=people,
        automated=st.sampled_from([False, False, False, True]),
    )


@st.composite
def _snapshots(draw: st.DrawFn, repo: str, change: str) -> ChangeUpdated:
    """A snapshot of a change whose references are those of its texts; nothing else has to fit the one before."""
    title, body, branch, tags = draw(titles), draw(bodies), draw(branches), draw(labels)
    refs: list[Ref] = references.merge(
        references.in_text(title, "title", repo),
        references.in_text(body, "body", repo),
        references.in_branch(branch),
        references.in_labels(tags),
    )
    return ChangeUpdated(
        repo=repo,
        change=change,
        title=title,
        branch=branch,
        base="main",
        head_sha=draw(st.none() | shas),
        labels=tags,
        refs=refs,
        commits=draw(st.none() | st.lists(shas, max_size=3, unique=True)),
        draft=draw(st.booleans()),
        closed=draw(st.sampled_from([False, False, True])),
    )
