"""A mapping file -> compiled mappings, or a `ConfigError` with every mistake in it: file, line, field, nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import ValidationError

from connectors.mapping.document import EventMapping, MappingFile
from connectors.mapping.expressions import Expression, compile_expression
from connectors.mapping.values import read_value
from connectors.mapping.vocabulary import EVENT_TYPES, EventType
from pipeline.contract.explain import explain
from pipeline.contract.problems import FieldPath, Problem, did_you_mean, dotted
from pipeline.contract.source import Document, read_documents
from pipeline.events.delivery import Context
from pipeline.events.errors import ConfigError, Quarantined

#: The settings: the text of the mapping, and the name of the file that it came from.
TEXT, FILE = "mapping", "mapping_file"
_NO_FILE = "setting `mapping`"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled mapping of one kind of body to one event type."""

    kind: str
    type: EventType
    when: Expression | None
    each: Expression | None
    time: Expression
    fields: dict[str, Expression]
    constants: dict[str, Any]
    values: dict[str, dict[str, str]]
    id: tuple[Expression, ...]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled mapping file."""

    file: str
    source: str
    kind: Expression | None
    utc: bool
    ignore: frozenset[str]
    rules: tuple[Rule, ...]

    @property
    def kinds(self) -> list[str]:
        """The kinds that are mapped, each once, in the order of the file."""
        return list(dict.fromkeys(rule.kind for rule in self.rules))


def load(settings: Mapping[str, str]) -> Rules:
    """Return the rules that the settings of the connector give; raises `ConfigError`, one line a mistake."""
    text = settings.get(TEXT, "")
    if not text.strip():
        raise ConfigError(f"connectors.mapping.settings: `{TEXT}` is empty; write the mapping there, or name `{FILE}`")
    return _load(settings.get(FILE, "").strip() or _NO_FILE, text)


@lru_cache(maxsize=16)
def _load(file: str, text: str) -> Rules:
    documents, problems = read_documents(file, text.encode("utf-8", "replace"))
    if not problems and len(documents) != 1:
        raise ConfigError(f"{file}: expected one YAML document, found {len(documents)}")
    if problems:
        raise _config_error(problems)
    (document,) = documents
    try:
        written = MappingFile.model_validate(document.value)
    except ValidationError as error:
        explained = explain(MappingFile, error.errors(include_url=False))
        raise _config_error([_problem(document, *each) for each in explained]) from error
    checker = _Checker()
    rules = checker.rules(file, written)
    if checker.mistakes:
        raise _config_error([_problem(document, *each) for each in checker.mistakes])
    return rules


class _Checker:
    """Compiles what is well-formed and collects what is wrong."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[FieldPath, str]] = []

    def rules(self, file: str, written: MappingFile) -> Rules:
        both = [
            (index, kind) for index, kind in enumerate(written.ignore) if kind in {m.kind for m in written.mappings}
        ]
        self.mistakes += [(("ignore", index), f"{kind!r} is mapped, too; keep one of the two") for index, kind in both]
        if not written.mappings:
            self.mistakes.append((("mappings",), "is empty; write one mapping for each kind of body"))
        compiled = [self._rule(("mappings", index), each) for index, each in enumerate(written.mappings)]
        return Rules(
            file=file,
            source=written.source,
            kind=self._optional(("kind",), written.kind),
            utc=written.utc,
            ignore=frozenset(written.ignore),
            rules=tuple(rule for rule in compiled if rule is not None),
        )

    def _rule(self, at: FieldPath, written: EventMapping) -> Rule | None:
        event_type = EVENT_TYPES.get(written.type)
        if event_type is None:
            hint = did_you_mean(written.type, EVENT_TYPES) or f"; types are {_list(EVENT_TYPES)}"
            self.mistakes.append(((*at, "type"), f"{written.type!r} is no event type{hint}"))
        else:
            self.mistakes += _wrong_fields(at, written, event_type)
        time = self._expression((*at, "time"), written.time)
        fields = {
            name: compiled
            for name, text in written.fields.items()
            if (compiled := self._expression((*at, "fields", name), text))
        }
        parts = [self._expression((*at, "id", index), text) for index, text in enumerate(written.id)]
        when, each = self._optional((*at, "when"), written.when), self._optional((*at, "each"), written.each)
        if event_type is None or time is None:
            return None
        return Rule(
            kind=written.kind,
            type=event_type,
            when=when,
            each=each,
            time=time,
            fields=fields,
            constants=written.constants,
            values=written.values,
            id=tuple(part for part in parts if part),
        )

    def _optional(self, at: FieldPath, text: str | None) -> Expression | None:
        return None if text is None else self._expression(at, text)

    def _expression(self, at: FieldPath, text: str) -> Expression | None:
        try:
            return compile_expression(text, dotted(at))
        except ValueError as error:
            self.mistakes.append((at, str(error)))
            return None


def _wrong_fields(at: FieldPath, written: EventMapping, event_type: EventType) -> Iterator[tuple[FieldPath, str]]:
    """Yield what is wrong with the fields that a mapping gives, as far as the event type tells."""
    known, hints = event_type.fields, set()
    for part, names in (("fields", written.fields), ("constants", written.constants), ("values", written.values)):
        for name in names:
            if name not in known:
                hints.add(hint := did_you_mean(name, known))
                yield (*at, part, name), f"{written.type} has no such field{hint or f'; its fields are {_list(known)}'}"
    for field in known.values():
        missing = field.required and field.name not in {*written.fields, *written.constants}
        # A field that is missing because it is misspelt is one mistake, not two.
        if missing and did_you_mean(field.name, (field.name,)) not in hints:
            yield (*at, "fields"), f"{written.type} needs {field.name!r}; give it here or under `constants`"
    yield from _wrong_constants(at, written, event_type)
    yield from _wrong_values(at, written, event_type)


def _wrong_constants(at: FieldPath, written: EventMapping, event_type: EventType) -> Iterator[tuple[FieldPath, str]]:
    for name, value in written.constants.items():
        if name in written.fields:
            yield (*at, "constants", name), "stands under `fields`, too; keep one of the two"
        elif mistake := _wrong_constant(event_type, name, value):
            yield (*at, "constants", name), mistake


def _wrong_values(at: FieldPath, written: EventMapping, event_type: EventType) -> Iterator[tuple[FieldPath, str]]:
    for name, meanings in written.values.items():
        if name in event_type.fields and name not in written.fields:
            yield (*at, "values", name), "has no expression under `fields`; add one"
        for native, meaning in meanings.items():
            if mistake := _wrong_constant(event_type, name, meaning):
                yield (*at, "values", name, native), mistake


def _wrong_constant(event_type: EventType, name: str, value: Any) -> str | None:
    if name not in event_type.fields:
        return None
    try:
        read_value(event_type.fields[name], value, utc=False, context=Context(actor_key=b""))
    except Quarantined as error:
        return error.detail
    return None


def _problem(document: Document, path: FieldPath, message: str) -> Problem:
    line, column = document.position(path)
    return Problem(file=document.file, line=line, column=column, path=dotted(path), message=message)


def _config_error(problems: list[Problem]) -> ConfigError:
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path))
    return ConfigError("\n".join(map(str, ordered)))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
