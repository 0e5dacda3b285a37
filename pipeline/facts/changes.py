"""Changes: pull requests, merge requests and the commits that belong to none, from first commit to production."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import LinkDeclared
from pipeline.events.envelope import Event
from pipeline.events.times import seconds_between, to_us
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    Ref,
)
from pipeline.facts.commits import Arrival, Commits, Node, node_key
from pipeline.facts.rows import ChangeFact
from pipeline.facts.state import State
from pipeline.facts.timeline import Timelines
from pipeline.facts.told import Told


class Change(msgspec.Struct, array_like=True):
    """What was told of one pull or merge request."""

    repo: str
    created: int | None = None
    author: str | None = None
    author_stamp: tuple[int, str] = (-(1 << 62), "")
    merged: int | None = None
    merge_sha: str | None = None
    merge_stamp: tuple[int, str] = (-(1 << 62), "")
    abandoned: int | None = None
    last_open: int | None = None
    stamp: tuple[int, str] = (-(1 << 62), "")
    title: str = ""
    branch: str | None = None
    labels: list[str] = []
    refs: list[Ref] = []
    commits: list[str] = []
    heads: list[str] = []
    pushed: list[str] = []
    #: (time, reviewer or "") of every review that was not automated, sorted, each once.
    reviews: list[tuple[int, str]] = []
    #: Assistants that its creation told, and the one that its latest snapshot tells.
    opened_by: list[str] = []
    assistant: str | None = None

    def claimed(self) -> list[str]:
        """Return the shas of all commits that belong to the change, sorted."""
        own = [self.merge_sha] if self.merge_sha else []
        return sorted({*self.commits, *self.heads, *self.pushed, *own})

    def reviewed_since(self, since: int | None = None) -> int | None:
        """The earliest word by somebody else, at or after an instant; who is not known counts as somebody else."""
        return next(
            (at for at, who in self.reviews if not (who and who == self.author) and (since is None or at >= since)),
            None,
        )

    def is_abandoned(self) -> bool:
        """Whether it was given up, and not taken up again."""
        return (
            self.merged is None and self.abandoned is not None and self.abandoned >= (self.last_open or self.abandoned)
        )


class Changes:
    """Correlates change events with the commit graph; `settle` tells what became of every change that was touched."""

    def __init__(self, state: State, contract: Contract, commits: Commits) -> None:
        self._changes = state.table("change", Change)
        self._links = state.table("change_link", Told[str])
        self._merged = Timelines(state, "merged")
        self._graphless = Timelines(state, "graphless")
        self._contract = contract
        self._commits = commits
        self.touched: set[str] = commits.touched_changes

    def created(self, event: Event, data: ChangeCreated) -> None:
        change = self._open(data.change, data.repo)
        at = to_us(event.time)
        change.created = at if change.created is None else min(change.created, at)
        change.last_open = max(change.last_open or at, at)
        if data.assistant and data.assistant not in change.opened_by:
            change.opened_by = sorted([*change.opened_by, data.assistant])
        if data.author is not None and (change.author is None or (at, event.id) < change.author_stamp):
            change.author, change.author_stamp = data.author, (at, event.id)
        self._put(data.change, change)

    def updated(self, event: Event, data: ChangeUpdated) -> None:
        change = self._open(data.change, data.repo)
        at = to_us(event.time)
        if not data.closed:
            change.last_open = max(change.last_open or at, at)
        if (at, event.id) > change.stamp:
            change.stamp = (at, event.id)
            change.title, change.branch = data.title, data.branch
            change.labels, change.refs, change.assistant = data.labels, data.refs, data.assistant
        listed = sorted(set(data.commits or ()).difference(change.commits))
        if listed:
            change.commits = sorted([*change.commits, *listed])
            self._claim(data.change, change, listed)
        if data.head_sha and data.head_sha not in change.heads:
            change.heads = sorted([*change.heads, data.head_sha])
            self._claim(data.change, change, [data.head_sha])
        self._put(data.change, change)

    def reviewed(self, event: Event, data: ChangeReviewed) -> None:
        change = self._open(data.change, data.repo)
        entry = (to_us(event.time), data.reviewer or "")
        if not data.automated and entry not in change.reviews:
            change.reviews = sorted([*change.reviews, entry])
        self._put(data.change, change)

    def merged(self, event: Event, data: ChangeMerged) -> None:
        change = self._open(data.change, data.repo)
        at = to_us(event.time)
        if change.merged is None or at < change.merged:
            if change.merged is not None:
                self._merged.remove(change.repo, change.merged, data.change)
            self._merged.add(change.repo, at, data.change)
            change.merged = at
        if data.merge_sha and (change.merge_sha is None or (at, event.id) < change.merge_stamp):
            before = set(change.claimed()) if change.merge_sha else set()
            change.merge_sha, change.merge_stamp = data.merge_sha, (at, event.id)
            if before:
                self._release(data.change, change, before)
            self._claim(data.change, change, [data.merge_sha])
        self._put(data.change, change)

    def abandoned(self, event: Event, data: ChangeAbandoned) -> None:
        change = self._open(data.change, data.repo)
        at = to_us(event.time)
        change.abandoned = max(change.abandoned or at, at)
        self._put(data.change, change)

    def linked(self, event: Event, data: LinkDeclared) -> None:
        """Take in that a person linked a change, known or not yet, to an initiative; the latest link holds."""
        link = self._links.get(data.subject_id)
        stamp = (to_us(event.time), event.id)
        if link is None or stamp > (link.at, link.event):
            self._links.put(data.subject_id, Told(*stamp, data.initiative))
            repo, _, sha = data.subject_id.rpartition("@")
            if self._changes.get(data.subject_id) is not None:
                self.touched.add(data.subject_id)
            elif repo:
                self._commits.touched_commits.add(node_key(repo, sha))

    def asked_about(self, key: str, repo: str, at: int) -> tuple[str, str | None]:
        """Return the title of a change, and the one team that owned all of its services at an instant."""
        change = self._changes.get(key)
        nodes = [] if change is None else [self._commits.get(change.repo, sha) for sha in change.claimed()]
        paths = {path for node in nodes if node is not None for path in node.paths or ()}
        services = self._contract.services_of_change(repo if change is None else change.repo, paths or None, at)
        teams = {self._contract.team_of(service, at) for service in services}
        return "" if change is None else change.title, teams.pop() if len(teams) == 1 else None

    def ends_of_review(self, key: str, since: int) -> tuple[int | None, int | None]:
        """Return the first answer to a review asked at an instant, and when the change was merged or abandoned."""
        change = self._changes.get(key)
        if change is None:
            return None, None
        return change.reviewed_since(since), change.abandoned if change.is_abandoned() else change.merged

    def pushed(self, data: BranchUpdated) -> None:
        """Commits that came with the push of a change's head, or with its merge, belong to the change."""
        if data.after is None or not data.distinct:
            return
        node = self._commits.get(data.repo, data.after)
        if node is None:
            return
        for key in list(node.claims):
            change = self._changes.get(key)
            if change is not None and (data.after in change.heads or data.after == change.merge_sha):
                self._claim(key, change, [data.after])
                self._put(key, change)

    def graph_missing(self, repo: str, service: str, arrival: Arrival, *, present: bool) -> None:
        """A deployment without a commit graph came, or (`present` False) went: merge times decide what it holds."""
        finished, deployment = arrival
        entry = f"{deployment}|{service}"
        if not present:
            self._graphless.remove(repo, finished, entry)
        # An earlier one of the same service had all that was merged before it, if it could deliver the same changes.
        since = next(
            (
                earlier
                for earlier, other in self._graphless.before(repo, finished, entry)
                if other.partition("|")[2] == service and self._contract.delivers_alike(repo, earlier, finished)
            ),
            None,
        )
        for at, key in self._merged.before(repo, finished + 1):
            if since is not None and at <= since:
                break
            self.touched.add(key)
        if present:
            self._graphless.add(repo, finished, entry)

    def settle(self, key: str) -> ChangeFact | None:
        """Return the fact of a change as it now stands."""
        change = self._changes.get(key)
        if change is None:
            return None
        nodes = {sha: node for sha in change.claimed() if (node := self._commits.get(change.repo, sha)) is not None}
        at = change.merged or change.created or 0
        paths = {path for node in nodes.values() for path in node.paths or ()}
        arrival, service, method = self._arrival(change, paths or None)
        services = self._contract.services_of_change(change.repo, paths or None, arrival[0] if arrival else at)
        started = [
            node.authored
            for sha, node in nodes.items()
            if node.authored is not None and (sha != change.merge_sha or sha in change.commits or sha in change.heads)
        ]
        policy = self._contract.policy(at)
        fact = ChangeFact(
            id=key,
            kind="pull_request",
            repo=change.repo,
            services=services,
            service=service or (services[0] if len(services) == 1 else None),
            team=None,
            title=change.title,
            status=_status(change, arrival),
            created_at=change.created,
            authored_at=min(started) if started else None,
            first_review_at=change.reviewed_since(),
            merged_at=change.merged,
            deployed_at=None if arrival is None else arrival[0],
            deployment=None if arrival is None else arrival[1],
            method=method,
            unplanned=policy.is_unplanned(change.branch, change.labels)
            or any(ref.kind == "incident" for ref in change.refs),
            exempt=policy.is_exempt(change.branch, change.labels),
            refs=_references(change, nodes.values(), self._links.get(key)),
            assistant=_assistant(change, nodes.values()),
        )
        if fact.service is not None:
            fact.team = self._contract.team_of(fact.service, fact.deployed_at or at)
        return _with_spans(fact)

    def settle_commit(self, key: str) -> tuple[str, ChangeFact | None] | None:
        """Return (id, fact) of a commit that is a change by itself; a None fact: no longer; None: it never was."""
        node = self._commits.by_key(key)
        if node is None:
            return None
        repo, _, sha = key.rpartition("|")
        alone = node.recorded and node.first_deployed and not node.claims and len(node.parents or ()) < 2
        identity = f"{repo}@{sha}"
        fact = self._commit_fact(identity, repo, node) if alone else None
        if fact is None and not node.is_fact:
            return None
        node.is_fact = fact is not None
        self._commits.put(repo, sha, node)
        return identity, fact

    def _commit_fact(self, identity: str, repo: str, node: Node) -> ChangeFact | None:
        contained = self._first(repo, node, node.paths)
        if contained is None:
            return None
        arrival, service = contained
        services = self._contract.services_of_change(repo, node.paths, arrival[0])
        fact = ChangeFact(
            id=identity,
            kind="commit",
            repo=repo,
            services=services,
            service=service,
            team=self._contract.team_of(service, arrival[0]),
            title="",
            status="deployed",
            authored_at=node.authored,
            deployed_at=arrival[0],
            deployment=arrival[1],
            method="ancestry",
            unplanned=any(ref.kind == "incident" for ref in node.refs),
            refs=_references(Change(repo=repo), [node], self._links.get(identity)),
            assistant=min(node.assistants, default=None),
        )
        return _with_spans(fact)

    def _arrival(self, change: Change, paths: Collection[str] | None) -> tuple[Arrival | None, str | None, str | None]:
        """Return the first delivery of a change, the service that made it, and how it was found."""
        node = self._commits.get(change.repo, change.merge_sha) if change.merge_sha else None
        contained = None if node is None else self._first(change.repo, node, paths)
        if contained is not None:
            return *contained, "ancestry"
        if change.merged is None:
            return None, None, None
        for finished, entry in self._graphless.since(change.repo, change.merged):
            deployment, _, service = entry.partition("|")
            if self._delivers(change.repo, service, paths, finished):
                return (finished, deployment), service, "time"
        return None, None, None

    def _first(self, repo: str, node: Node, paths: Collection[str] | None) -> tuple[Arrival, str] | None:
        """Return the earliest arrival at a node that counts for a change with these paths, and its service."""
        for arrival, service in sorted((arrival, service) for service, arrival in node.first_deployed.items()):
            if self._delivers(repo, service, paths, arrival[0]):
                return arrival, service
        return None

    def _delivers(self, repo: str, service: str, paths: Collection[str] | None, at: int) -> bool:
        """Whether a deployment of a service delivers such a change.

        It does if it is one of the change's services at that time, or if the contract declares none for the repository.
        """
        services = self._contract.services_of_change(repo, paths, at)
        return service in services or services == [repo]

    def _open(self, key: str, repo: str) -> Change:
        change = self._changes.get(key)
        return Change(repo=repo) if change is None else change

    def _put(self, key: str, change: Change) -> None:
        self._changes.put(key, change)
        self.touched.add(key)

    def _claim(self, key: str, change: Change, shas: Iterable[str]) -> None:
        """Claim these commits, and what was pushed together with those that are a head or the merge."""
        for sha in shas:
            node = self._commits.claim(key, change.repo, sha)
            if node.distinct and (sha in change.heads or sha == change.merge_sha):
                new = sorted(set(node.distinct).difference(change.pushed))
                change.pushed = sorted([*change.pushed, *new])
                for other in new:
                    self._commits.claim(key, change.repo, other)

    def _release(self, key: str, change: Change, before: set[str]) -> None:
        """Take back the claims of a merge that turned out not to be the first."""
        bases = [*change.heads, change.merge_sha]
        nodes = [self._commits.get(change.repo, sha) for sha in bases if sha is not None]
        change.pushed = sorted({sha for node in nodes if node is not None for sha in node.distinct})
        for sha in sorted(before.difference(change.claimed())):
            self._commits.release(key, change.repo, sha)


def _references(change: Change, nodes: Iterable[Node], link: Told[str] | None) -> list[Ref]:
    labels = (Ref("label", label, "label") for label in change.labels)
    linked = [] if link is None else [Ref("initiative", link.value, "field")]
    return sorted({*change.refs, *labels, *linked, *(ref for node in nodes for ref in node.refs)})


def _assistant(change: Change, nodes: Iterable[Node]) -> str | None:
    told = [*change.opened_by, *([change.assistant] if change.assistant else [])]
    return min([*told, *(name for node in nodes for name in node.assistants)], default=None)


def _status(change: Change, arrival: Arrival | None) -> str:
    if arrival is not None:
        return "deployed"
    if change.merged is not None:
        return "merged"
    return "abandoned" if change.is_abandoned() else "open"


def _with_spans(fact: ChangeFact) -> ChangeFact:
    started = fact.authored_at if fact.authored_at is not None else fact.created_at
    spans = {
        "lead_time": (started, fact.deployed_at),
        "coding_time": (fact.authored_at, fact.created_at),
        "pickup_time": (fact.created_at, fact.first_review_at),
        "review_time": (fact.first_review_at, fact.merged_at),
        "deploy_time": (fact.merged_at, fact.deployed_at),
    }
    for name, (start, end) in spans.items():
        if start is None or end is None:
            continue
        if end < start:
            fact.negative += 1
        else:
            setattr(fact, name, seconds_between(start, end))
    return fact
