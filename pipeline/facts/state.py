"""Keyed state: small objects under fine-grained keys, loaded when touched and written back when changed.

The fold never sees where state lives. A `Backend` loads and stores bytes; a `Table` keeps the decoded objects of the
current batches. Objects are mutable: whoever changes one calls `Table.put` again, or the change is lost at the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from pipeline.events.errors import Corrupt

T = TypeVar("T", bound=msgspec.Struct)


class Backend(Protocol):
    """Where the bytes of state are. Keys are unique within a table."""

    def load(self, table: str, key: str) -> bytes | None: ...

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]: ...

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Yield committed rows in key order."""
        ...


class NoBackend:
    """A backend that holds nothing: state begins empty and lives in the tables' memory."""

    def load(self, table: str, key: str) -> bytes | None:  # noqa: ARG002 - the protocol's signature
        return None

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]:  # noqa: ARG002 - the protocol's signature
        return {}

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:  # noqa: ARG002 - the protocol's signature
        return iter(())


class Table(Generic[T]):
    """One kind of state objects: a write-back cache over a backend.

    `get` returns the object itself, not a copy. `put` marks it changed. `drain` hands over what changed since the last
    drain (None: deleted) and keeps the decoded objects; `forget` drops them.
    """

    def __init__(self, name: str, kind: type[T], backend: Backend) -> None:
        self.name = name
        self._cache: dict[str, T | None] = {}
        self._dirty: set[str] = set()
        self._backend = backend
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def get(self, key: str) -> T | None:
        try:
            return self._cache[key]
        except KeyError:
            raw = self._backend.load(self.name, key)
            value = None if raw is None else self._read(key, raw)
            self._cache[key] = value
            return value

    def put(self, key: str, value: T) -> None:
        self._cache[key] = value
        self._dirty.add(key)

    def delete(self, key: str) -> None:
        self._cache[key] = None
        self._dirty.add(key)

    def prefetch(self, keys: Iterable[str]) -> None:
        """Load the keys that are not in memory in one go; a key that does not exist is remembered as absent."""
        cache = self._cache
        missing = {key for key in keys if key not in cache}
        if not missing:
            return
        found = self._backend.load_many(self.name, missing)
        for key in missing:
            raw = found.get(key)
            cache[key] = None if raw is None else self._read(key, raw)

    def items(self, prefix: str = "") -> Iterator[tuple[str, T]]:
        """Yield all objects whose key begins with `prefix`, those not yet drained included; no order is promised."""
        for key, raw in self._backend.scan(self.name, prefix):
            if key not in self._dirty:
                yield key, self._read(key, raw)
        for key in sorted(self._dirty):
            value = self._cache[key]
            if value is not None and key.startswith(prefix):
                yield key, value

    def drain(self) -> list[tuple[str, bytes | None]]:
        """Return the changed rows in key order (the order that a B-tree likes) and mark them clean."""
        cache, encode = self._cache, self._encode
        rows = [(key, None if (value := cache[key]) is None else encode(value)) for key in sorted(self._dirty)]
        self._dirty.clear()
        return rows

    def _read(self, key: str, raw: bytes) -> T:
        try:
            return self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Corrupt(
                f"state {self.name!r}, key {key!r}: {error}; `leadline rebuild` derives it anew from the log"
            ) from error

    def forget(self) -> None:
        """Drop all decoded objects that are not marked changed."""
        self._cache = {key: self._cache[key] for key in self._dirty}

    def __len__(self) -> int:
        """Return how many decoded objects are held."""
        return len(self._cache)


class State:
    """The tables of a fold over one backend, created on first use."""

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend: Backend = backend if backend is not None else NoBackend()
        self.tables: dict[str, Table[msgspec.Struct]] = {}

    def table(self, name: str, kind: type[T]) -> Table[T]:
        """Return the table of that name, the same one each time. `kind` must be the same at every call."""
        found = self.tables.get(name)
        if found is None:
            created = Table(name, kind, self._backend)
            self.tables[name] = cast("Table[msgspec.Struct]", created)
            return created
        return cast("Table[T]", found)
