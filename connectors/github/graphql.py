"""Deployments as GraphQL answers: one with its statuses, or with the latest of them."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.github import runs
from connectors.github.repository import from_page_url, of_item
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, joined
from pipeline.events.reading import Node


def deployments(root: Node) -> list[Node] | None:
    """Return the deployments in the answer to a query of a repository's; None for anything else."""
    path = ("data", "repository", "deployments")
    return root.items(*path, "nodes") if isinstance(root.value, dict) and root.has(*path) else None


def deployment(item: Node, headers: Mapping[str, str], _context: Context) -> Outcome:
    """Return what a deployment and its statuses tell, as the REST API and the webhooks do."""
    repo = from_page_url(_at(item, "repository", "url").text_or_none()) or of_item(item, headers)
    of = Node(
        {
            "id": _at(item, "databaseId").value,
            "sha": _at(item, "commitOid").value,
            "environment": _at(item, "environment").value,
            "created_at": _at(item, "createdAt").value,
        },
        item.path,
    )
    listed = _at(item, "statuses", "nodes").items()
    latest = _at(item, "latestStatus")
    statuses = listed or ([latest] if latest.value is not None else [])
    return joined([runs.requested(of, repo), *(runs.status(_status(each), of, repo) for each in statuses)])


def _status(item: Node) -> Node:
    at = _at(item, "createdAt").value or _at(item, "updatedAt").value
    return Node({"state": _at(item, "state").value, "created_at": at}, item.path)


def _at(node: Node, *names: str) -> Node:
    """Return the place below, whether its names begin in lower case or, as programs store answers, in upper case."""
    for name in names:
        upper = node.at(f"{name[0].upper()}{name[1:]}")
        node = upper if upper.value is not None else node.at(name)
    return node
