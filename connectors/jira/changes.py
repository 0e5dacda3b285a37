"""Reading a changelog: which item of which change is a move, a link, a transfer, a reopening or a new key.

A change has one id in a webhook, in an issue's `changelog` and on the pages of the changelog endpoint. Only the last
two tell its time. A webhook has the issue's `updated`, some milliseconds earlier (Jira writes the issue before its
history), and a link is written to both of its issues one after the other. Hence every instant that comes from a change
is cut to the second, so that the copies of a change are one event. The ids keep the order of changes within a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from connectors.jira.issue import clean, person, project_of
from connectors.jira.links import Edge, Phrases, edge_in_text, is_key
from connectors.jira.settings import Settings
from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node

_CHANGE_DIGITS = 12


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a changelog. `at` is a whole second; `id` None: an old webhook did not tell it."""

    id: str | None
    at: datetime
    actor: str | None
    items: list[Node]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """From one status to another."""

    to_status: str
    from_status: str | None
    reason: str | None


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """From one team, or project, to another. `from_team` None: it had none."""

    to_team: str
    from_team: str | None


class LinkChange(msgspec.Struct, frozen=True, kw_only=True):
    """A dependency that was added, or removed."""

    edge: Edge
    added: bool


def whole_second(moment: datetime) -> datetime:
    """Return an instant without its fraction of a second."""
    return moment.replace(microsecond=0)


def told_changes(histories: Iterable[Node], context: Context) -> list[Change]:
    """Read the histories of a REST answer, oldest first; raises `Quarantined` where one tells no time."""
    changes = [
        Change(
            id=history.key_or_none("id"),
            at=whole_second(history.moment("created")),
            actor=person(context, history.at("author")),
            items=history.items("items"),
        )
        for history in histories
    ]
    return sorted(changes, key=lambda change: (change.at, change_id(change)))


def pushed_change(root: Node, at: datetime, context: Context) -> list[Change]:
    """Read the change that a webhook tells, [] if none; `at` is the best time that it has."""
    if not root.has("changelog"):
        return []
    changelog = root.child("changelog")
    return [
        Change(
            id=changelog.key_or_none("id"),
            at=whole_second(at),
            actor=person(context, root.at("user")),
            items=changelog.items("items"),
        )
    ]


def change_id(change: Change, *parts: object) -> str:
    """Return the id of an event that a change tells; of two in one second, the later change has the greater id."""
    digest = event_id(*parts, change.id, change.at)
    if change.id is None or not (change.id.isascii() and change.id.isdigit()):
        return digest
    return f"{int(change.id):0{_CHANGE_DIGITS}x}"[-_CHANGE_DIGITS:] + digest[_CHANGE_DIGITS:]


def moves(change: Change, settings: Settings) -> list[Move]:
    """Return the moves between statuses that a change tells, with what the same change says of why."""
    return [
        Move(
            to_status=item.text_or_none("toString") or item.text("to"),
            from_status=item.text_or_none("fromString") or item.key_or_none("from"),
            reason=_reason(change, settings),
        )
        for item in change.items
        if _is(item, "status")
    ]


def transfers(change: Change, settings: Settings) -> list[Transfer]:
    """Return the transfers that a change tells: of the team field, or of the project where no such field is set."""
    if settings.team_field:
        items = [item for item in change.items if _is_custom(item, settings.team_field, settings.team_field_name)]
        told: list[tuple[str | None, str | None]] = [
            (clean(item.text_or_none("fromString")), clean(item.text_or_none("toString"))) for item in items
        ]
    else:
        former, present = former_key(change), present_key(change)
        told = [(project_of(former), project_of(present))] if former is not None and present is not None else []
    return [Transfer(to_team=after, from_team=before) for before, after in told if after and before != after]


def link_changes(key: str, change: Change, phrases: Phrases) -> list[LinkChange]:
    """Return the dependencies of the issue `key` that a change adds or removes."""
    found = []
    for item in change.items:
        if _is(item, "Link", "issuelinks"):
            for text, added in ((item.text_or_none("fromString"), False), (item.text_or_none("toString"), True)):
                edge = edge_in_text(key, text, phrases)
                if edge is not None:
                    found.append(LinkChange(edge=edge, added=added))
    return found


def clears_resolution(change: Change) -> bool:
    """Return whether a change takes the resolution away, which is how Jira reopens."""
    return any(
        _is(item, "resolution") and item.has("fromString") and not item.has("toString") and not item.has("to")
        for item in change.items
    )


def former_key(change: Change) -> str | None:
    """Return the key that an issue had before a change took it to another project, or None."""
    for item in change.items:
        if _is(item, "Key"):
            key = item.text_or_none("fromString")
            if not is_key(key):
                raise Quarantined("bad_value", f"{item.path}.fromString is {key!r}; expected the former issue key")
            return key
    return None


def present_key(change: Change) -> str | None:
    """Return the key that a change gave an issue in another project, or None."""
    key = next(iter(_values(change, "Key", "toString")), None)
    return key if is_key(key) else None


def _reason(change: Change, settings: Settings) -> str | None:
    """Return why: what was given in the field for that, else the resolution that was set.

    Every copy of a change tells both. A comment that went with it does not count: only a webhook shows them together.
    """
    field = settings.reason_field
    given = [item.text_or_none("toString") for item in change.items if field and _is_custom(item, field, field)]
    found = (clean(text) for text in (*given, *_values(change, "resolution", "toString")))
    return next((text for text in found if text), None)


def _values(change: Change, name: str, side: str) -> list[str | None]:
    return [item.text_or_none(side) for item in change.items if _is(item, name)]


def _is_custom(item: Node, field_id: str, name: str) -> bool:
    """Whether an item is about a custom field, by its id; where none is told (Data Center), by its name."""
    told = item.text_or_none("fieldId")
    if told is not None:
        return told == field_id
    return (
        item.text_or_none("fieldtype") == "custom" and (item.text_or_none("field") or "").casefold() == name.casefold()
    )


def _is(item: Node, name: str, field_id: str | None = None) -> bool:
    """Whether an item is about a field of Jira's own; a custom field may have any name, so that of `status` too."""
    told = item.text_or_none("fieldId")
    if told is not None and told.startswith("customfield_"):
        return False
    if (item.text_or_none("fieldtype") or "jira") != "jira":
        return False
    field = item.text_or_none("field") or ""
    return told == (field_id or name.casefold()) or field.casefold() == name.casefold()
