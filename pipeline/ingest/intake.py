"""The door: what is pushed is verified over its raw bytes and stored durably before anything is read from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from pipeline.events.delivery import Connector, Delivery
from pipeline.events.errors import Rejected
from pipeline.ingest.committer import Committer
from pipeline.ingest.deliveries import to_record
from pipeline.ingest.depth import nests_deeper

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 64
#: Headers that are kept with a delivery; a connector has read its own into kind and id. CloudEvents in binary mode
#: has its attributes in headers of the prefix.
KEPT_HEADERS = frozenset({"content-type", "content-encoding", "sentry-hook-timestamp"})
KEPT_PREFIX = "ce-"
UNKNOWN_KIND = "unknown"


@dataclass(frozen=True)
class Accepted:
    """A delivery that passed the checks. `durable` is done once it may be acknowledged, or raises why it may not."""

    connector: str
    id: str
    kind: str
    durable: Future[None]


class Intake:
    """Checks deliveries and hands them to a committer.

    `secrets` returns the secrets of a connector by name, `clock` the present instant. `kept_headers` are lower-case
    names; a secret or a signature must not be among them. `unsigned` names the connectors whose messages are taken
    without verification as long as they have no secret: only for a listener that nobody else reaches.
    """

    def __init__(
        self,
        committer: Committer,
        connectors: Mapping[str, Connector],
        secrets: Callable[[str], Sequence[bytes]],
        clock: Callable[[], datetime],
        *,
        max_body: int = MAX_BODY_BYTES,
        kept_headers: Collection[str] = KEPT_HEADERS,
        unsigned: Collection[str] = (),
    ) -> None:
        self._committer = committer
        self._connectors = connectors
        self._secrets = secrets
        self._clock = clock
        self._max_body = max_body
        self._kept = frozenset(kept_headers)
        self._unsigned = frozenset(unsigned)

    def submit(self, connector: str, headers: Mapping[str, str], body: bytes) -> Accepted:
        """Check a pushed message and queue it. Safe to call from any thread.

        Raises `Rejected`, with the status to answer: 413 (body too large), 404 (no such connector), what the
        connector's `verify` raises (401), 422 (JSON nested too deep); `Retryable` (503) when too much waits.
        """
        if len(body) > self._max_body:
            raise Rejected(413, f"body of {len(body)} bytes; the limit is {self._max_body}")
        found = self._connectors.get(connector)
        if found is None:
            raise Rejected(404, f"no connector {connector!r}; there are: {', '.join(sorted(self._connectors))}")
        lower = {name.lower(): value for name, value in headers.items()}
        secrets = self._secrets(connector)
        if secrets or connector not in self._unsigned:
            found.verify(lower, body, secrets)
        if nests_deeper(body, MAX_DEPTH):
            raise Rejected(422, f"JSON nested deeper than {MAX_DEPTH} levels")
        kind, identity = _described(found, lower, body)
        delivery = Delivery(
            connector=connector,
            id=identity,
            kind=kind,
            received_at=self._clock(),
            body=body,
            headers={n: v for n, v in lower.items() if n in self._kept or n.startswith(KEPT_PREFIX)},
        )
        return Accepted(connector, identity, kind, self._committer.submit(to_record(delivery)))

    def accept(self, connector: str, headers: Mapping[str, str], body: bytes) -> Accepted:
        """Do as `submit`, and return only when the delivery is durable; raises what kept it from being so."""
        accepted = self.submit(connector, headers, body)
        accepted.durable.result()
        return accepted


def _described(connector: Connector, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return kind and id; a connector that fails at it costs the delivery its name, not its place in the log."""
    try:
        kind, identity = connector.describe(headers, body)
    except Rejected:
        raise
    except Exception:  # noqa: BLE001 - the delivery is genuine; translation will say what is wrong with it
        kind, identity = UNKNOWN_KIND, ""
    return kind, identity or hashlib.blake2b(body, digest_size=16).hexdigest()
