"""The envelope: CloudEvents 1.0 attributes around one typed payload."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events.types import Payload


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One canonical event.

    `id` is deterministic (see `ids.event_id`) and unique within `source`, a URI reference of the system that told it.
    `time` is when it happened there (event time). `partitionkey` orders related events: a repository, a tracker
    project, a service. `recordedtime` is when the log took it in; None before it was appended.
    """

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    partitionkey: str
    data: Payload
    recordedtime: datetime | None = None
