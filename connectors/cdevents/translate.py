"""CloudEvents and CDEvents, in all their wrappings, as canonical events. Pure: one delivery in, its events out.

Accepted: a CloudEvent in structured mode, a batch of them, a CloudEvent in binary mode (attributes in `ce-` headers),
and a bare CDEvent. Leadline's own events are validated and kept with their id and source; any other CDEvent is mapped
by `connectors.cdevents.foreign`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import unquote

import msgspec

from connectors.cdevents.foreign import IGNORED, MAPPED, Told, partition_of, translate_foreign
from pipeline.events.codec import decode
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import ContractDeclared, Payload
from pipeline.events.upcasts import UPCASTS
from pipeline.events.vocabulary import TYPES

#: Kinds of delivery: attributes and data in one JSON body, or attributes in the headers.
EVENT = "event"
BINARY = "binary"
OWN_PREFIX = "dev.cdeventsx.leadline-"

_cdevents_type = re.compile(r"dev\.cdevents\.([a-z]+)\.([a-z]+)(?:[.-].*)?")
_is_pseudonym = re.compile(r"[0-9a-f]{16}").fullmatch
_people = ("author", "reviewer", "creator", "assignee", "actor")


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate one message or a batch. A batch is all or nothing: the reason names the place of the bad event in it.

    Raises `Quarantined`, and `ConfigError` for a setting that cannot be used.
    """
    if delivery.kind == BINARY:
        return _one(_from_headers(delivery), context)
    if delivery.kind != EVENT:
        raise Quarantined("unknown_kind", f"kind is {delivery.kind!r}; expected {EVENT} or {BINARY}")
    value = parse_json(delivery.body)
    if not isinstance(value, list):
        return _one(Node(value).child(), context)
    outcomes = [_one(Node(item, f"[{index}]").child(), context) for index, item in enumerate(value)]
    events = [event for outcome in outcomes for event in outcome.events]
    ignored = next((outcome.ignored for outcome in outcomes if outcome.ignored), None)
    return Translation(events=events, ignored=None if events else ignored)


def _from_headers(delivery: Delivery) -> Node:
    """Return the CloudEvent of a binary-mode request in its structured form."""
    attributes = {name[3:]: unquote(value) for name, value in delivery.headers.items() if name.startswith("ce-")}
    return Node({**attributes, "data": parse_json(delivery.body)})


def _one(message: Node, context: Context) -> Translation:
    if not message.has("context") and not message.has("type"):
        place = message.path or "body"
        raise Quarantined("missing_field", f"{place} has neither type (CloudEvent) nor context (CDEvent)")
    if message.has("context"):
        return _cdevent(message, message, context)
    if message.text("specversion") != "1.0":
        raise Quarantined("bad_value", f"specversion is {message.text('specversion')!r}; expected '1.0'")
    event_type = message.text("type")
    if _ignored_by_setting(event_type, context):
        return Translation(ignored="setting")
    if _cdevents_type.fullmatch(event_type) is None and not event_type.startswith(OWN_PREFIX):
        raise _unknown(event_type)
    return _cdevent(message, _data(message), context)


def _data(message: Node) -> Node:
    """Return the CDEvent in a CloudEvent: JSON, JSON as text, or JSON in Base64."""
    encoded = message.text_or_none("data_base64")
    data = message.at("data")
    if encoded is not None:
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Quarantined("bad_value", f"data_base64 is not Base64: {error}") from error
        data = Node(parse_json(raw), "data")
    elif isinstance(data.value, str):
        data = Node(parse_json(data.value.encode()), "data")
    return data.child()


def _cdevent(message: Node, document: Node, context: Context) -> Translation:
    event_type = document.text("context", "type")
    if _ignored_by_setting(event_type, context):
        return Translation(ignored="setting")
    if _is_own(event_type, document):
        return Translation(events=[_own(message, document, context)])
    found = _cdevents_type.fullmatch(event_type)
    name = f"{found[1]}.{found[2]}" if found else ""
    if name in IGNORED:
        return Translation(ignored=name)
    if name not in MAPPED:
        raise _unknown(event_type)
    return translate_foreign(name, _told(document, context))


def _told(document: Node, context: Context) -> Told:
    return Told(
        type=document.text("context", "type"),
        id=document.key("context", "id"),
        source=document.text("context", "source"),
        time=document.moment("context", "timestamp"),
        subject=document.key("subject", "id"),
        content=document.child_or_none("subject", "content") or Node({}, "subject.content"),
        custom=document.at("customData"),
        context=context,
    )


def _is_own(event_type: str, document: Node) -> bool:
    """Whether it is Leadline's: by its type, or for a CDEvents type by a payload that has all that ours must have."""
    if event_type.startswith(OWN_PREFIX):
        return True
    payload = TYPES.get(UPCASTS[event_type][0] if event_type in UPCASTS else event_type)
    custom = document.at("customData").value
    return payload is not None and isinstance(custom, dict) and _required(payload) <= custom.keys()


def _required(payload: type[Payload]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(payload) if field.required}


def _own(message: Node, document: Node, context: Context) -> Event:
    """Decode an event of ours; a bare CDEvent gets the envelope that its context describes."""
    wire: dict[str, Any] = {
        "specversion": "1.0",
        "id": document.at("context", "id").value,
        "source": document.at("context", "source").value,
        "type": document.at("context", "type").value,
        "time": document.at("context", "timestamp").value,
        "subject": document.at("subject", "id").value,
    }
    if message is not document and isinstance(message.value, dict):
        wire |= {name: message.value[name] for name in (*wire, "partitionkey") if name in message.value}
    wire["data"] = document.value
    event = decode(msgspec.json.encode(wire))
    if isinstance(event.data, ContractDeclared) and context.settings.get("contract") != "accept":
        raise Quarantined(
            "reserved_type",
            "the contract is declared by `leadline contract apply`; the setting contract: accept lets it in",
        )
    partition = wire.get("partitionkey") or partition_of(event.data, event.source)
    return msgspec.structs.replace(event, partitionkey=partition, data=_without_people(event.data, context))


def _without_people(data: Payload, context: Context) -> Payload:
    """Pseudonymise whoever is named in clear."""
    people = {
        name: context.actor(value)
        for name in _people
        if isinstance(value := getattr(data, name, None), str) and _is_pseudonym(value) is None
    }
    return msgspec.structs.replace(data, **people) if people else data


def _ignored_by_setting(event_type: str, context: Context) -> bool:
    pattern = context.settings.get("ignore", "")
    try:
        return bool(pattern) and re.fullmatch(pattern, event_type) is not None
    except re.error as error:
        raise ConfigError(
            f"connector cdevents, setting ignore: {pattern!r} is no regular expression ({error});"
            " it must match a whole event type"
        ) from error


def _unknown(event_type: str) -> Quarantined:
    return Quarantined(
        "unknown_type",
        f"event type {event_type[:200]!r} is not known; the setting `ignore` leaves types out on purpose",
    )
