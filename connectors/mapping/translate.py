"""Bodies of in-house tools -> canonical events, as the mapping says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from connectors.mapping.challenge import CHALLENGE, challenge_in
from connectors.mapping.expressions import Expression, is_true
from connectors.mapping.load import Rule, Rules, load
from connectors.mapping.values import as_text, read_value
from connectors.mapping.vocabulary import EventType
from pipeline.events import references
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import parse_json, parse_time
from pipeline.events.types import CommitRecorded, Payload, Ref, RefVia

#: The kind of a delivery whose sender did not name one.
BODY = "body"
#: What events of one of these are ordered by, the first that is told.
_PARTITIONS = ("repo", "service", "project", "tracker")


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a body. Raises `Quarantined` for what does not fit, and `ConfigError` for a mapping that is wrong."""
    rules = load(context.settings)
    if challenge_in(delivery.body) is not None:
        return Translation(ignored=CHALLENGE)
    body = parse_json(delivery.body)
    kind = _kind(delivery.kind, body, rules)
    if kind in rules.ignore:
        return Translation(ignored=kind)
    events = [
        _event(rule, value, rules, context) for rule in rules.rules if rule.kind == kind for value in _told(rule, body)
    ]
    if not events:
        return Translation(ignored=kind)
    return Translation(events=list({event.id: event for event in events}.values()))


def _kind(sent: str, body: Any, rules: Rules) -> str:
    """Return the kind of a body: what the sender says, if it is mapped; else what the body says; else the only one."""
    known = {*rules.kinds, *rules.ignore}
    if sent in known:
        return sent
    if rules.kind is not None:
        told = as_text("kind", rules.kind.of(body))
        if told is None:
            raise Quarantined("missing_field", f"kind: {rules.kind.text!r} finds nothing in the body")
    else:
        told = rules.kinds[0] if sent == BODY and len(rules.kinds) == 1 else sent
    if told not in known:
        raise Quarantined(
            "unknown_kind", f"{told[:80]!r} has no mapping in {rules.file}; mapped are {', '.join(rules.kinds)}"
        )
    return told


def _told(rule: Rule, body: Any) -> Iterator[Any]:
    """Yield what a rule tells an event of: the body or each element of its list, where `when` holds."""
    values = [body]
    if rule.each is not None:
        found = rule.each.of(body)
        if found is not None and not isinstance(found, list):
            raise Quarantined("bad_type", f"{rule.each.place}: {rule.each.text!r} finds no list")
        values = found or []
    yield from (value for value in values if rule.when is None or is_true(rule.when.of(value)))


def _event(rule: Rule, value: Any, rules: Rules, context: Context) -> Event:
    at = _time(rule, value, utc=rules.utc)
    data = _payload(rule, value, rules, context)
    subject = str(getattr(data, rule.type.subject))
    parts = [_part(part, value) for part in rule.id]
    content = msgspec.json.encode(data).decode()
    partition = next((found for name in _PARTITIONS if (found := getattr(data, name, None))), rules.source)
    return Event(
        id=event_id(rule.type.name, subject, at.isoformat(), content, *parts),
        source=rules.source,
        type=rule.type.name,
        time=at,
        subject=subject,
        partitionkey=partition,
        data=data,
    )


def _time(rule: Rule, value: Any, *, utc: bool) -> datetime:
    at = parse_time(rule.time.of(value), rule.time.place, zoneless_utc=utc)
    if at is None:
        raise Quarantined("missing_field", f"{rule.time.place}: {rule.time.text!r} finds no time")
    return at


def _payload(rule: Rule, value: Any, rules: Rules, context: Context) -> Payload:
    given: dict[str, Any] = {}
    for field in rule.type.fields.values():
        expression = rule.fields.get(field.name)
        raw = rule.constants.get(field.name) if expression is None else expression.of(value)
        meaning = rule.values.get(field.name)
        if meaning is not None and isinstance(raw, str | int):
            raw = meaning.get(raw if isinstance(raw, str) else msgspec.json.encode(raw).decode(), raw)
        found = read_value(field, raw, utc=rules.utc, context=context)
        if found is not None:
            given[field.name] = found
        elif field.required:
            text = expression.text if expression else "the constant"
            raise Quarantined("missing_field", f"{field.name}: {text!r} finds nothing")
    if "refs" in rule.type.fields:
        given["refs"] = _refs(given, rule.type)
    return rule.type.payload(**given)


def _refs(given: dict[str, Any], event_type: EventType) -> list[Ref]:
    """Return the references of the mapping, and those in title, branch and labels, as other connectors find them."""
    via: RefVia = "commit" if event_type.payload is CommitRecorded else "title"
    return references.merge(
        given.get("refs", ()),
        references.in_text(given.get("title"), via, given.get("repo")),
        references.in_branch(given.get("branch")),
        references.in_labels(given.get("labels", ())),
    )


def _part(part: Expression, value: Any) -> str:
    found = part.of(value)
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()
