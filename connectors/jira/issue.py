"""Reading an issue: the fields that count, wherever Cloud, Data Center and Jira's several APIs put them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from connectors.jira.links import is_key
from connectors.jira.settings import Settings, matches
from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node

EPIC_NAME = "Epic Link"
EPIC_SCHEMA = "com.pyxis.greenhopper.jira:gh-epic-link"
#: Where Jira Cloud and many Data Center installations keep the epic link.
COMMON_EPIC_FIELDS = ("customfield_10014", "customfield_10008")
IMPEDIMENT = "Impediment"
MAX_TEXT = 500
MAX_NAMES = 100


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What an issue looks like now. Names as Jira writes them; lists sorted, since its APIs differ in their order."""

    title: str
    kind: str
    status: str
    done: bool
    parent: str | None
    labels: list[str]
    components: list[str]
    team: str | None
    assignee: str | None
    priority: str | None
    resolution: str | None
    flagged: bool
    service: str | None


def source_of(settings: Settings, *places: Node) -> str:
    """Return the base URL of the Jira: the setting, else what precedes `/rest/` in the first `self` among `places`.

    Raises `Quarantined` when neither tells it.
    """
    if settings.base_url:
        return settings.base_url
    for place in places:
        link = place.text_or_none("self")
        if link is not None:
            return _base_url(link, place.path)
    raise Quarantined("missing_field", f"{places[0].path or 'body'}.self is absent; set base_url")


def _base_url(link: str, path: str) -> str:
    base, found, _ = link.partition("/rest/")
    wrong = Quarantined("bad_value", f"{path or 'body'}.self is {link[:80]!r}; expected an address of Jira's REST API")
    try:
        parts = urlsplit(base)
    except ValueError as error:
        raise wrong from error
    if not (found and parts.netloc and parts.scheme in {"http", "https"}):
        raise wrong
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"


def key_of(issue: Node) -> str:
    """Return the key of an issue; raises `Quarantined`."""
    key = issue.text("key")
    if not is_key(key):
        raise Quarantined("bad_value", f"{issue.path or 'body'}.key is {key[:80]!r}; expected a key such as GROW-12")
    return key


def project_of(key: str) -> str:
    """Return the project of an issue key."""
    return key.rpartition("-")[0]


def person(context: Context, who: Node) -> str | None:
    """Return the pseudonym of a user: Cloud has an account id, Data Center an address and a name."""
    for field in ("accountId", "emailAddress", "name", "key"):
        found = context.actor(who.text_or_none(field))
        if found is not None:
            return found
    return None


def read_snapshot(fields: Node, page: Node, settings: Settings, context: Context) -> Snapshot:
    """Read the state of an issue. `page`: where `names` and `schema` of the custom fields may stand."""
    components = _names(_text(component, "name") for component in fields.items("components"))
    return Snapshot(
        title=_text(fields, "summary") or "",
        kind=_text(fields, "issuetype", "name") or "",
        status=_text(fields, "status", "name") or "",
        done=fields.text_or_none("status", "statusCategory", "key") == "done",
        parent=_parent(fields, page, settings),
        labels=_names(clean(label) for label in fields.texts("labels")),
        components=components,
        team=_chosen(fields.at(settings.team_field).value) if settings.team_field else None,
        assignee=person(context, fields.at("assignee")),
        priority=_text(fields, "priority", "name"),
        resolution=_text(fields, "resolution", "name"),
        flagged=_flagged(fields, settings),
        service=_service(fields, components, settings),
    )


def closed_at(fields: Node, snapshot: Snapshot) -> datetime | None:
    """Return when an issue was closed as its own fields tell it; None: it is open, or they do not tell."""
    resolved = fields.moment_or_none("resolutiondate")
    if resolved is None and snapshot.done:
        return fields.moment_or_none("statuscategorychangedate")
    return resolved


def is_incident(snapshot: Snapshot, settings: Settings) -> bool:
    """Return whether a ticket stands for an incident, by its type or one of its labels."""
    return matches(snapshot.kind, settings.incident_types) or any(
        matches(label, settings.incident_labels) for label in snapshot.labels
    )


def clean(text: str | None) -> str | None:
    """Return a text, cut, and without the NUL that Jira lets pass and databases refuse; None for an empty one."""
    return (text or "").replace("\x00", "")[:MAX_TEXT] or None


def _text(node: Node, *names: str) -> str | None:
    text = node.text_or_none(*names)
    return None if text is None else clean(text)


def _names(found: Iterable[str | None]) -> list[str]:
    return sorted({name for name in found if name})[:MAX_NAMES]


def _chosen(value: object) -> str | None:
    """Return the text of a custom field: plain, an option, a named object, or the first of several; never a user."""
    if isinstance(value, dict):
        if "accountId" in value or "emailAddress" in value:
            return None
        value = [value.get(name) for name in ("value", "name", "title")]
    if isinstance(value, list):
        return next((text for each in value if (text := _chosen(each)) is not None), None)
    return clean(value) if isinstance(value, str) else None


def _service(fields: Node, components: list[str], settings: Settings) -> str | None:
    if settings.service_field:
        return _chosen(fields.at(settings.service_field).value)
    return components[0] if len(components) == 1 else None


def _flagged(fields: Node, settings: Settings) -> bool:
    """A flag is a checkbox field of one option, *Impediment*; the agile API has a boolean besides."""
    if settings.flagged_field:
        return bool(fields.at(settings.flagged_field).value)
    if fields.at("flagged").value is True:
        return True
    return any(_has_impediment(value) for _, value in _custom_fields(fields))


def _has_impediment(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) and each.get("value") == IMPEDIMENT for each in value)


def _parent(fields: Node, page: Node, settings: Settings) -> str | None:
    for place in ("parent", "epic"):
        key = fields.text_or_none(place, "key")
        if is_key(key):
            return key
    custom = dict(_custom_fields(fields))
    told = settings.epic_field or _told_epic_field(page)
    if told:
        return _as_key(fields.at(told).value)
    common = next((key for name in COMMON_EPIC_FIELDS if (key := _as_key(custom.get(name))) is not None), None)
    if common is not None:
        return common
    # A webhook names no field, so the epic link is the one custom field that holds a key. Of several none is taken.
    keys = [key for value in custom.values() if (key := _as_key(value)) is not None]
    return keys[0] if len(keys) == 1 else None


def _as_key(value: object) -> str | None:
    return value if isinstance(value, str) and is_key(value) and value == value.upper() else None


def _told_epic_field(page: Node) -> str | None:
    """Return the epic link's field id from the `names` or `schema` that a REST answer may carry."""
    names, schemas = page.child_or_none("names"), page.child_or_none("schema")
    for name, label in _members(names):
        if label == EPIC_NAME:
            return name
    for name, schema in _members(schemas):
        if isinstance(schema, dict) and schema.get("custom") == EPIC_SCHEMA:
            return name
    return None


def _custom_fields(fields: Node) -> list[tuple[str, object]]:
    return [(name, value) for name, value in _members(fields) if name.startswith("customfield_")]


def _members(node: Node | None) -> list[tuple[str, object]]:
    return list(node.value.items()) if node is not None and isinstance(node.value, dict) else []
