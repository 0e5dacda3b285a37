"""`leadline decision`: ask for decisions, record them, and see which are open."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from pipeline.cli.contract import parse_moment
from pipeline.cli.output import Format, print_rows, say
from pipeline.cli.standing import AsOf, At, Force, Output, Standing, standing
from pipeline.events.coordination import DecisionEvent
from pipeline.events.times import from_us, to_us
from pipeline.events.types import Ref
from pipeline.facts.rows import DecisionFact
from pipeline.governance.decisions import reach, state

app = typer.Typer(no_args_is_help=True, help="Decisions: asked for, made, superseded, reversed; never overwritten.")

REQUESTED, DECIDED, SUPERSEDED, REVERSED = DecisionEvent.TYPES
_COLUMNS = (
    *("decision", "state", "title", "class", "reach", "from", "to", "asked_at", "decided_at", "due_at", "overdue"),
    *("lacking", "initiative"),
)


class Outcome(StrEnum):
    """How it was decided."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


_Id = Annotated[str, typer.Argument(metavar="ID", help="Its id; choose one, such as ADR-12 or pricing-model.")]
_Title = Annotated[str, typer.Option(help="What is to be decided.")]
_From = Annotated[str | None, typer.Option("--from", metavar="TEAM", help="The team that needs it.")]
_To = Annotated[str | None, typer.Option("--to", metavar="TEAM", help="The team that decides.")]
_Class = Annotated[str | None, typer.Option("--class", help="Its class in the Policy: who must agree, and how soon.")]
_Initiative = Annotated[str | None, typer.Option(help="The initiative that it is about.")]
_Ticket = Annotated[str | None, typer.Option(help="The ticket that it is about.")]
_Url = Annotated[str | None, typer.Option(help="Where it is written down.")]


@app.command()
def ask(  # noqa: PLR0913 - one an option
    decision: _Id,
    *,
    title: _Title = "",
    from_team: _From = None,
    to_team: _To = None,
    category: _Class = None,
    needed_by: Annotated[
        datetime | None, typer.Option(parser=parse_moment, metavar="ISO", help="When it is needed.")
    ] = None,
    initiative: _Initiative = None,
    ticket: _Ticket = None,
    url: _Url = None,
    at: At = None,
    force: Force = False,
) -> None:
    """Record that a decision is asked for."""
    with standing(new=True) as known:
        _check(known, from_team, to_team, initiative, force=force)
        _warn_of_class(known, category)
        _warn_if_made(known, decision, at or known.now)
        data = DecisionEvent(
            decision=decision,
            title=title,
            from_team=from_team,
            to_team=to_team,
            category=category,
            needed_by=needed_by,
            ticket=ticket,
            url=url,
            refs=references(initiative, ticket),
        )
        known.tell(REQUESTED, decision, data, at)


@app.command()
def decide(  # noqa: PLR0913 - one an option
    decision: _Id,
    *,
    outcome: Annotated[Outcome, typer.Option(help="How it was decided.")] = Outcome.ACCEPTED,
    approver: Annotated[
        list[str] | None, typer.Option(help="A role or team that agreed, never a person; may be repeated.")
    ] = None,
    title: _Title = "",
    from_team: _From = None,
    to_team: _To = None,
    category: _Class = None,
    initiative: _Initiative = None,
    ticket: _Ticket = None,
    url: _Url = None,
    at: At = None,
    force: Force = False,
) -> None:
    """Record that a decision was made. The earliest word holds; approvers add up."""
    with standing(new=True) as known:
        _check(known, from_team, to_team, initiative, force=force)
        _warn_of_class(known, category)
        _warn_of_order(known, decision, at or known.now)
        data = DecisionEvent(
            decision=decision,
            title=title,
            outcome=outcome.value,
            approvers=sorted(set(approver or ())),
            from_team=from_team,
            to_team=to_team,
            category=category,
            ticket=ticket,
            url=url,
            refs=references(initiative, ticket),
        )
        known.tell(DECIDED, decision, data, at)


_By = Annotated[str | None, typer.Option("--by", metavar="ID", help="The decision that does it.")]


@app.command()
def supersede(decision: _Id, by: _By = None, at: At = None) -> None:
    """Record that another decision took the place of one."""
    _ended(SUPERSEDED, decision, by, at)


@app.command()
def reverse(decision: _Id, by: _By = None, at: At = None) -> None:
    """Record that a decision was taken back."""
    _ended(REVERSED, decision, by, at)


@app.command(name="list")
def list_decisions(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not made.")] = False,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Only those that lack an approver.")] = False,
    initiative: Annotated[str | None, typer.Option(help="Only those of an initiative.")] = None,
    as_of: AsOf = None,
    output: Output = Format.TABLE,
) -> None:
    """Print decisions, open ones and those due first before the others."""
    with standing(as_of) as known:
        name = None if initiative is None else known.initiative(initiative)
        found = [
            fact
            for fact in known.known.of(DecisionFact)
            if name in (None, fact.initiative)
            and (fact.day_us() or 0) <= known.as_of
            and (not only_open or fact.status == "open")
            and (not incomplete or state(fact) == "incomplete")
        ]
        found.sort(key=lambda fact: (fact.status != "open", fact.due_at or 1 << 62, fact.id))
        print_rows([_row(known, fact) for fact in found], _COLUMNS, output)
        known.warn_if_behind()


def references(initiative: str | None, ticket: str | None) -> list[Ref]:
    """Return references to what a person named."""
    named = (("initiative", initiative), ("ticket", ticket))
    return [Ref(kind=kind, value=value, via="field") for kind, value in named if value]  # type: ignore[arg-type]


def _row(known: Standing, fact: DecisionFact) -> dict[str, Any]:
    overdue = fact.status == "open" and fact.due_at is not None and fact.due_at < known.as_of
    instants = {
        name: None if (at := getattr(fact, name)) is None else from_us(at) for name in _COLUMNS if "_at" in name
    }
    return {
        "decision": fact.id,
        "state": state(fact),
        "title": fact.title,
        "class": fact.category,
        "reach": reach(known.contract, fact),
        "from": fact.from_team,
        "to": fact.to_team,
        **instants,
        "overdue": overdue,
        "lacking": fact.lacking,
        "initiative": fact.initiative,
    }


def _check(known: Standing, from_team: str | None, to_team: str | None, initiative: str | None, *, force: bool) -> None:
    known.check_team("--from", from_team, force=force)
    known.check_team("--to", to_team, force=force)
    known.check_initiative(initiative, force=force)


def _warn_of_class(known: Standing, category: str | None) -> None:
    if category is not None and known.contract.coordination.decision_class(category, to_us(known.now)) is None:
        say(f"warning: the Policy has no class {category!r}: nobody has to agree, and no latency is expected")


def _warn_if_made(known: Standing, decision: str, at: datetime) -> None:
    """Say if a decision is asked for that was made before; it is stored all the same."""
    fact = known.known.get(DecisionFact, decision)
    decided = [] if fact is None or fact.decided_at is None else [fact.decided_at]
    decided += known.instants_beyond((DECIDED,), decision)
    asked = [to_us(at)] + ([] if fact is None or fact.asked_at is None else [fact.asked_at])
    if decided and min(decided) < min(asked):
        moment = from_us(min(decided)).isoformat()
        say(f"warning: decision {decision!r} was made at {moment}, before it was asked for: it has no latency")


def _warn_of_order(known: Standing, decision: str, at: datetime) -> None:
    """Say if a decision was made before it was asked for; it is stored all the same."""
    fact = known.known.get(DecisionFact, decision)
    asked = [] if fact is None or fact.asked_at is None else [fact.asked_at]
    asked += known.instants_beyond((REQUESTED,), decision)
    if not asked:
        say(f"warning: decision {decision!r} was never asked for: how long it took will not be known")
    elif to_us(at) < min(asked):
        moment = from_us(min(asked)).isoformat()
        say(f"warning: decision {decision!r} was asked for at {moment} only, after it was made: it has no latency")


def _ended(event_type: str, decision: str, by: str | None, at: datetime | None) -> None:
    with standing(new=True) as known:
        unknown = known.known.get(DecisionFact, decision) is None
        if unknown and not known.instants_beyond(DecisionEvent.TYPES, decision):
            say(f"warning: nothing was told of decision {decision!r} before")
        known.tell(event_type, decision, DecisionEvent(decision=decision, by=by), at)
