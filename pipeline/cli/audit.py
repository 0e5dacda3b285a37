"""`leadline audit`: recompute every fact and metric in SQL from the canonical events, and compare with the fold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from pipeline.audit.verdict import Verdict
from pipeline.cli.contract import parse_moment
from pipeline.cli.output import Format, print_rows, say

app = typer.Typer()

_COLUMNS = ("kind", "id", "field", "fold", "audit")
_NOT_READY = 1
_DIFFERS = 5


@app.command()
def audit(
    as_of: Annotated[
        datetime | None,
        typer.Option(parser=parse_moment, metavar="INSTANT", help="End of the windows; default: the latest event."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many differences to print for each kind.")] = 20,
    output: Annotated[Format, typer.Option("--output", "-o", help="How to print.")] = Format.TABLE,
) -> None:
    """Compute everything a second time, by independent SQL. Exit 5 on a difference, 1 if the fold is behind."""
    from pipeline.audit.load import scratch
    from pipeline.audit.verdict import audit as recompute
    from pipeline.log.protocol import EVENTS
    from pipeline.wiring import wire

    wiring = wire().existing()
    try:
        behind = wiring.log().end(EVENTS) - wiring.engine().position
        if behind:
            say(f"The fold has not read the last {behind} offsets of the log; `leadline run --once`, then audit again.")
            raise typer.Exit(_NOT_READY)
        with scratch() as connection:
            verdict = recompute(connection, wiring.log(), wiring.facts, wiring.metrics, as_of=as_of, limit=limit)
    finally:
        wiring.close()
    show(verdict, output)
    if not verdict.agrees:
        raise typer.Exit(_DIFFERS)


def show(verdict: Verdict, output: Format) -> None:
    """Print the differences, if there are any or a program reads them, and tell how much was compared."""
    if verdict.differences or output is not Format.TABLE:
        print_rows([msgspec.structs.asdict(difference) for difference in verdict.differences], _COLUMNS, output)
    say(f"{verdict.events} events, as of {'no event' if verdict.as_of is None else verdict.as_of.isoformat()}")
    for comparison in verdict.comparisons:
        outcome = "equal" if not comparison.fields else f"{comparison.fields} fields differ"
        say(f"  {comparison.kind:<10} fold {comparison.fold:>8}  audit {comparison.audit:>8}  {outcome}")
