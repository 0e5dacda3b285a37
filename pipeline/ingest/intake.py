"""The door: what is pushed is verified over its raw bytes and stored durably before anything is read from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.events.delivery import Answer, Challenged, Connector, Dated, Delivery, Greeting
from pipeline.events.errors import Rejected
from pipeline.ingest.committer import Committer
from pipeline.ingest.deliveries import to_record
from pipeline.ingest.depth import nests_deeper
from pipeline.log.protocol import Record

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 64
#: Headers that are kept with a delivery; a connector has read its own into kind and id. CloudEvents in binary mode
#: has its attributes in headers of the prefix.
KEPT_HEADERS = frozenset({"content-type", "content-encoding", "sentry-hook-timestamp"})
KEPT_PREFIX = "ce-"
UNKNOWN_KIND = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """A delivery that passed the checks, ready to be stored. `answer` is what its source wants to hear then."""

    connector: str
    id: str
    kind: str
    record: Record
    answer: Answer | None = None


class Intake:
    """Checks deliveries and hands them to a committer.

    `secrets` returns the secrets of a connector by name and is asked once, `clock` the present instant, `window` how
    far from it the time may be at which a message was signed (None: as far as the connector says). `kept_headers` are
    lower-case names; a secret or a signature must not be among them. `unsigned` names the connectors whose messages are
    taken without verification as long as they have no secret: only for a listener that nobody else reaches.
    """

    def __init__(
        self,
        committer: Committer,
        connectors: Mapping[str, Connector],
        secrets: Callable[[str], Sequence[bytes]],
        clock: Callable[[], datetime],
        *,
        window: Callable[[str], timedelta | None] = lambda _: None,
        max_body: int = MAX_BODY_BYTES,
        kept_headers: Collection[str] = KEPT_HEADERS,
        unsigned: Collection[str] = (),
    ) -> None:
        self._committer = committer
        self._connectors = connectors
        self._secrets = {name: tuple(secrets(name)) for name in connectors}
        self._clock = clock
        self._window = window
        self._max_body = max_body
        self._kept = frozenset(kept_headers)
        self._unsigned = frozenset(unsigned)
        self._dated = {name: each for name, each in connectors.items() if isinstance(each, Dated)}
        self._greeting = {name: each for name, each in connectors.items() if isinstance(each, Greeting)}
        self._challenged = {name: each for name, each in connectors.items() if isinstance(each, Challenged)}

    def check(self, connector: str, headers: Mapping[str, str], body: bytes) -> Checked:
        """Check a pushed message; nothing is stored yet. Safe to call from any thread.

        Raises `Rejected`, with the status to answer: 413 (body too large), 404 (no such connector), what the
        connector's `verify` raises (401), 401 (signed too long ago), 422 (JSON nested too deep).
        """
        if len(body) > self._max_body:
            raise Rejected(413, f"body of {len(body)} bytes; the limit is {self._max_body}")
        found = self._connectors.get(connector)
        if found is None:
            raise Rejected(404, f"no connector {connector!r}; there are: {', '.join(sorted(self._connectors))}")
        lower = {name.lower(): value for name, value in headers.items()}
        secrets, now = self._secrets[connector], self._clock()
        if secrets or connector not in self._unsigned:
            found.verify(lower, body, secrets)
            self._check_age(connector, lower, body, now)
        if nests_deeper(body, MAX_DEPTH):
            raise Rejected(422, f"JSON nested deeper than {MAX_DEPTH} levels")
        kind, identity = _described(found, lower, body)
        delivery = Delivery(
            connector=connector,
            id=identity,
            kind=kind,
            received_at=now,
            body=body,
            headers={n: v for n, v in lower.items() if n in self._kept or n.startswith(KEPT_PREFIX)},
        )
        challenged = self._challenged.get(connector)
        answer = None if challenged is None else challenged.respond(lower, body)
        return Checked(connector, identity, kind, to_record(delivery), answer)

    async def store(self, checked: Checked) -> None:
        """Return when a checked delivery may be acknowledged; see `Committer.store` for what it raises."""
        await self._committer.store(checked.record)

    def greet(self, connector: str, method: str, headers: Mapping[str, str]) -> Answer | None:
        """Return the answer to a source that asks whether anybody is here, None if it does not; see `Greeting`."""
        greeting = self._greeting.get(connector)
        return None if greeting is None else greeting.greet(method, headers)

    def _check_age(self, connector: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        dated = self._dated.get(connector)
        signed = None if dated is None else dated.signed_at(headers, body)
        if dated is None or signed is None:
            return
        window, age = self._window(connector) or dated.replay_window, now - signed
        if abs(age) > window:
            when = f"{abs(age).total_seconds():.0f} seconds {'ago' if age > timedelta() else 'ahead of our clock'}"
            raise Rejected(
                401,
                f"signed {when}; {window.total_seconds():.0f} are allowed. Is a clock wrong, or the message old? "
                f"connectors.{connector}.replay_window allows more",
            )


def _described(connector: Connector, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return kind and id; a connector that fails at it costs the delivery its name, not its place in the log."""
    try:
        kind, identity = connector.describe(headers, body)
    except Rejected:
        raise
    except Exception:  # noqa: BLE001 - the delivery is genuine; translation will say what is wrong with it
        kind, identity = UNKNOWN_KIND, ""
    return kind or UNKNOWN_KIND, identity or hashlib.blake2b(body, digest_size=16).hexdigest()
