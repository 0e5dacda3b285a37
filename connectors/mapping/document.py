"""The mapping file as a person writes it. `README.md` beside this file is its reference."""

from __future__ import annotations

from typing import Any

from pipeline.contract.fields import Text
from pipeline.contract.parts import Part


class EventMapping(Part):
    """How bodies of one kind become events of one type."""

    kind: Text
    """The kind of body that this is for; several mappings may be for one kind."""
    type: Text
    """The type of the event, such as service.deployed."""
    when: Text | None = None
    """An expression; the event is told only where it is true."""
    each: Text | None = None
    """An expression for a list; one event is told for each element, and the other expressions look at the element."""
    time: Text
    """An expression for when it happened."""
    fields: dict[str, Text] = {}
    """Field of the event -> an expression for its value."""
    constants: dict[str, Any] = {}
    """Field of the event -> its value."""
    values: dict[str, dict[str, str]] = {}
    """Field of the event -> what the tool writes -> what it means."""
    id: list[Text] = []
    """Expressions that tell apart two events which are otherwise alike."""


class MappingFile(Part):
    """A whole mapping file."""

    source: Text
    """URI of the tool; the source of all its events."""
    kind: Text | None = None
    """An expression for the kind of a body, for tools that do not send it as a header."""
    utc: bool = False
    """Whether times without a zone are UTC; otherwise they are refused."""
    ignore: list[Text] = []
    """Kinds that are left out on purpose."""
    mappings: list[EventMapping]
    """One for each kind of body."""
