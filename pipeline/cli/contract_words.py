"""Contract files held against the tickets that are there: words that would mean nothing."""

from __future__ import annotations

from pipeline.cli.output import say
from pipeline.contract.declare import body_of
from pipeline.contract.load import Loaded
from pipeline.contract.model import StatusMap
from pipeline.contract.problems import Problem
from pipeline.contract.resolve import Contract
from pipeline.events.types import ContractDeclared
from pipeline.facts.rows import TicketFact
from pipeline.governance.known import Known
from pipeline.governance.words import UnknownWord, unknown_words


def words_that_tickets_have(loaded: Loaded) -> list[Problem]:
    """Return the statuses and types of tickets that the files do not translate; none where there is no database."""
    from pipeline.settings import load_settings
    from pipeline.wiring import Wiring

    settings = load_settings()
    if not settings.database.exists():
        return []
    wiring = Wiring(settings)
    try:
        tickets = Known(wiring.engine().state).of(TicketFact)
        if wiring.behind():
            say("The log holds more tickets than were looked at: `leadline run --once` takes them in.")
    finally:
        wiring.close()
    maps = (each for each in loaded.objects if isinstance(each, StatusMap))
    told = (ContractDeclared(kind=each.kind, name=each.metadata.name, spec=body_of(each)[0]) for each in maps)
    words = Contract.compile((0, data.name, data) for data in told).coordination
    return [_problem(unknown) for unknown in unknown_words(tickets, words)]


def _problem(unknown: UnknownWord) -> Problem:
    field = "map" if unknown.kind == "status" else "types"
    message = (
        f"{unknown.kind} {unknown.word!r} of {unknown.tickets} tickets is in no StatusMap, so they are unmapped; "
        f"add it to spec.{field} of the one for this tracker"
    )
    return Problem(file=unknown.tracker, line=0, column=0, path="", message=message, severity="finding")
