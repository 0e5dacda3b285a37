"""Contract files -> objects, with every problem of all files collected and located."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec
from pydantic import ValidationError

from pipeline.contract.checks import Located, check
from pipeline.contract.explain import explain
from pipeline.contract.model import KINDS, AnyObject
from pipeline.contract.problems import WHOLE_FILE, FieldPath, Problem, did_you_mean, dotted
from pipeline.contract.source import Document, read_documents
from pipeline.events.errors import ConfigError

SUFFIXES = (".yaml", ".yml")


class Loaded(msgspec.Struct, frozen=True):
    """What was read: the objects that are valid by themselves, in the order of the files, and all problems by place."""

    objects: list[AnyObject]
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """Return the problems for which nothing may be applied."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def require(self) -> list[AnyObject]:
        """Return the objects. Raises ConfigError, one line an error, if there is any error."""
        if self.errors:
            raise ConfigError("\n".join(map(str, self.errors)))
        return self.objects


def load(paths: Sequence[Path], known: Collection[tuple[str, str]] = ()) -> Loaded:
    """Read and check contract files; a directory means every `.yaml` and `.yml` file under it, hidden ones left out.

    `known` are the (kind, name) of objects that exist elsewhere, so that references to them are right. Never raises for
    what a file says or for a file that cannot be read: both are problems.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        for file in _files(path, problems):
            read, found = _read(file)
            documents += read
            problems += found
    located: list[Located] = []
    for document in documents:
        parsed, found = parse(document)
        # Where YAML could not read a value, that the value is missing is no second problem.
        places = {(problem.file, problem.line, problem.path) for problem in problems}
        problems += [each for each in found if (each.file, each.line, each.path) not in places]
        if parsed is not None:
            located.append(Located(parsed, document))
    # An object with an error of its own still has a name; a reference to it is no second error.
    names = {*known, *(name for document in documents if (name := _name_of(document)))}
    problems += check(located, names)
    problems.sort(key=lambda problem: (problem.file, problem.line, problem.column, problem.path))
    return Loaded([each.object for each in located], problems)


def parse(document: Document) -> tuple[AnyObject | None, list[Problem]]:
    """Return the object that a document describes, or None and what is wrong with it."""
    value = document.value
    if not isinstance(value, dict):
        return None, [_problem(document, (), "expected an object with apiVersion, kind, metadata and spec")]
    kind = value.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        hint = did_you_mean(str(kind), KINDS)
        said = f"{kind!r} is not a kind" if "kind" in value else "required, but missing"
        return None, [_problem(document, ("kind",), f"{said}; kinds are {', '.join(KINDS)}{hint}")]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        explained = explain(model, error.errors(include_url=False))
        return None, [_problem(document, path, message) for path, message in explained]


def _files(path: Path, problems: list[Problem]) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in SUFFIXES and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not files:
        problems.append(_file_problem(path, f"no {' or '.join(SUFFIXES)} file in this directory"))
    return files


def _read(file: Path) -> tuple[list[Document], list[Problem]]:
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return [], [_file_problem(file, "no such file or directory")]
    except OSError as error:
        return [], [_file_problem(file, f"cannot be read: {error.strerror}")]
    return read_documents(str(file), raw)


def _name_of(document: Document) -> tuple[str, str] | None:
    match document.value:
        case {"kind": str(kind), "metadata": {"name": str(name)}}:
            return kind, name
        case _:
            return None


def _problem(document: Document, path: FieldPath, message: str) -> Problem:
    line, column = document.position(path)
    return Problem(file=document.file, line=line, column=column, path=dotted(path), message=message)


def _file_problem(file: Path, message: str) -> Problem:
    return Problem(file=str(file), line=WHOLE_FILE.line, column=WHOLE_FILE.column, path="", message=message)
