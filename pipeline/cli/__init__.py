"""The command line: one file per verb. Data goes to stdout, words to stderr.

Exit codes: 0 ok, 1 findings or a failed check, 2 usage, 3 configuration, 4 source unreachable, 5 data integrity,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, TextIO

import typer

from pipeline.cli import (
    artifact,
    audit,
    backfill,
    backup,
    connector,
    contract,
    decision,
    demo,
    doctor,
    explain,
    export,
    handoff,
    ingest,
    initiative,
    log,
    metrics,
    quarantine,
    run,
    serve,
    simulate,
    snapshot,
    sql,
    week,
)
from pipeline.cli.output import say
from pipeline.events.errors import ConfigError, Corrupt, LeadlineError, Retryable

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Delivery telemetry: where value, where drag, and why - from evidence.",
)

_EXIT = {ConfigError: 3, Retryable: 4, Corrupt: 5}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadline {installed_version('leadline')}")
        raise typer.Exit


@app.callback()
def root(
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings file (default: leadline.yaml here, if there is one).")
    ] = None,
    version: Annotated[  # noqa: ARG001 - acts in its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that hold for every verb."""
    if config is not None:
        os.environ["LEADLINE_CONFIG"] = str(config)


for verb in (run, simulate, audit, backfill, backup, demo, doctor, explain, serve, sql, week):
    app.registered_commands.extend(verb.app.registered_commands)
app.registered_commands.extend(artifact.link_app.registered_commands)
app.add_typer(artifact.app, name="artifact")
app.add_typer(connector.app, name="connector")
app.add_typer(contract.app, name="contract")
app.add_typer(decision.app, name="decision")
app.add_typer(export.app, name="export")
app.add_typer(handoff.app, name="handoff")
app.add_typer(ingest.app, name="ingest")
app.add_typer(initiative.app, name="initiative")
app.add_typer(log.app, name="log")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(metrics.app, name="metrics")
app.add_typer(snapshot.app, name="snapshot")


def main() -> None:
    """Run the command line; errors raised on purpose become one message and an exit code."""
    try:
        app()
    except LeadlineError as error:
        say(f"error: {error}")
        sys.exit(next((code for kind, code in _EXIT.items() if isinstance(error, kind)), 1))
    except SystemExit as stop:
        # Typer and Rich both end with 1 when the reader of a pipe went away; but it has what it wanted, as `head` does.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        sys.exit(0)
    except OSError as error:
        if error.filename is None:
            raise
        say(f"error: {error.filename}: {error.strerror}; Leadline needs it, check that it is there and may be used")
        sys.exit(_EXIT[ConfigError])
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        _flush(sys.__stdout__)


def _flush(out: TextIO | None) -> None:
    """Write what is left, here and not while the interpreter ends, which would complain of a reader that went away."""
    if out is None:
        return
    try:
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
