"""`leadline handoff`: hand work to another team, take it up, return it, deliver it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline.cli.contract import parse_moment
from pipeline.cli.decision import references
from pipeline.cli.output import Format, print_rows, say
from pipeline.cli.standing import AsOf, At, Force, Output, standing
from pipeline.events.coordination import HandoffEvent
from pipeline.events.times import from_us
from pipeline.facts.rows import WaitFact

app = typer.Typer(no_args_is_help=True, help="Hand-overs between teams: requested, accepted, returned, delivered.")

REQUESTED, ACCEPTED, RETURNED, DELIVERED = HandoffEvent.TYPES
_COLUMNS = (
    *("handoff", "title", "from", "to", "mode", "requested_at", "due_at", "end", "ended_at", "overdue", "missing"),
    *("bounces", "initiative"),
)

_Id = Annotated[str, typer.Argument(metavar="ID", help="Its id; choose one.")]
_From = Annotated[str | None, typer.Option("--from", metavar="TEAM", help="The team that hands over.")]
_To = Annotated[str | None, typer.Option("--to", metavar="TEAM", help="The team that takes over.")]
_Title = Annotated[str, typer.Option(help="What is handed over.")]
_Ticket = Annotated[str | None, typer.Option(help="The ticket that is handed over.")]


@app.command()
def request(  # noqa: PLR0913 - one an option
    handoff: _Id,
    *,
    from_team: _From = None,
    to_team: _To = None,
    title: _Title = "",
    ticket: _Ticket = None,
    needed_by: Annotated[
        datetime | None, typer.Option(parser=parse_moment, metavar="ISO", help="When it has to be taken up.")
    ] = None,
    initiative: Annotated[str | None, typer.Option(help="The initiative that it is about.")] = None,
    at: At = None,
    force: Force = False,
) -> None:
    """Record that a team asks another to take work over."""
    with standing(new=True) as known:
        known.check_team("--from", from_team, force=force)
        known.check_team("--to", to_team, force=force)
        known.check_initiative(initiative, force=force)
        data = HandoffEvent(
            handoff=handoff,
            from_team=from_team,
            to_team=to_team,
            title=title,
            ticket=ticket,
            needed_by=needed_by,
            refs=references(initiative, ticket),
        )
        known.tell(REQUESTED, handoff, data, at)


@app.command()
def accept(handoff: _Id, at: At = None) -> None:
    """Record that the other team took the work up."""
    _followed(ACCEPTED, handoff, at)


@app.command(name="return")
def return_(handoff: _Id, at: At = None) -> None:
    """Record that the other team gave the work back."""
    _followed(RETURNED, handoff, at)


@app.command()
def deliver(handoff: _Id, at: At = None) -> None:
    """Record that the other team delivered."""
    _followed(DELIVERED, handoff, at)


@app.command(name="list")
def list_handoffs(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that nobody took up.")] = False,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print hand-overs, those of tickets that changed teams included; open ones first. What is missing is named."""
    with standing(as_of) as known:
        waits = [wait for wait in known.known.of(WaitFact) if wait.kind == "handoff" and wait.excluded is None]
        begun = [wait for wait in waits if wait.opened_at <= known.as_of]
        shown = [wait for wait in begun if wait.ended_at is None or not only_open]
        shown.sort(key=lambda wait: (wait.ended_at is not None, wait.due_at or 1 << 62, wait.id))
        print_rows([_row(wait, known.as_of) for wait in shown], _COLUMNS, output)
        known.warn_if_behind()


def _row(wait: WaitFact, as_of: int) -> dict[str, object]:
    return {
        "handoff": wait.id.removeprefix("handoff|"),
        "title": wait.title,
        "from": wait.consumer,
        "to": wait.provider,
        "mode": wait.mode,
        "requested_at": None if "requested" in wait.missing else from_us(wait.opened_at),
        "due_at": None if wait.due_at is None else from_us(wait.due_at),
        "end": wait.end,
        "ended_at": None if wait.ended_at is None else from_us(wait.ended_at),
        "overdue": wait.ended_at is None and wait.due_at is not None and wait.due_at < as_of,
        "missing": wait.missing,
        "bounces": wait.bounces,
        "initiative": wait.initiative,
    }


def _followed(event_type: str, handoff: str, at: datetime | None) -> None:
    with standing(new=True) as known:
        unknown = known.known.get(WaitFact, f"handoff|{handoff}") is None
        if unknown and not known.instants_beyond((REQUESTED,), handoff):
            say(f"warning: hand-over {handoff!r} was never requested: that leg will be shown as missing")
        known.tell(event_type, handoff, HandoffEvent(handoff=handoff), at)
