"""A small connector of its own, and what it is sent: real objects of the protocol, without a vendor's details."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.ids import event_id
from pipeline.events.types import ChangeMerged
from pipeline.ingest.translate import Translator
from pipeline.log.protocol import EventLog

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SOURCE = "https://forge.example"
MERGED = "dev.cdevents.change.merged.0.3.0"
CONTEXT = Context(actor_key=b"key")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def merged(change: str, time: datetime = NOON, sha: str = "") -> Event:
    return Event(
        id=event_id(change, "merged"),
        source=SOURCE,
        type=MERGED,
        time=time,
        subject=change,
        partitionkey="shop",
        data=ChangeMerged(repo="shop", change=change, merge_sha=sha or None),
    )


@dataclass
class Forge:
    """A body is a list of `{"change": ..., "time": ...}`, each an event; or `{"ping": true}`, or something wrong.

    `prefix` and `broken` are what a fix would change: the sha that events get, and the changes it cannot read.
    """

    name: str = "forge"
    prefix: str = ""
    broken: frozenset[str] = frozenset()
    translated: list[str] = field(default_factory=list)

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        assert context.actor_key == b"key"
        self.translated.append(delivery.id)
        if delivery.kind == "crash":
            raise ZeroDivisionError("a bug \ud800")
        try:
            body = msgspec.json.decode(delivery.body)
        except msgspec.DecodeError as error:
            raise Quarantined("bad_json", str(error)) from error
        if isinstance(body, dict):
            return Translation(ignored="ping")
        return Translation(events=[self._event(item) for item in body])

    def _event(self, item: dict[str, str]) -> Event:
        if item["change"] in self.broken:
            raise Quarantined("missing_field", f"change {item['change']}")
        time = datetime.fromisoformat(item["time"]) if "time" in item else NOON
        return merged(item["change"], time, self.prefix and f"{self.prefix}-{item['change']}")

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        given = headers.get("x-signature", "")
        if not any(hmac.compare_digest(given, sign(body, secret)) for secret in secrets):
            raise Rejected(401, "the signature does not match")

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        if "x-kind" not in headers:
            raise KeyError("x-kind")
        return headers["x-kind"], headers.get("x-delivery", "") or hashlib.sha256(body).hexdigest()


class DatedForge(Forge):
    """Its bodies are the instant at which they were signed, or empty."""

    replay_window = timedelta(minutes=5)

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        return datetime.fromisoformat(body.decode()) if body else None


def sign(body: bytes, secret: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def delivery(identity: str, *changes: str, body: bytes | None = None, kind: str = "changes", **item: str) -> Delivery:
    """A delivery that tells of changes, or has any other body."""
    told = msgspec.json.encode([{"change": change, **item} for change in changes]) if body is None else body
    return Delivery(connector="forge", id=identity, kind=kind, received_at=NOON, body=told)


def translator(log: EventLog, *connectors: Connector) -> Translator:
    return Translator(log, {each.name: each for each in connectors}, lambda _: CONTEXT)
