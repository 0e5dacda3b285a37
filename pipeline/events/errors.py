"""Errors, grouped by what one can do about them.

Every error that Leadline raises on purpose is one of four kinds, so that a caller decides by type and never by
reading a message: put it aside and go on (`Quarantined`), try again later (`Retryable`), stop and repair
(`Corrupt`), or have a person correct what they wrote (`ConfigError`).
"""

from __future__ import annotations


class LeadlineError(Exception):
    """Base of all errors raised on purpose. The message names the place, the value and the fix."""


class Quarantined(LeadlineError):
    """One delivery cannot become events. It is kept with this reason, counted, and can be replayed after a fix.

    `reason` is a short stable code with bounded cardinality (a metric label: `bad_json`, `missing_field`,
    `bad_type`, `unknown_kind`, `bad_time` ...); `detail` names the field and the value for a person.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Retryable(LeadlineError):
    """Something outside did not answer; the same call may succeed later. `after`: the wait it asked for, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Corrupt(LeadlineError):
    """Stored data contradicts itself or cannot be read. Nothing was changed; the message names file and repair."""


class ConfigError(LeadlineError):
    """A person wrote something that cannot be used: the message names file, line, field, value and the fix."""


class Rejected(LeadlineError):
    """A pushed delivery did not pass its check at the door; nothing was stored. `status`: the HTTP status to answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
