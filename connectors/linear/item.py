"""Reading what Linear calls issue, project and initiative: one shape for all three, wherever their APIs put a field."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors.linear.workspace import team_of
from pipeline.events.delivery import Context
from pipeline.events.reading import Node

MAX_TEXT = 500
MAX_NAMES = 100
_CLOSED = frozenset({"completed", "canceled", "cancelled", "duplicate"})
#: Projects tell their priority by number only, issues by number and name.
_PRIORITIES = {1: "Urgent", 2: "High", 3: "Medium", 4: "Low"}
_NO_PRIORITY = "No priority"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An issue, a project or an initiative as it now stands.

    `key` is what people call it; `uuid` is what Linear's other objects call it. `parent` is a uuid. `state` is the type
    of the status (`started`, `completed` ...), "" where it is not told. `team` is the key of an issue's team.
    """

    key: str
    uuid: str | None
    former: str | None
    project: str
    kind: str
    title: str
    status: str
    state: str
    parent: str | None
    labels: list[str]
    team: str | None
    assignee: str | None
    creator: str | None
    priority: str | None
    created: datetime | None
    finished: datetime | None

    @property
    def closed(self) -> bool | None:
        """Whether it is completed, canceled or a duplicate; None where the status is not told."""
        if not self.state:
            return True if self.finished else None
        return self.state in _CLOSED


def read_issue(data: Node, context: Context) -> Item:
    """Read an issue of a webhook or of the GraphQL API."""
    team = data.text_or_none("team", "key")
    key = data.text_or_none("identifier") or (f"{team}-{data.integer('number')}" if team else data.text("identifier"))
    former = data.texts("previousIdentifiers")
    return _item(
        data,
        context,
        key=key,
        former=former[-1] if former and former[-1] != key else None,
        project=team or team_of(key),
        kind="issue",
        title=_text(data, "title"),
        status=_text(data, "state", "name"),
        state=_text(data, "state", "type").casefold(),
        parent=_id(data, "parent") or _id(data, "project"),
        team=team or team_of(key) or None,
        assignee=context.actor(_id(data, "assignee")),
    )


def read_project(data: Node, context: Context) -> Item:
    """Read a project. One that serves several initiatives has no parent: which of them it is for cannot be told."""
    initiatives = [found for item in _listed(data, "initiatives") if (found := item.key_or_none("id"))]
    status = data.at("status")
    told = status.value is not None
    return _collection(
        data,
        context,
        kind="project",
        status=_text(data, "status", "name") if told else _text(data, "state"),
        state=(_text(data, "status", "type") if told else _text(data, "state")).casefold(),
        parent=initiatives[0] if len(initiatives) == 1 else None,
        assignee=context.actor(_id(data, "lead")),
    )


def read_initiative(data: Node, context: Context) -> Item:
    """Read an initiative; its status has no type of its own: Planned, Active or Completed."""
    status = _text(data, "status")
    return _collection(
        data,
        context,
        kind="initiative",
        status=status,
        state=status.casefold(),
        parent=_id(data, "parentInitiative"),
        assignee=context.actor(_id(data, "owner")),
    )


def _collection(
    data: Node, context: Context, *, kind: str, status: str, state: str, parent: str | None, assignee: str | None
) -> Item:
    key = data.text_or_none("slugId") or data.text("id")
    return _item(
        data,
        context,
        key=key,
        former=None,
        project=key,
        kind=kind,
        title=_text(data, "name"),
        status=status,
        state=state,
        parent=parent,
        team=None,
        assignee=assignee,
    )


def _item(  # noqa: PLR0913 - what differs between the three, by name
    data: Node,
    context: Context,
    *,
    key: str,
    former: str | None,
    project: str,
    kind: str,
    title: str,
    status: str,
    state: str,
    parent: str | None,
    team: str | None,
    assignee: str | None,
) -> Item:
    uuid = data.text_or_none("id")
    return Item(
        key=key,
        uuid=uuid if uuid != key else None,
        former=former,
        project=project,
        kind=kind,
        title=title,
        status=status,
        state=state,
        parent=parent if parent != uuid else None,
        labels=_labels(data),
        team=team,
        assignee=assignee,
        creator=context.actor(_id(data, "creator")),
        priority=_priority(data),
        created=data.moment_or_none("createdAt"),
        finished=data.moment_or_none("completedAt") or data.moment_or_none("canceledAt"),
    )


def _id(data: Node, name: str) -> str | None:
    """Return the id of a related object: a webhook has `<name>Id`, the GraphQL API only the object."""
    return data.text_or_none(f"{name}Id") or data.text_or_none(name, "id")


def _text(data: Node, *names: str) -> str:
    return (data.text_or_none(*names) or "").replace("\x00", "")[:MAX_TEXT]


def _listed(data: Node, name: str) -> list[Node]:
    """Return related objects: a webhook lists them, the GraphQL API lists their nodes."""
    return data.items(name) if isinstance(data.at(name).value, list) else data.items(name, "nodes")


def _labels(data: Node) -> list[str]:
    """Return the labels, sorted: their order means nothing."""
    return sorted({name for label in _listed(data, "labels") if (name := _text(label, "name"))})[:MAX_NAMES]


def _priority(data: Node) -> str | None:
    named = _text(data, "priorityLabel")
    if not named and data.has("priority"):
        number = data.at("priority").value
        named = _PRIORITIES.get(number, "") if isinstance(number, int) else ""
    return None if named in {"", _NO_PRIORITY} else named
