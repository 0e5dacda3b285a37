"""`leadline sql` and `leadline query`: questions to the latest snapshot, own ones and those of the library."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.settings import load_settings

app = typer.Typer()

_LISTED = ("name", "question", "usage")
Output = Annotated[Format, typer.Option("--output", "-o")]
Seconds = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds after which the query is stopped.")]
Memory = Annotated[str, typer.Option(help="Memory that the query may use.")]


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One query in DuckDB's SQL; `-` reads it from standard input.")],
    output: Output = Format.TABLE,
    timeout: Seconds = 60.0,
    memory: Memory = "1GB",
) -> None:
    """Ask the latest snapshot. `leadline sql "SHOW TABLES"` lists the views; docs/sql.md tells what is in them.

    A query can read the snapshots and nothing else.
    """
    ask(sys.stdin.read() if statement == "-" else statement, {}, output, timeout, memory)


@app.command()
def query(
    name: Annotated[str | None, typer.Argument(help="A question of the library; without one, they are listed.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="A parameter, as name=value.")] = None,
    output: Output = Format.TABLE,
    timeout: Seconds = 60.0,
    memory: Memory = "1GB",
) -> None:
    """Ask the latest snapshot one of the questions that Leadline knows."""
    import queries

    if name is None:
        rows = [{name: getattr(each, name) for name in _LISTED} for each in queries.library().values()]
        print_rows(rows, _LISTED, output)
        return
    try:
        found = queries.load(name)
        values = found.with_defaults(dict(_pair(text) for text in param or ()))
    except (KeyError, ValueError) as error:
        raise typer.BadParameter(str(error.args[0])) from error
    ask(found.sql, values, output, timeout, memory)


def ask(
    statement: str,
    parameters: Mapping[str, str | None],
    output: Format,
    timeout: float = 60.0,
    memory: str = "1GB",
) -> None:
    """Print the answer to one query; exits with 2 and one line when it cannot be answered."""
    from pipeline.snapshots.reading import BadQuery, reading

    try:
        with (
            reading(load_settings().snapshots, seconds=timeout, memory=memory) as library,
            library.ask(statement, parameters) as answer,
        ):
            print_rows(answer.rows, answer.columns, output)
    except BadQuery as error:
        say(f"error: {error}")
        raise typer.Exit(2) from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"--param {text!r}: write it as name=value")
    return name, value
