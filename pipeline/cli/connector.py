"""`leadline connector`: what can be read, how it is set, what becomes of a recorded body, and a start for a new one."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Annotated, Any

import msgspec
import typer
import yaml

from pipeline.cli.output import Format, print_rows, say
from pipeline.contract.problems import did_you_mean
from pipeline.events.codec import encode
from pipeline.events.delivery import Connector, Context, Delivery, Observation, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined, Rejected
from pipeline.wiring import CONNECTORS, clock, wire

app = typer.Typer(no_args_is_help=True, help="The sources that can be read: list them, try one, start a new one.")

_QUARANTINED = 1
_STDIN = Path("-")
_TEMPLATE = Path(__file__).with_name("new_connector")
_SUFFIX = ".txt"
#: `try` stores nothing, so the key that real pseudonyms need is neither asked for nor made.
_TRIAL_KEY = b"connector try"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_SECRET = re.compile(r"secret|token|password|key$", re.IGNORECASE)

_Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]


def parse_name(text: str) -> str:
    """Read the name of a connector."""
    if text not in CONNECTORS:
        hint = did_you_mean(text, CONNECTORS) or f"; there are {', '.join(sorted(CONNECTORS))}"
        raise typer.BadParameter(f"{text!r} is no connector{hint}")
    return text


def parse_pair(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    return name.strip(), value


_Name = Annotated[str, typer.Argument(metavar="NAME", parser=parse_name, help="Name of a connector.")]


@app.command(name="list")
def list_connectors(output: _Output = Format.TABLE) -> None:
    """Print all connectors, and how each is configured here."""
    settings = wire().settings
    rows = []
    for name, connector in sorted(CONNECTORS.items()):
        found = settings.connector(name)
        door = "unsigned" if found.allow_unsigned and not found.secrets else "signed" if found.secrets else "closed"
        rows.append({"name": name, "reads": _summary(connector), "door": door, "settings": sorted(found.settings)})
    print_rows(rows, ("name", "reads", "door", "settings"), output)


@app.command()
def show(
    name: _Name,
    readme: Annotated[bool, typer.Option("--readme", help="Print its README instead.")] = False,
    output: _Output = Format.TABLE,
) -> None:
    """Print the settings of a connector, and where its documentation is."""
    connector, found = CONNECTORS[name], wire().settings.connector(name)
    document = _folder(connector) / "README.md"
    if readme:
        typer.echo(document.read_text(encoding="utf-8"), nl=False)
        return
    say(_summary(connector))
    say(f"hook: POST /hooks/{name}; secrets: {len(found.secrets)}; documentation: {document}")
    defaults = _defaults(connector)
    rows = [
        {
            "setting": setting,
            "value": _redacted(setting, found.settings.get(setting, defaults.get(setting, ""))),
            "origin": "configured" if setting in found.settings else "default",
            "known": setting in defaults,
        }
        for setting in sorted({*defaults, *found.settings})
    ]
    print_rows(rows, ("setting", "value", "origin", "known"), output)


@app.command(name="try")
def try_out(
    name: _Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recorded body; - is stdin.")],
    *,
    kind: Annotated[str | None, typer.Option(help="What the source calls it (default: as recognised).")] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header of the original request.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting instead of the configured one; =@FILE reads it."),
    ] = None,
    output: _Output = Format.TABLE,
) -> None:
    """Print the events that a recorded body becomes, and store nothing. Exit 1 if it would be quarantined.

    People are pseudonymised under a key of this verb's own: their pseudonyms are not those of the log.
    """
    body = _body(file)
    headers = {key.lower(): value for key, value in map(parse_pair, header or [])}
    settings = {**wire().settings.connector(name).settings, **_overrides(given or [])}
    connector = CONNECTORS[name]
    try:
        kind = kind or connector.describe(headers, body)[0]
    except Rejected as error:
        raise ConfigError(f"{file}: cannot tell what kind of delivery it is ({error}); say it with --kind") from error
    delivery = Delivery(connector=name, id="try", kind=kind, received_at=clock(), body=body, headers=headers)
    try:
        translation = connector.translate(delivery, Context(actor_key=_TRIAL_KEY, settings=settings))
    except Quarantined as error:
        say(f"{kind}: quarantined, {error}")
        raise typer.Exit(_QUARANTINED) from error
    say(f"{kind}: {_outcome(translation)}")
    _print_events(list(translation.events), output)
    _print_observations(translation.observations, output)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and _.")],
    into: Annotated[Path, typer.Option(metavar="DIR", help="The folder of all connectors.")] = Path("connectors"),
) -> None:
    """Write the folder of a new connector: a small one that works, with its README, sample settings and cases."""
    for path in write_connector(name, into):
        typer.echo(path)
    say(f"Next: pytest tests/connectors -k {name}; then change one of its cases to what the tool sends")


def write_connector(name: str, into: Path) -> list[Path]:
    """Write the folder `into/name` and return its files. Raises `ConfigError`; overwrites nothing."""
    if not _NAME.fullmatch(name) or iskeyword(name):
        raise ConfigError(f"{name!r} is no name for a connector; use lower-case letters, digits and _, such as acme_ci")
    if not (into / "__init__.py").is_file():
        raise ConfigError(f"{into}: holds no connectors; run this in a checkout, or name the folder with --into")
    if name in CONNECTORS or (into / name).exists():
        raise ConfigError(f"{into / name}: there is a connector of this name; choose another one")
    words = {
        "name": name,
        "title": name.replace("_", " ").title(),
        "class": name.title().replace("_", "") + "Connector",
    }
    written = []
    for source in sorted(_TEMPLATE.rglob(f"*{_SUFFIX}")):
        place = source.relative_to(_TEMPLATE).with_suffix("").as_posix()
        target = into / name / re.sub(r"^examples/", "cases/", place)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(source.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        written.append(target)
    return written


def _body(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == _STDIN else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: cannot be read: {error.strerror}") from error


def _folder(connector: Connector) -> Path:
    return Path(inspect.getfile(type(connector))).parent


def _summary(connector: Connector) -> str:
    """Return what a connector reads: the first line of its module's documentation."""
    module = inspect.getmodule(type(connector))
    return (inspect.getdoc(module) or "").partition("\n")[0] if module else ""


def _defaults(connector: Connector) -> Mapping[str, str]:
    """Return the settings that a connector knows, with their defaults, from its sample."""
    sample = yaml.safe_load((_folder(connector) / "sample.yaml").read_text(encoding="utf-8"))
    return dict(sample[connector.name] or {})


def _redacted(setting: str, value: str) -> str:
    return "***" if value and _SECRET.search(setting) else value


def _overrides(given: list[str]) -> dict[str, str]:
    overrides = {}
    for name, value in map(parse_pair, given):
        overrides[name] = value
        if value.startswith("@"):
            try:
                overrides[name] = Path(value[1:]).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"--set {name}: {value[1:]}: cannot be read: {error}") from error
            overrides[f"{name}_file"] = value[1:]
    return overrides


def _outcome(translation: Translation) -> str:
    if translation.ignored is not None:
        return f"left out on purpose as {translation.ignored!r}"
    told = {"event": len(translation.events), "observation": len(translation.observations)}
    return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in told.items() if n or what == "event")


def _print_observations(observations: Sequence[Observation], output: Format) -> None:
    """Print what an analytics tool tracked; ingest adds it up to samples, as the declared metrics say."""
    rows: list[dict[str, Any]] = [
        {**msgspec.structs.asdict(each), "properties": msgspec.json.encode(each.properties).decode()}
        for each in observations
    ]
    if rows:
        print_rows(rows, ("name", "at", "unit", "id", "properties"), output)


def _print_events(events: list[Event], output: Format) -> None:
    """Print events: JSON as the log stores them, tables with the payload as one cell."""
    stored = [encode(event).decode() for event in events]
    if output is Format.NDJSON:
        sys.stdout.writelines(f"{line}\n" for line in stored)
    elif output is Format.JSON:
        sys.stdout.write(f"[{','.join(stored)}]\n")
    elif events or output is Format.CSV:
        rows: list[dict[str, Any]] = [
            {
                "type": event.type,
                "time": event.time,
                "subject": event.subject,
                "key": event.partitionkey,
                "data": msgspec.json.encode(event.data).decode(),
            }
            for event in events
        ]
        print_rows(rows, ("type", "time", "subject", "key", "data"), output)
