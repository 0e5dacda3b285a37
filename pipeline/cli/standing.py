"""What the verbs of coordination share: facts and contract as of an instant, and telling the log something."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pipeline.cli.contract import parse_moment, read_contract
from pipeline.cli.output import Format, say
from pipeline.contract.problems import did_you_mean
from pipeline.contract.resolve import Contract
from pipeline.events.coordination import OutcomeSampled
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError
from pipeline.events.ids import event_id, pseudonym
from pipeline.events.times import to_us
from pipeline.events.types import Payload
from pipeline.governance.declared import held, initiatives
from pipeline.governance.known import Known
from pipeline.log.protocol import EVENTS, event_record

if TYPE_CHECKING:
    from pipeline.snapshots.archive import Archive
    from pipeline.wiring import Wiring

SOURCE = "urn:leadline:desk"

Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", parser=parse_moment, metavar="ISO", help="Default: the latest instant, as for metrics."),
]
At = Annotated[
    datetime | None, typer.Option("--at", parser=parse_moment, metavar="ISO", help="When it happened. Default: now.")
]
Force = Annotated[bool, typer.Option("--force", help="Store names that the contract does not know, too.")]


class Standing:
    """Everything that is known, as of one instant, and the log to add to."""

    def __init__(self, wiring: Wiring, now: datetime, as_of: datetime | None = None) -> None:
        self.wiring = wiring
        self.now = now
        self._engine = wiring.engine()
        latest = self._engine.as_of()
        #: In microseconds; without any event, now.
        self.as_of = to_us(as_of or latest or now)
        self.latest = latest
        self.known = Known(self._engine.state)
        self.state = self._engine.state
        self.behind = wiring.behind()

    @cached_property
    def contract(self) -> Contract:
        """The contract of all that was declared, whether it was folded already or not."""
        return read_contract(self.wiring.log()) if self.behind else self._engine.contract

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """Open the events of the log."""
        from pipeline.snapshots.archive import archive

        with archive(self.wiring.settings.snapshots, self.wiring.log()) as opened:
            yield opened

    def samples(self) -> dict[str, list[int]]:
        """Return the instants at which each outcome of the initiatives was sampled, in microseconds."""
        names = initiatives(self.contract, self.as_of)
        declared = (held(self.contract, name, self.as_of) for name in names)
        wanted = {outcome.metric for each in declared if each is not None for outcome in each.intent.outcomes}
        if not wanted:
            return {}
        with self.archive() as opened:
            return self.samples_in(opened, wanted)

    def samples_in(self, opened: Archive, wanted: set[str]) -> dict[str, list[int]]:
        """Return the instants at which metrics were sampled."""
        found: dict[str, list[int]] = {}
        for each in opened.find(OutcomeSampled.TYPES) if wanted else ():
            if isinstance(each.data, OutcomeSampled) and each.data.metric in wanted:
                found.setdefault(each.data.metric, []).append(each.at)
        return found

    def instants_beyond(self, types: Sequence[str], subject: str) -> list[int]:
        """Return when events about a subject happened that the log holds and that are not folded yet."""
        from pipeline.snapshots.archive import Archive

        beyond = Archive(self.wiring.log(), after=self._engine.position)
        return [each.at for each in beyond.find(types, [subject])]

    def initiative(self, word: str) -> str:
        """Return the one initiative that a word names. Raises ConfigError for an unknown one, or for several."""
        meant = self.contract.initiatives_named(word)
        if len(meant) == 1:
            return next(iter(meant))
        if meant:
            raise ConfigError(f"{word!r} is an alias of {', '.join(sorted(meant))}; name one of them")
        hint = did_you_mean(word, [name for kind, name in self.contract.objects() if kind == "Initiative"])
        raise ConfigError(f"no Initiative {word!r} is declared{hint or '; `leadline initiative list` shows them'}")

    def check_initiative(self, word: str | None, *, force: bool) -> None:
        """Raise ConfigError for a word that means no initiative, unless it is to be stored nevertheless."""
        if word is not None and not force:
            try:
                self.initiative(word)
            except ConfigError as error:
                raise ConfigError(f"{error}; --force stores it as it is") from error

    def check_team(self, option: str, word: str | None, *, force: bool) -> None:
        """Raise ConfigError for a word that means no team, unless it is to be stored nevertheless."""
        if word is None or force or self.contract.coordination.team_named(word, to_us(self.now)) is not None:
            return
        hint = did_you_mean(word, [name for kind, name in self.contract.objects() if kind == "Team"])
        raise ConfigError(f"{option}: no Team {word!r} is declared{hint}; --force stores it as it is")

    def actor(self) -> str | None:
        """Return the pseudonym of whoever runs this."""
        try:
            return pseudonym(getpass.getuser(), self.wiring.actor_key())
        except (OSError, KeyError):
            return None

    def tell(self, event_type: str, subject: str, data: Payload, at: datetime | None) -> Event:
        """Append one event durably; telling the same again, of the same instant, adds nothing."""
        event = told(event_type, subject, data, at or self.now)
        appended = self.wiring.log().append(EVENTS, [event_record(event)], self.now)
        say(f"{'stored' if appended.new else 'was there already'}: event {event.id}")
        return event

    def warn_if_behind(self) -> None:
        """Say that the log holds more than was read."""
        if self.behind:
            say("The log holds more than this was made of: `leadline run --once` takes it in.")


def told(event_type: str, subject: str, data: Payload, at: datetime) -> Event:
    """Return an event whose id covers type, subject, instant and content."""
    content = msgspec.json.encode(data).decode()
    return Event(
        id=event_id(event_type, subject, to_us(at), content),
        source=SOURCE,
        type=event_type,
        time=at,
        subject=subject,
        partitionkey=subject,
        data=data,
    )


@contextmanager
def standing(as_of: datetime | None = None, *, calendar: bool = False, new: bool = False) -> Iterator[Standing]:
    """Open what is known: as of an instant, else the latest one, or (`calendar`) now.

    `new`: there may be nothing yet.
    """
    from pipeline.wiring import clock, wire

    wiring = wire()
    wiring = wiring if new else wiring.existing()
    try:
        now = clock()
        yield Standing(wiring, now, as_of or (now if calendar else None))
    finally:
        wiring.close()
