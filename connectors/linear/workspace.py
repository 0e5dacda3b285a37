"""Where something happened: a workspace of Linear, and events in its name."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.types import Payload

#: What an issue is called: the key of its team and its number.
IDENTIFIER = re.compile(r"([A-Z][A-Z0-9_]*)-\d+", re.ASCII)


class Workspace(msgspec.Struct, frozen=True):
    """A workspace: `source` names it in all its events, `tracker` is what the contract calls it."""

    source: str
    tracker: str

    def event(self, event_type: str, at: datetime, subject: str, project: str, data: Payload) -> Event:
        """Return an event whose id covers type, subject, time, project and content."""
        content = msgspec.json.encode(data).decode()
        return Event(
            id=event_id(event_type, subject, at.isoformat(), project, content),
            source=self.source,
            type=event_type,
            time=at,
            subject=subject,
            partitionkey=project or self.source,
            data=data,
        )


def workspace_of(organization: str | None, context: Context) -> Workspace:
    """Return the workspace that a body names by the id of its organization, else the one of the settings."""
    told = organization or context.settings.get("organization", "").strip()
    source = f"https://linear.app/organizations/{told}" if told else "https://linear.app"
    return Workspace(source=source, tracker=context.settings.get("tracker", "").strip() or "linear")


def team_of(identifier: str) -> str:
    """Return the team key in an issue's identifier, "" if it is something else, such as a UUID."""
    found = IDENTIFIER.fullmatch(identifier)
    return found[1] if found else ""
