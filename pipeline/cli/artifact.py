"""`leadline artifact`: what assistants propose and do; `leadline link`: what a person links to an initiative."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from pipeline.cli.output import Format, print_rows, say
from pipeline.cli.standing import At, Force, Output, Standing, standing
from pipeline.events.coordination import ArtifactProposed, LinkDeclared
from pipeline.events.times import from_us, to_us
from pipeline.facts.rows import ActFact, ArtifactFact

app = typer.Typer(no_args_is_help=True, help="What assistants propose and do, and the initiative that it is for.")
link_app = typer.Typer()

_COLUMNS = (
    "artifact",
    "status",
    "kind",
    "title",
    "initiative",
    "named",
    "agent",
    "context",
    "proposed_at",
    "relinked_at",
)
_ACTS = ("act", "agent", "action", "rule", "approvals", "violation", "acted_at", "on", "initiative", "url")


class Status(StrEnum):
    """Whether an artifact refers to a canonical initiative."""

    LINKED = "linked"
    MISSING = "missing"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class Kind(StrEnum):
    """What can be linked by hand."""

    ARTIFACT = "artifact"
    CHANGE = "change"
    TICKET = "ticket"
    DECISION = "decision"


@app.command()
def propose(  # noqa: PLR0913 - one an option
    artifact: Annotated[str, typer.Argument(metavar="ID", help="Its id; choose one.")],
    *,
    initiative: Annotated[str | None, typer.Option(help="The initiative that it was made for.")] = None,
    kind: Annotated[str, typer.Option(help="What it is: specification, plan ...")] = "",
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    agent: Annotated[str | None, typer.Option(help="The assistant that made it.")] = None,
    context: Annotated[str | None, typer.Option(help="The prompt or version of the context it was made from.")] = None,
    change: Annotated[str | None, typer.Option(help="The change that holds it, such as acme/shop#7.")] = None,
    ticket: Annotated[str | None, typer.Option(help="The ticket that it is about.")] = None,
    url: Annotated[str | None, typer.Option(help="Where it is.")] = None,
    at: At = None,
) -> None:
    """Record that an assistant proposed something. Without a known initiative it is set aside and counted."""
    with standing(new=True) as known:
        if (problem := _astray(known, initiative, at)) is not None:
            say(f"warning: artifact {artifact!r} {problem}: set aside until it is linked")
        repo = None if change is None else change.rpartition("#")[0] or None
        data = ArtifactProposed(
            artifact=artifact,
            kind=kind,
            title=title,
            agent=agent,
            context=context,
            initiative=initiative,
            repo=repo,
            change=change,
            ticket=ticket,
            url=url,
        )
        known.tell(ArtifactProposed.TYPES[0], artifact, data, at)


@app.command(name="list")
def list_artifacts(
    status: Annotated[Status | None, typer.Option(help="Only those of a status.")] = None, output: Output = Format.TABLE
) -> None:
    """Print what assistants proposed, the latest first, and how much of it refers to a canonical initiative."""
    with standing() as known:
        found = sorted(known.known.of(ArtifactFact), key=lambda fact: (-fact.proposed_at, fact.id))
        rows = [
            {
                **{name: getattr(fact, name, None) for name in _COLUMNS},
                "artifact": fact.id,
                "proposed_at": from_us(fact.proposed_at),
                "relinked_at": None if fact.relinked_at is None else from_us(fact.relinked_at),
            }
            for fact in found
            if status in (None, fact.status)
        ]
        print_rows(rows, _COLUMNS, output)
        tally = Counter(fact.status for fact in found)
        say(
            f"{tally['linked']} of {len(found)} linked"
            + "".join(f", {tally[each]} {each}" for each in Status if each is not Status.LINKED and tally[each])
        )
        known.warn_if_behind()


@app.command()
def acts(
    violations: Annotated[bool, typer.Option("--violations", help="Only what was not allowed.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Print what software agents did by themselves: under which rule, with whose approval, and whether they might."""
    with standing() as known:
        found = sorted(known.known.of(ActFact), key=lambda fact: (-fact.acted_at, fact.id))
        rows = [
            {**{name: getattr(fact, name, None) for name in _ACTS}, "act": fact.id, "acted_at": from_us(fact.acted_at)}
            for fact in found
            if fact.violation or not violations
        ]
        print_rows(rows, _ACTS, output)
        known.warn_if_behind()


_Initiative = Annotated[str, typer.Argument(metavar="INITIATIVE", help="Its name or an alias.")]
_Reason = Annotated[str, typer.Option(help="Why.")]


@app.command(name="link")
def link_artifact(
    artifact: Annotated[str, typer.Argument(metavar="ID", help="The artifact.")],
    initiative: _Initiative,
    reason: _Reason = "",
    at: At = None,
    force: Force = False,
) -> None:
    """Link an artifact to an initiative by hand; the latest link holds."""
    _link(Kind.ARTIFACT, artifact, initiative, reason, at, force=force)


@link_app.command()
def link(
    kind: Annotated[Kind, typer.Argument(help="What is linked.")],
    subject: Annotated[str, typer.Argument(metavar="ID", help="Its id, such as GROW-12 or acme/shop#7.")],
    initiative: _Initiative,
    reason: _Reason = "",
    at: At = None,
    force: Force = False,
) -> None:
    """Link an artifact, a change, a ticket or a decision to an initiative by hand; the latest link holds."""
    _link(kind, subject, initiative, reason, at, force=force)


def _astray(known: Standing, named: str | None, at: datetime | None) -> str | None:
    """Return why an artifact that names an initiative so is not linked to one; None: it is."""
    if named is None:
        return "names no initiative"
    meant = known.contract.initiatives_named(named)
    if len(meant) != 1:
        several = f"may mean {', '.join(sorted(meant))}" if meant else "is no Initiative"
        return f"names {named!r}, which {several}"
    (name,) = meant
    is_closed = known.contract.coordination.is_closed(name, to_us(at or known.now))
    return f"names {named!r}, which is closed" if is_closed else None


def _link(kind: Kind, subject: str, initiative: str, reason: str, at: datetime | None, *, force: bool) -> None:
    with standing(new=True) as known:
        known.check_initiative(initiative, force=force)
        data = LinkDeclared(
            kind=kind.value, subject_id=subject, initiative=initiative, reason=reason, actor=known.actor()
        )
        known.tell(LinkDeclared.TYPES[0], subject, data, at)
