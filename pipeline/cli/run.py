"""`leadline run` follows the log; `leadline rebuild` derives everything again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.cli.output import say
from pipeline.cli.polled import say_polled, say_retries
from pipeline.engine.embedded import Progress as Report

app = typer.Typer()


@app.command()
def run(
    once: Annotated[
        bool, typer.Option("--once", help="Stop at the end of the log instead of waiting for more.")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at an idle log.")] = 1.0,
) -> None:
    """Translate deliveries, fold events, keep facts and metrics up to date; poll what the settings say."""
    from pipeline.wiring import clock, wire

    wiring = wire()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    say_retries()
    with ExitStack() as stack:
        stack.callback(wiring.close)
        loop = stack.enter_context(wiring.poll_loop(say_polled))
        if once:
            loop.run_due()
        else:
            stack.enter_context(loop)
        while True:
            translated = wiring.translator().run(clock())
            with _progress("folding") as progress:
                report = wiring.engine().run(progress=progress)
            if translated.deliveries or report.events:
                say(
                    f"{translated.deliveries} deliveries -> {translated.events} new events"
                    f" ({sum(translated.quarantined.values())} quarantined,"
                    f" {sum(translated.ignored.values())} ignored);"
                    f" folded {report.events} events, {report.revisions} fact revisions"
                )
            if translated.observations:
                say(
                    f"{translated.observations} observations -> {translated.samples} samples of outcomes"
                    f" ({sum(translated.late.values())} late, {sum(translated.rejected.values())} rejected)"
                )
            if translated.outdated:
                say(
                    f"{', '.join(translated.outdated)}: measured as declared before;"
                    " `leadline rebuild --retranslate` applies the change"
                )
            if report.restarts:
                say("What facts are derived with has changed: the log was folded again from its beginning.")
            if report.parked:
                say(f"{report.parked} events cannot be read by this release; `leadline log verify` names them")
            if once or stop.wait(interval):
                break


@app.command()
def rebuild(
    retranslate: Annotated[
        bool, typer.Option("--retranslate", help="Derive the events from the raw deliveries again, too.")
    ] = False,
    accept_failures: Annotated[
        bool,
        typer.Option("--accept-failures", help="Retranslate even if deliveries that had been translated now fail."),
    ] = False,
) -> None:
    """Forget all derived state and compute it again from the log."""
    from pipeline.wiring import clock, wire

    wiring = wire()
    try:
        if retranslate:
            changed = wiring.translator().retranslate(clock(), accept_failures=accept_failures)
            if not changed.applied:
                say(f"Nothing was changed: deliveries that had been translated now fail: {changed.failing}.")
                say("Correct the translator, or pass --accept-failures to quarantine them.")
                raise typer.Exit(1)
            say(
                f"retranslated {changed.deliveries} deliveries:"
                f" {changed.removed} events taken back, {changed.added} new"
            )
        with _progress("rebuilding") as progress:
            report = wiring.engine().rebuild(progress=progress)
    finally:
        wiring.close()
    say(f"folded {report.events} events in {report.commits} commits; {report.parked} parked")


@contextmanager
def _progress(what: str) -> Iterator[Report | None]:
    """A progress bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what)
        yield lambda reached, end: bar.update(task, completed=reached, total=end)
