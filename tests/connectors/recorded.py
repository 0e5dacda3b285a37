"""What a connector's `recorded.py` provides, so that `test_pollers.py` finds its poller and tries it.

A poller of `connectors/<name>` is tested when there is a `tests/connectors/<name>/recorded.py` with `RECORDED`: a
server that answers as the source does, from recorded or documented objects. The server keeps its lists as the source
does, sorts and filters them by the parameters that the source knows, and has small pages.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.events.delivery import Connector, Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.polling import Poller
from tests.ingest.sources import NOW, Source

HERE = Path(__file__).parent
ACTOR_KEY = b"key"
#: Kind of a delivery, its body, its headers.
Held = tuple[str, object, dict[str, str]]


class Recording(Source):
    """A source that replays what was recorded."""

    def held(self) -> Iterator[Held]:
        """Yield all that it has to tell, from its lists and not page by page."""
        raise NotImplementedError

    def change(self, at: datetime) -> None:
        """Change one thing, as of an instant; it is told as another event."""
        raise NotImplementedError

    def double(self) -> None:
        """Have lists tell their items twice."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A poller, and the source to try it on.

    `token` is what the settings hold, `shown` the Authorization header with it. `url` is added to the address of the
    source: the part of a path that belongs to the setting `url`. `settings` are those of the connector. `open_ended`:
    what is open does not tell when it was updated, so that every reading tells it.
    """

    poller: Poller
    connector: Connector
    source: Callable[[], Recording]
    scope: str
    token: str
    shown: str
    url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    open_ended: bool = False

    def context(self) -> Context:
        return Context(actor_key=ACTOR_KEY, settings=self.settings)

    def held(self, source: Recording) -> set[tuple[str, str]]:
        """Return the ids of the events that the source has to tell."""
        told = [event for kind, body, headers in source.held() for event in self.events(kind, body, headers)]
        assert told, "nothing recorded"
        return {(event.source, event.id) for event in told}

    def events(self, kind: str, body: object, headers: dict[str, str]) -> list[Event]:
        """Translate one thing that a source holds."""
        delivery = Delivery(
            connector=self.connector.name,
            id="held",
            kind=kind,
            received_at=NOW,
            body=json.dumps(body).encode(),
            headers=headers,
        )
        return list(self.connector.translate(delivery, self.context()).events)


def recorded_names() -> list[str]:
    """Return the names of the connectors whose poller is tried, sorted."""
    return sorted(path.parent.name for path in HERE.glob("*/recorded.py"))


def recorded(name: str) -> Recorded:
    """Import what was recorded of a connector's source."""
    found: Recorded = importlib.import_module(f"tests.connectors.{name}.recorded").RECORDED
    return found


def pages_of(name: str) -> dict[str, Any]:
    """Return a fresh copy of the recorded lists of a connector's source."""
    pages: dict[str, Any] = json.loads((HERE / name / "recorded.json").read_text(encoding="utf-8"))
    return pages
