"""The event types that can be mapped to, and what each of their fields holds."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pipeline.events.types import ContractDeclared, Payload
from pipeline.events.vocabulary import TYPES

_NAME = re.compile(r"dev\.cdevents(?:x\.leadline-|\.)(?P<short>[a-z]+\.[a-z]+)\.\d+\.\d+\.\d+")
#: What an event is about is the first of these that its type demands.
_SUBJECTS = (
    *("change", "deployment", "rollback", "incident", "ticket", "run", "tag", "sha", "branch", "handoff", "decision"),
    *("artifact", "subject_id", "act", "gate", "metric", "rollout"),
)
#: Fields that name a person.
PEOPLE = frozenset({"actor", "assignee", "author", "creator", "reviewer"})


class Field(msgspec.Struct, frozen=True):
    """A field of a payload. `holds`: text, flag, number, decimal, decimals (by name), time, texts,
    refs or choice (one of `choices`).
    """

    name: str
    holds: str
    required: bool
    choices: tuple[str, ...] = ()
    least: int = 0
    below: int = 2**63


class EventType(msgspec.Struct, frozen=True):
    """An event type: its full name, its payload, and the fields of that."""

    name: str
    payload: type[Payload]
    fields: dict[str, Field]
    subject: str


def _field(told: msgspec.inspect.Field) -> Field:
    kind: Any = told.type
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType))
    field = Field(told.name, "text", told.required)
    match kind:
        case msgspec.inspect.BoolType():
            return msgspec.structs.replace(field, holds="flag")
        case msgspec.inspect.IntType():
            return msgspec.structs.replace(field, holds="number", least=kind.ge or 0, below=kind.lt or 2**63)
        case msgspec.inspect.FloatType():
            return msgspec.structs.replace(field, holds="decimal")
        case msgspec.inspect.DictType():
            return msgspec.structs.replace(field, holds="decimals")
        case msgspec.inspect.DateTimeType():
            return msgspec.structs.replace(field, holds="time")
        case msgspec.inspect.ListType():
            holds = "texts" if isinstance(kind.item_type, msgspec.inspect.StrType) else "refs"
            return msgspec.structs.replace(field, holds=holds)
        case msgspec.inspect.LiteralType():
            return msgspec.structs.replace(field, holds="choice", choices=tuple(map(str, kind.values)))
        case _:
            return field


def _event_type(name: str, payload: type[Payload]) -> EventType:
    told = msgspec.inspect.type_info(payload)
    fields = {each.name: _field(each) for each in told.fields} if isinstance(told, msgspec.inspect.StructType) else {}
    subject = next(each for each in _SUBJECTS if each in fields and fields[each].required)
    return EventType(name, payload, fields, subject)


#: Short name, such as `service.deployed`, -> event type. The contract is not a tool's to declare.
EVENT_TYPES: dict[str, EventType] = {
    found["short"]: _event_type(name, payload)
    for name, payload in TYPES.items()
    if payload is not ContractDeclared and (found := _NAME.fullmatch(name))
}
