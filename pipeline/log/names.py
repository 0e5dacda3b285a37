"""Names of streams, and which partition a key belongs to."""

from __future__ import annotations

import re

from pipeline.log.protocol import STAGED_PREFIX

_STREAM = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def checked_stream(stream: str) -> str:
    """Return `stream`. Raises ValueError unless it matches `[a-z][a-z0-9_]*`, at most 63 characters."""
    if not _STREAM.fullmatch(stream):
        raise ValueError(f"stream name {stream!r}: use lower-case letters, digits and '_', beginning with a letter")
    return stream


def checked_staged(stream: str) -> str:
    """Return `stream`. Raises ValueError unless it names a scratch stream."""
    if not stream.startswith(STAGED_PREFIX):
        raise ValueError(f"stream {stream!r} is not scratch: the name must begin with {STAGED_PREFIX!r}")
    return checked_stream(stream)


def murmur2(data: bytes) -> int:
    """Return Kafka's 32-bit MurmurHash2 of `data`, unsigned (Java shows the same bits as a signed int)."""
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        hashed = hashed * _MULTIPLIER & _MASK ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> 15


def partition_of(key: str, partitions: int) -> int:
    """Return the partition (from 0) that Kafka's default partitioner gives to `key`."""
    return 0 if partitions == 1 else (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
