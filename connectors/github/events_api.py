"""Items of the Events API (and of GH Archive, which stores them): webhooks by another name, with less in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from connectors.github import changes, code
from connectors.github.kinds import LEFT_OUT, PUBLIC_ONLY, WEBHOOKS
from connectors.github.repository import from_url, of_header
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository
from pipeline.events.reading import Node

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"[A-Za-z]{1,60}Event")


def item(node: Node, headers: Mapping[str, str], context: Context) -> Outcome:
    """Read one item. Raises `Quarantined("unknown_type")` for a type that GitHub does not have."""
    name = node.text("type")
    kind = _CAPITAL.sub("_", name.removesuffix("Event")).lower() if _NAME.fullmatch(name) else ""
    if kind in LEFT_OUT or kind in PUBLIC_ONLY:
        return kind
    reader = WEBHOOKS.get(kind)
    if reader is None:
        raise Quarantined("unknown_type", f"{node.at('type').path} is {name[:80]!r}; the Events API has none such")
    return _payload(kind, node, _repository(node, headers), context, reader)


def _payload(
    kind: str, node: Node, repo: Repository, context: Context, reader: Callable[[Node, Repository, Context], Outcome]
) -> Outcome:
    payload = node.child("payload")
    if kind == "push":
        return code.public_push(payload, node.moment("created_at"), repo)
    if kind == "pull_request" and not payload.has("pull_request", "updated_at"):
        return changes.trimmed(payload, node, repo, context)
    return reader(payload, repo, context)


def _repository(node: Node, headers: Mapping[str, str]) -> Repository:
    found = from_url(node.text_or_none("repo", "url")) or of_header(headers)
    if found is not None:
        return found
    name = node.text("repo", "name")
    return of_header({"x-leadline-repo": name}) or _bad_name(node, name)


def _bad_name(node: Node, name: str) -> Repository:
    raise Quarantined("bad_value", f"{node.at('repo', 'name').path} is {name[:80]!r}; expected owner/repo")
