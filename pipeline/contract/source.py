"""YAML text -> plain values that know their line. Reads untrusted text: bounded in size, depth and alias expansion.

Only the plain YAML types are known; no tag constructs anything. Keys are always text (`on:` is the word, no boolean),
and so are dates and times.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from pipeline.contract.problems import WHOLE_FILE, FieldPath, Position, Problem, dotted

MAX_BYTES = 512 * 1024
MAX_VALUES = 50_000
MAX_DEPTH = 50

_PREFIX = "tag:yaml.org,2002:"
_CONVERTED = {f"{_PREFIX}{name}" for name in ("int", "float", "bool", "null")}
_AS_WRITTEN = {f"{_PREFIX}{name}" for name in ("str", "timestamp", "value")}


class Document(msgspec.Struct, frozen=True):
    """One YAML document: its value, and where every key and list item of it stands."""

    file: str
    value: Any
    positions: dict[FieldPath, Position]

    def position(self, path: FieldPath) -> Position:
        """Return where `path` stands, or the nearest part of the document around it."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, WHOLE_FILE)


class _UnusableError(Exception):
    """The document cannot be read any further."""


class _Builder:
    """Turns the nodes of one document into values, collecting positions and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.positions: dict[FieldPath, Position] = {}
        self.problems: list[Problem] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._values = 0

    def build(self, node: yaml.Node, path: FieldPath = ()) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values, aliases counted wherever they are used; split the file"
            raise self._refuse(path[:1], message)
        if len(path) > MAX_DEPTH:
            raise self._refuse(path[:1], f"nested more than {MAX_DEPTH} levels deep")
        self.positions.setdefault(path, _position(node.start_mark))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_PREFIX}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_PREFIX}seq":
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key, path, "a key must be text")
                continue
            at = (*path, key.value)
            if key.tag == f"{_PREFIX}merge":
                self._report(key, at, "merge keys are not supported; write the values out")
            elif key.value in built:
                first = self.positions[at].line
                self._report(key, at, f"duplicate key; it stands on line {first} already, keep one of them")
            else:
                self.positions[at] = _position(key.start_mark)
                built[key.value] = self.build(value, at)
        return built

    def _scalar(self, node: yaml.Node, path: FieldPath) -> Any:
        if node.tag in _AS_WRITTEN or (node.tag in _CONVERTED and ":" in node.value):  # 12:30 is no number here
            return node.value
        if node.tag in _CONVERTED and isinstance(node, yaml.ScalarNode):
            try:
                return self._scalars.construct_object(node)
            except (ValueError, LookupError):
                pass
        self._report(node, path, f"{_short(node.value)} is not a plain YAML value; write it in quotes")
        return None

    def _report(self, node: yaml.Node, path: FieldPath, message: str) -> None:
        self._add(_position(node.start_mark), path, message)

    def _refuse(self, path: FieldPath, message: str) -> _UnusableError:
        self._add(self.positions.get(path, WHOLE_FILE), path, message)
        return _UnusableError()

    def _add(self, position: Position, path: FieldPath, message: str) -> None:
        line, column = position
        self.problems.append(Problem(file=self.file, line=line, column=column, path=dotted(path), message=message))


def read_documents(file: str, raw: bytes) -> tuple[list[Document], list[Problem]]:
    """Return the documents of one file, empty ones left out, and what is wrong with the file as YAML.

    `file` is the name that problems show. Never raises: whatever stands before an error is still returned.
    """
    if len(raw) > MAX_BYTES:
        return [], [_at(file, WHOLE_FILE, f"{len(raw):,} bytes; the limit is {MAX_BYTES:,}, split the file")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        position = Position(raw.count(b"\n", 0, error.start) + 1, 1)
        return [], [_at(file, position, f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8")]
    return _read_text(file, text)


def _read_text(file: str, text: str) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            builder = _Builder(file)
            try:
                value = builder.build(node)
            except _UnusableError:
                value = None
            problems += builder.problems
            if value is not None:
                documents.append(Document(file, value, builder.positions))
    except yaml.reader.ReaderError as error:
        position = Position(text.count("\n", 0, error.position) + 1, 1)
        problems.append(_at(file, position, f"character U+{error.character:04X} is not allowed; remove it"))
    except yaml.MarkedYAMLError as error:
        problems.append(_syntax_problem(file, error))
    except RecursionError:
        problems.append(_at(file, WHOLE_FILE, f"nested more than {MAX_DEPTH} levels deep"))
    return documents, problems


def _syntax_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    position = _position(mark) if mark else WHOLE_FILE
    problem = error.problem or "unreadable"
    if "'\\t'" in problem:
        return _at(file, position, "not YAML: a tab where indentation is expected; indent with spaces")
    return _at(file, position, "not YAML: " + ", ".join(part for part in (error.context, problem) if part))


def _at(file: str, position: Position, message: str) -> Problem:
    return Problem(file=file, line=position.line, column=position.column, path="", message=message)


def _position(mark: yaml.Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _short(value: object) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}...") if isinstance(value, str) else "this"
