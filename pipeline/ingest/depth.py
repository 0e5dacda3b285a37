"""How deep a JSON text nests, found without recursion and before any parser sees it."""

from __future__ import annotations

import re

# Possessive, so that a hostile text is scanned once; a string that never ends reaches to the end.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")
_BLANK = b"\xef\xbb\xbf \t\r\n"


def nests_deeper(text: bytes, limit: int) -> bool:
    """Return whether arrays and objects of a JSON text nest more than `limit` levels deep.

    Brackets inside strings do not count. A text that is no JSON array or object nests not at all.
    """
    if not text.lstrip(_BLANK).startswith((b"[", b"{")):
        return False
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NOT_BRACKETS):
        if bracket not in _OPENING:
            depth -= 1
        elif depth == limit:
            return True
        else:
            depth += 1
    return False
