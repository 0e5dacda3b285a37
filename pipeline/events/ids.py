"""Deterministic identities: one change in the world has one event id, however often and by whichever way it is told."""

from __future__ import annotations

import hashlib


def event_id(*parts: object) -> str:
    """Return the id of a change: 32 hexadecimal digits of a BLAKE2b hash over `parts`.

    Name the entity, what changed, and when or to what it changed: `event_id("acme/shop#7", "merged", merged_at)`.
    Parts are joined with a separator that cannot occur in them, so `("a", "bc")` and `("ab", "c")` differ. An event's
    content must be a function of its parts: where a snapshot of mutable fields is told, pass the fields as well.
    """
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()


def pseudonym(person: str | None, key: bytes) -> str | None:
    """Return a keyed hash of a person's name or address (16 hexadecimal digits), or None for None or "".

    The same person has the same pseudonym under the same key, so "reviewed by somebody else" can be told without
    knowing who. The input is stripped and case-folded first, since sources differ in how they write one address.
    """
    if not person or not person.strip():
        return None
    folded = person.strip().casefold().encode()
    return hashlib.blake2b(folded, digest_size=8, key=key[:64]).hexdigest()
