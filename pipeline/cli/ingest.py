"""`leadline ingest`: bring deliveries into the log from repositories and recorded files."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli.output import say
from pipeline.events.delivery import Connector, Delivery
from pipeline.events.errors import ConfigError, Rejected
from pipeline.ingest.deliveries import store
from pipeline.wiring import CONNECTORS, Wiring, clock, wire

_STDIN = Path("-")
#: Deliveries between two updates of what a person sees.
_STEP = 1_000
#: Rows of samples that cannot be used, of which each is told to the person.
_TOLD = 5
#: What the name of a header holds that must not be stored.
_SECRETS = ("auth", "cookie", "secret", "signature", "token")

app = typer.Typer(no_args_is_help=True, help="Bring deliveries into the log. Reading the same thing again is harmless.")

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count; append nothing.")]


@app.command()
def git(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Repositories, recorded histories, or folders of them.")
    ],
    *,
    repo: Annotated[
        str | None, typer.Option(help="Name of the repository (default: the path of remote origin).")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="REV", help="Leave out what can be reached from REV.")
    ] = None,
    changed_paths: Annotated[bool, typer.Option("--paths", help="Tell the changed paths of each commit.")] = False,
    deployments: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Tags that are production deployments (default: final releases)."),
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="TEMPLATE", help="Service that a tag deploys (default: {product}).")
    ] = None,
    dry_run: _DryRun = False,
) -> None:
    """Read the commits and tags of git repositories."""
    rule = {"deployments": deployments, "service": service}
    given = {name: value for name, value in rule.items() if value is not None}
    wiring = wire()
    try:
        for path in paths:
            found = wiring.read_git(path, repo=repo, exclude=exclude or [], paths=changed_paths, rule=given)
            _take(wiring, str(path), found, dry_run=dry_run)
    finally:
        wiring.close()


@app.command()
def file(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Recorded bodies; one per line in .ndjson and .jsonl. - is stdin."),
    ],
    *,
    connector: Annotated[str, typer.Option(help="Name of the connector that translates them.")],
    kind: Annotated[
        str | None, typer.Option(help="What the source calls them (default: as the connector recognises them).")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header of the original request.")
    ] = None,
    dry_run: _DryRun = False,
) -> None:
    """Read recorded webhook bodies or API answers."""
    if connector not in CONNECTORS:
        raise typer.BadParameter(f"{connector!r} is no connector; there are {', '.join(CONNECTORS)}")
    headers = dict(_header(text) for text in header or [])
    wiring = wire()
    try:
        for path in paths:
            found = (_recorded(CONNECTORS[connector], kind, headers, body, path) for body in _bodies(path))
            _take(wiring, str(path), found, dry_run=dry_run)
    finally:
        wiring.close()


@app.command()
def samples(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="CSV, NDJSON or Parquet files of outcome samples, or folders of them."),
    ],
    *,
    dry_run: _DryRun = False,
) -> None:
    """Read what a warehouse knows of outcomes.

    Rows that cannot be used are told, and go to quarantine by themselves; all others are taken.
    """
    refused: list[str] = []
    wiring = wire()
    try:
        for path in paths:
            _take(wiring, str(path), wiring.read_samples(path, refused.append), dry_run=dry_run)
    finally:
        wiring.close()
    for place in refused[:_TOLD]:
        say(place)
    if refused:
        say(f"rows that cannot be used: {len(refused):,}; `leadline quarantine list` has them once translated")


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{text!r} is no header; write NAME=VALUE, such as X-GitHub-Event=push")
    if any(word in name.lower() for word in _SECRETS):
        raise typer.BadParameter(f"{name} may hold a secret and is not stored; recorded files need none")
    return name.strip().lower(), value.strip()


def _recorded(connector: Connector, kind: str | None, headers: dict[str, str], body: bytes, path: Path) -> Delivery:
    """Make a delivery of a body. Its id is a hash, so that one body read twice is one delivery."""
    try:
        known = kind or connector.describe(headers, body)[0]
    except Rejected as error:
        raise ConfigError(f"{path}: cannot tell what kind of delivery it is ({error}); say it with --kind") from error
    told = "\x1f".join([known, *(f"{name}\x1e{value}" for name, value in sorted(headers.items()))])
    digest = hashlib.blake2b(told.encode() + b"\x1f" + body, digest_size=16).hexdigest()
    return Delivery(
        connector=connector.name, id=f"file:{digest}", kind=known, received_at=clock(), body=body, headers=headers
    )


def _bodies(path: Path) -> Iterator[bytes]:
    """Yield the bodies in a file: each line of .ndjson and .jsonl, else the whole file. Gzipped or not."""
    try:
        if path == _STDIN:
            yield sys.stdin.buffer.read()
            return
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            if plain.suffix in (".ndjson", ".jsonl"):
                yield from (line.strip() for line in opened if line.strip())
            else:
                yield opened.read()
    except (OSError, EOFError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _take(wiring: Wiring, what: str, deliveries: Iterable[Delivery], *, dry_run: bool) -> None:
    """Store the deliveries, and say what came of it."""
    kinds: Counter[str] = Counter()
    with Console(stderr=True).status(f"reading {what}") as status:

        def counted() -> Iterator[Delivery]:
            for delivery in deliveries:
                kinds[delivery.kind] += 1
                if kinds.total() % _STEP == 0:
                    status.update(f"reading {what}: {kinds.total():,}")
                yield delivery

        new = sum(1 for _ in counted()) if dry_run else store(wiring.log(), counted(), clock()).new
    read = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "nothing"
    say(f"{what}: read {read}; " + ("nothing stored (dry run)" if dry_run else f"{new:,} new"))
