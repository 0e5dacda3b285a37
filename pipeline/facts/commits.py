"""Commits and containment: which deployment was the first to hold a commit.

`first_deployed(c) = min(deployments at c, first_deployed(anything that contains c))`. The value of a node only ever
gets smaller and is handed on to what the node contains whenever it does; so the order in which commits, pushes and
deployments arrive does not matter, and each improvement touches just the nodes that it improves.
"""

from __future__ import annotations

import msgspec

from pipeline.events.times import to_us
from pipeline.events.types import BranchUpdated, CommitRecorded, Ref
from pipeline.facts.state import State

#: (finished_at, deployment id); the smaller one is the earlier deployment.
Arrival = tuple[int, str]


class Node(msgspec.Struct, array_like=True):
    """One commit of one repository, known or only mentioned."""

    parents: list[str] | None = None
    reaches: list[str] = []
    first_deployed: dict[str, tuple[int, str]] = {}
    claims: list[str] = []
    authored: int | None = None
    committed: int | None = None
    recorded: bool = False
    refs: list[Ref] = []
    paths: list[str] | None = None
    distinct: list[str] = []
    placed: list[str] = []
    is_fact: bool = False
    assistants: list[str] = []

    def contains(self) -> list[str]:
        """Return the shas of what this commit is known to contain directly."""
        return [*(self.parents or ()), *self.reaches]


def node_key(repo: str, sha: str) -> str:
    """Return the key of a node."""
    return f"{repo}|{sha}"


class Commits:
    """The commit graph of all repositories.

    Collects what others must look at again: `touched_changes` (ids of changes that claim a touched commit),
    `touched_commits` (keys of commits that are or may become a change by themselves) and `linked` (ids of deployments
    placed at a node that has just got its first edge).
    """

    def __init__(self, state: State) -> None:
        self._nodes = state.table("node", Node)
        self.touched_changes: set[str] = set()
        self.touched_commits: set[str] = set()
        self.linked: set[str] = set()

    def get(self, repo: str, sha: str) -> Node | None:
        return self._nodes.get(node_key(repo, sha))

    def by_key(self, key: str) -> Node | None:
        return self._nodes.get(key)

    def put(self, repo: str, sha: str, node: Node) -> None:
        self._nodes.put(node_key(repo, sha), node)

    def record(self, data: CommitRecorded) -> None:
        """Take in a commit. A second record of the same commit adds what the first did not tell."""
        key = node_key(data.repo, data.sha)
        node = self._nodes.get(key) or Node()
        added = [] if data.parents is None else [sha for sha in data.parents if sha not in (node.parents or ())]
        was_linked = bool(node.parents or node.reaches)
        if data.parents is not None:
            node.parents = sorted({*(node.parents or ()), *data.parents})
        authored, committed = to_us(data.authored_at), to_us(data.committed_at)
        node.authored = authored if node.authored is None else min(node.authored, authored)
        node.committed = committed if node.committed is None else min(node.committed, committed)
        node.recorded = True
        if data.assistant:
            node.assistants = sorted({*node.assistants, data.assistant})
        if data.refs:
            node.refs = sorted({*node.refs, *data.refs})
        if data.paths is not None:
            node.paths = sorted({*(node.paths or ()), *data.paths})
        self._nodes.put(key, node)
        self._touch(key, node)
        self._linked_now(node, was_linked=was_linked)
        self._hand_on(data.repo, node, added)

    def push(self, data: BranchUpdated) -> None:
        """Take in a push: `after` contains the listed commits, and `before` unless history was rewritten."""
        if data.after is None:
            return
        key = node_key(data.repo, data.after)
        node = self._nodes.get(key) or Node()
        was_linked = bool(node.parents or node.reaches)
        told = [*data.commits, data.before] if data.before and not data.forced else data.commits
        known = {*node.reaches, data.after}
        added = [sha for sha in dict.fromkeys(told) if sha not in known]
        node.reaches = sorted([*node.reaches, *added])
        node.distinct = sorted({*node.distinct, *data.distinct})
        self._nodes.put(key, node)
        self._touch(key, node)
        self._linked_now(node, was_linked=was_linked)
        self._hand_on(data.repo, node, added)

    def claim(self, change: str, repo: str, sha: str) -> Node:
        """Note that a change claims a commit, known or not yet; returns its node."""
        key = node_key(repo, sha)
        node = self._nodes.get(key) or Node()
        if change not in node.claims:
            node.claims = sorted([*node.claims, change])
            self._nodes.put(key, node)
            self._touch(key, node)
        return node

    def release(self, change: str, repo: str, sha: str) -> None:
        """Take a claim back."""
        node = self.get(repo, sha)
        if node is not None and change in node.claims:
            node.claims.remove(change)
            self.put(repo, sha, node)
            self._touch(node_key(repo, sha), node)

    def place(self, repo: str, sha: str, service: str, arrival: Arrival) -> None:
        """Note that a successful production deployment of `service` put this commit into production."""
        key = node_key(repo, sha)
        node = self._nodes.get(key) or Node()
        if arrival[1] not in node.placed:
            node.placed = sorted([*node.placed, arrival[1]])
            self._nodes.put(key, node)
        self._spread(repo, [sha], service, arrival)

    def displace(self, repo: str, sha: str, service: str, deployment: str) -> None:
        """Take a deployment back everywhere it was the first. The caller then places all later ones again."""
        node = self.get(repo, sha)
        if node is not None and deployment in node.placed:
            node.placed.remove(deployment)
            self.put(repo, sha, node)
        stack = [sha]
        while stack:
            key = node_key(repo, stack.pop())
            node = self._nodes.get(key)
            if node is not None and node.first_deployed.get(service, (0, ""))[1] == deployment:
                del node.first_deployed[service]
                self._nodes.put(key, node)
                self._touch(key, node)
                stack.extend(node.contains())

    def replace_through(self, repo: str, sha: str, service: str, arrival: Arrival) -> None:
        """Hand on `arrival` again, also through nodes that have it already: what they contain may have lost it."""
        stack, seen = [sha], {sha}
        while stack:
            key = node_key(repo, stack.pop())
            node = self._nodes.get(key) or Node()
            current = node.first_deployed.get(service)
            if current is not None and current < arrival:
                continue
            if current != arrival:
                node.first_deployed[service] = arrival
                self._nodes.put(key, node)
                self._touch(key, node)
            further = [sha for sha in node.contains() if sha not in seen]
            seen.update(further)
            stack.extend(further)

    def is_linked(self, repo: str, sha: str) -> bool:
        """Whether anything is known about what this commit contains."""
        node = self.get(repo, sha)
        return node is not None and bool(node.parents or node.reaches)

    def _hand_on(self, repo: str, node: Node, added: list[str]) -> None:
        if added:
            for service, arrival in node.first_deployed.items():
                self._spread(repo, list(added), service, arrival)

    def _spread(self, repo: str, stack: list[str], service: str, arrival: Arrival) -> None:
        nodes = self._nodes
        while stack:
            key = node_key(repo, stack.pop())
            node = nodes.get(key) or Node()
            current = node.first_deployed.get(service)
            if current is not None and current <= arrival:
                continue
            node.first_deployed[service] = arrival
            nodes.put(key, node)
            self._touch(key, node)
            if node.parents:
                stack.extend(node.parents)
            if node.reaches:
                stack.extend(node.reaches)

    def _touch(self, key: str, node: Node) -> None:
        if node.claims:
            self.touched_changes.update(node.claims)
        if node.is_fact or (node.first_deployed and not node.claims):
            self.touched_commits.add(key)

    def _linked_now(self, node: Node, *, was_linked: bool) -> None:
        if node.placed and not was_linked and (node.parents or node.reaches):
            self.linked.update(node.placed)
