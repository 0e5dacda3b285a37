"""`leadline contract`: write, check, declare and show the semantic contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml

from pipeline.cli.output import Format, print_rows, say
from pipeline.contract.declare import changes
from pipeline.contract.load import Loaded, load
from pipeline.contract.measures import read_measures
from pipeline.contract.model import KINDS
from pipeline.contract.resolve import Contract, Declaration, Version
from pipeline.contract.schema import json_schema
from pipeline.contract.timeline import EVER
from pipeline.events.codec import decode
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError
from pipeline.events.times import from_us, to_us
from pipeline.events.types import ContractDeclared
from pipeline.log.declarations import declarations
from pipeline.log.protocol import EVENTS, EventLog, event_record

SCHEMA_FILE = "leadline.schema.json"

app = typer.Typer(no_args_is_help=True, help="The semantic contract: initiatives, teams, services, statuses, policy.")

_Row = dict[str, Any]


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 date or instant; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no ISO 8601 date or time; such as 2026-03-01 or 2026-03-01T09:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_kind(text: str) -> str:
    """Read a kind, whatever its case."""
    found = next((kind for kind in KINDS if kind.casefold() == text.casefold()), None)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a kind; kinds are {', '.join(KINDS)}")
    return found


_Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...", help="Files or directories.", show_default="setting `contract`, else contract/"
    ),
]
_Kind = Annotated[str | None, typer.Argument(metavar="[KIND]", parser=parse_kind, help=" | ".join(KINDS))]
_Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]


@app.command()
def init(directory: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("contract")) -> None:
    """Write a commented starter contract, one file per kind, and the schema by which editors check it."""
    for path in write_starter(directory):
        typer.echo(path)
    say(f"Edit the files, then: leadline contract validate {directory} && leadline contract apply {directory}")


@app.command()
def validate(
    paths: _Paths = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if there are findings, too.")] = False,
    database: Annotated[
        bool, typer.Option("--database/--no-database", help="Hold it against the tickets of the database, if any.")
    ] = True,
    output: _Output = Format.TABLE,
) -> None:
    """Check contract files without declaring anything. Exit 3 if they cannot be applied.

    Statuses and types that tickets have and no StatusMap knows are listed and counted; exit 1 if there are any.
    """
    from pipeline.cli.contract_words import words_that_tickets_have

    loaded = load(_chosen(paths))
    unknown = words_that_tickets_have(loaded) if database and not loaded.errors else []
    print_problems(Loaded(loaded.objects, [*loaded.problems, *unknown]), output)
    if loaded.errors:
        raise typer.Exit(3)
    if unknown or (strict and loaded.problems):
        raise typer.Exit(1)


@app.command()
def apply(
    paths: _Paths = None,
    effective: Annotated[
        datetime | None,
        typer.Option(
            parser=parse_moment, metavar="ISO", help="Since when it holds. Default: now; new objects: since ever."
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Withdraw declared objects that the files no longer hold.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be declared, and declare nothing.")
    ] = False,
    output: _Output = Format.TABLE,
) -> None:
    """Declare what has changed in the files since the last time."""
    from pipeline.wiring import clock, open_log

    log = open_log()
    try:
        contract = read_contract(log)
        known = () if prune else contract.objects().keys()
        loaded = load(_chosen(paths), known)
        for problem in loaded.problems:
            if problem.severity == "finding":
                say(f"finding: {problem}")
        now = clock()
        events = changes(loaded.require(), contract, now, effective, prune=prune)
        if not dry_run:
            declare(log, events, now)
    finally:
        log.close()
    print_rows(summary(events, contract), ("action", "kind", "name", "effective", "changed"), output)
    say(f"{len(events)} {'declarations to make' if dry_run else 'declarations made'}")
    if warning := remeasuring(events):
        say(warning)


@app.command()
def show(
    kind: _Kind = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=parse_moment, metavar="ISO", help="What held then. Default: latest."),
    ] = None,
    output: _Output = Format.TABLE,
) -> None:
    """Print what is declared: a list, or with KIND and NAME the object itself as YAML."""
    from pipeline.wiring import open_log

    log = open_log()
    try:
        contract = read_contract(log)
        _, unmeasurable = read_measures(_declarations(log))
    finally:
        log.close()
    for each in [*contract.unreadable, *unmeasurable]:
        say(f"not used: {each.kind} {each.name}, declared by event {each.id}: {each.message}")
    moment = None if as_of is None else to_us(as_of)
    if kind and name:
        print_object(contract, kind, name, moment, output)
        return
    print_rows(listing(contract, kind, moment), ("kind", "name", "title", "owner", "since", "versions"), output)
    if not contract.has_declarations:
        say("Nothing is declared yet: `leadline contract init` writes a contract to start from.")


@app.command()
def schema(kind: _Kind = None) -> None:
    """Print the JSON Schema of one kind, or of a contract file of any kind."""
    typer.echo(_schema_text(kind))


def read_contract(log: EventLog) -> Contract:
    """Compile the contract from all declarations in the log. Raises Quarantined for an event that cannot be decoded."""
    return Contract.compile(_declarations(log))


def remeasuring(events: Sequence[Event]) -> str | None:
    """Return what a person has to know if declarations change how metrics are measured."""
    named = (
        each.name for event in events if isinstance(each := event.data, ContractDeclared) and each.kind == "Metric"
    )
    metrics = ", ".join(dict.fromkeys(named))
    return metrics and (
        f"{metrics}: samples of what was tracked before stay as they are; `leadline rebuild --retranslate` derives all "
        "of them again"
    )


def declare(log: EventLog, events: Sequence[Event], now: datetime) -> None:
    """Append declarations durably."""
    if events:
        log.append(EVENTS, [event_record(event) for event in events], now)


def write_starter(directory: Path) -> list[Path]:
    """Write the starter contract and its schema; returns the files.

    Raises ConfigError rather than overwrite one, and if the directory cannot be written.
    """
    texts = {
        resource.name: resource.read_text(encoding="utf-8")
        for resource in files("pipeline.contract").joinpath("starter").iterdir()
        if resource.name.endswith(".yaml")
    }
    texts[SCHEMA_FILE] = _schema_text(None) + "\n"
    existing = [str(directory / name) for name in sorted(texts) if (directory / name).exists()]
    if existing:
        raise ConfigError(f"{', '.join(existing)}: exists; name another directory, or move it away")
    written = [directory / name for name in sorted(texts)]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in written:
            path.write_text(texts[path.name], encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be written ({error.strerror}); name another directory") from error
    return written


def print_problems(loaded: Loaded, output: Format) -> None:
    """Print problems as rows, or for people as `file:line: field: what is wrong`; the tally goes to stderr."""
    if output is Format.TABLE:
        for problem in loaded.problems:
            typer.echo(problem if problem.severity == "error" else f"{problem} [finding]")
    else:
        columns = ("severity", "file", "line", "column", "path", "message")
        print_rows([msgspec.structs.asdict(problem) for problem in loaded.problems], columns, output)
    errors = len(loaded.errors)
    say(f"{len(loaded.objects)} valid objects, {errors} errors, {len(loaded.problems) - errors} findings")


def print_object(contract: Contract, kind: str, name: str, at: int | None, output: Format) -> None:
    """Print one object as YAML, or as JSON. Raises ConfigError if it is not declared."""
    version = contract.objects(at).get((kind, name))
    if version is None:
        then = "" if at is None else f" as of {from_us(at).isoformat()}"
        raise ConfigError(f"no {kind} {name!r} is declared{then}; `leadline contract show {kind}` lists what is")
    document = as_document(kind, name, version)
    if output is Format.TABLE:
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), nl=False)
    else:
        typer.echo(msgspec.json.encode(document))


def as_document(kind: str, name: str, version: Version) -> dict[str, Any]:
    """Return a version as it would stand in a contract file."""
    return {
        "apiVersion": "leadline/v1",
        "kind": kind,
        "metadata": {"name": name, **version.metadata},
        "spec": version.spec,
    }


def listing(contract: Contract, kind: str | None, at: int | None) -> list[_Row]:
    """Return one row an object: what it is, whose, since when it holds and how many versions there are."""
    return [
        {
            "kind": object_kind,
            "name": name,
            "title": version.metadata.get("displayName"),
            "owner": (version.spec or {}).get("owner"),
            "since": "ever" if version.start == EVER else from_us(version.start),
            "versions": len(contract.versions(object_kind, name)),
        }
        for (object_kind, name), version in contract.objects(at).items()
        if kind in (None, object_kind)
    ]


def summary(events: Sequence[Event], contract: Contract) -> list[_Row]:
    """Return one row a declaration: what it does to which object, from when on, and which fields it changes."""
    return [_summary_row(event.data, contract) for event in events if isinstance(event.data, ContractDeclared)]


def _summary_row(data: ContractDeclared, contract: Contract) -> _Row:
    versions = contract.versions(data.kind, data.name)
    start = EVER if data.effective_from is None else to_us(data.effective_from)
    held = next((version for version in reversed(versions) if version.start <= start), None)
    before = {"metadata": held.metadata, "spec": held.spec} if held else {}
    after = {"metadata": data.metadata, "spec": data.spec}
    existed = held is not None and held.spec is not None
    return {
        "action": "withdraw" if data.spec is None else "change" if existed else "declare",
        "kind": data.kind,
        "name": data.name,
        "effective": data.effective_from or "ever",
        "changed": sorted(_differences(before, after, "")) if existed and data.spec is not None else [],
    }


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from _differences(before.get(key), after.get(key), f"{path}.{key}".removeprefix("."))
    elif before != after:
        yield f"{path}: {_compact(before)} -> {_compact(after)}"


def _compact(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _declarations(log: EventLog) -> Iterator[Declaration]:
    for value in declarations(log):
        event = decode(value)
        if isinstance(event.data, ContractDeclared):
            yield to_us(event.time), event.id, event.data


def _chosen(paths: list[Path] | None) -> list[Path]:
    from pipeline.settings import load_settings

    return paths or [load_settings().contract]


def _schema_text(kind: str | None) -> str:
    return msgspec.json.format(msgspec.json.encode(json_schema(kind)), indent=2).decode()
