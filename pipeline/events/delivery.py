"""Deliveries and connectors: what comes through the door, and the contract of what turns it into events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

import msgspec

from pipeline.events.envelope import Event
from pipeline.events.ids import pseudonym


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One raw message of a source, stored before anything is read from it.

    `id` makes a redelivery recognisable: the vendor's delivery id, or a hash of the body. `kind` is what the source
    calls it (the `X-GitHub-Event` header, `rest.pulls`, `commit`). `headers` holds lower-case names of the few headers
    that a connector needs, never a secret or a signature. `body` is the bytes as received.
    """

    connector: str
    id: str
    kind: str
    received_at: datetime
    body: bytes
    headers: dict[str, str] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What translation may know beside the delivery.

    `actor_key` pseudonymises people; `settings` are the connector's own (its README lists them), e.g. the base
    URL of a tracker or the rule that tells final releases from candidates.
    """

    actor_key: bytes
    settings: Mapping[str, str] = {}

    def actor(self, person: str | None) -> str | None:
        """Return the pseudonym of a person, or None."""
        return pseudonym(person, self.actor_key)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """Something that one unit (a user, a session, an account) did, as an analytics tool tracked it.

    It never becomes an event by itself: ingest adds observations up to `outcome.sampled`, as the declared metrics say.
    `id` makes a resent one recognisable; `unit` is a pseudonym. `at` is when it happened. `properties` are what metrics
    may select by, look for a variant in, or take a value from; nested ones have dotted names.
    """

    id: str
    name: str
    unit: str
    at: datetime
    properties: Mapping[str, str | int | float | bool | None] = {}


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a translation: events and observations, or the name of what was left out on purpose (`ignored`).

    All may be empty: there was nothing to tell.
    """

    events: Sequence[Event] = ()
    observations: Sequence[Observation] = ()
    ignored: str | None = None


class Connector(Protocol):
    """What a connector folder provides, as `connectors/<name>/__init__.py: CONNECTOR`.

    `translate` is pure and total: it returns a `Translation` or raises `Quarantined`, never anything else.
    `verify` raises `Rejected` unless one of `secrets` vouches for the raw body; it compares in constant time.
    `describe` returns (kind, delivery id) of a pushed message from its headers and body.
    """

    name: str

    def translate(self, delivery: Delivery, context: Context) -> Translation: ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None: ...

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]: ...


@runtime_checkable
class Dated(Protocol):
    """A connector whose source signs when it sent a message, so that a message that was caught cannot be sent again.

    `signed_at` returns that instant, None for a message without one (a token that was shown signs nothing); it is asked
    after `verify`, and raises `Rejected` (401) for a signed time that is none. `replay_window` is how far it may be
    from now, before or after, unless the settings say otherwise.
    """

    replay_window: timedelta

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None: ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a source wants to hear: status 200 with this body and these headers.

    What it repeats of the question is only what the scheme of the source wants to have repeated, bounded in size and in
    characters.
    """

    body: bytes = b""
    media_type: Literal["text/plain", "application/json"] = "text/plain"
    headers: Mapping[str, str] = {}


@runtime_checkable
class Greeting(Protocol):
    """A connector whose source asks, before there is a secret, whether anybody is at the address.

    `greet` returns the answer to such a question, None for any other message. `method` is `HEAD` or `POST`. Nothing is
    verified, nothing is stored, and what the answer repeats becomes nobody's secret.
    """

    def greet(self, method: str, headers: Mapping[str, str]) -> Answer | None: ...


@runtime_checkable
class Challenged(Protocol):
    """A connector some of whose messages are challenges. They are verified and stored as any other.

    `respond` returns what the source wants to hear instead of a receipt, None for any other message.
    """

    def respond(self, headers: Mapping[str, str], body: bytes) -> Answer | None: ...
