"""Pollers: how a source that has an API is asked for its past, and for what changed since."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Protocol

import httpx
import msgspec

from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is reached: the address of its API and the token to show; None: not set."""

    url: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Access(url={self.url!r}, token={'set' if self.token else 'not set'})"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    `scope` is what the source is divided into (a repository, a JQL). `since` leaves out what was not updated after it,
    `until` what was created at or after it; None: no bound. Both are coarse: a page is told whole. `now` stamps the
    deliveries.
    """

    scope: str
    now: datetime
    since: datetime | None = None
    until: datetime | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a poller knows again after a crash.

    `cursor` is the place, in the poller's own words, from which the same query goes on; empty: from the beginning. It
    ends with the query. `memory` lasts: it spares what has not changed since (ETags, versions of items).
    """

    cursor: str = ""
    memory: Mapping[str, str] = {}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some deliveries, and what to know again once they are durable.

    `cursor` is the new one, `memory` the new or changed entries. `expected` is how many deliveries the whole query
    will give, as far as can be told by now; None: cannot be told.
    """

    deliveries: Sequence[Delivery] = ()
    cursor: str = ""
    memory: Mapping[str, str] = {}
    expected: int | None = None


class Poller(Protocol):
    """What the `poll.py` of a connector provides as `POLLER`.

    `name` is the connector's. `scope` says what a scope is (`OWNER/NAME of a repository`); `default_scope` is the one
    of a person who names none, None: one must be named. `needs` are the fields of `Access` that must be set.

    `client` returns the HTTP client for an access. `pages` asks page by page; the caller asks for the next page only
    when the one before and its checkpoint are durable, and adds its `memory` to the checkpoint's before. It may be left
    at any page: with the last checkpoint the same query goes on, and whatever it tells again has the same ids. It
    raises `Retryable` (with the wait that the source asks for) or `ConfigError`, naming the setting, and nothing else.
    """

    name: str
    scope: str
    default_scope: str | None
    needs: Sequence[str]

    def client(self, access: Access) -> httpx.Client: ...

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]: ...


def paged(
    read: Callable[[MutableMapping[str, str]], Iterable[Delivery]],
    memory: Mapping[str, str],
    expected: Callable[[], int | None],
) -> Iterator[Page]:
    """Yield each delivery of `read` as a page, with the entries that `read` had made in its memory by then.

    For pollers that note an entry when the next delivery is asked for, so that the one before is durable.
    """
    noted: dict[str, str] = {}
    for delivery in read(ChainMap(noted, dict(memory))):
        yield Page(deliveries=[delivery], memory=dict(noted), expected=expected())
    yield Page(memory=noted)


def base_url(name: str, url: str) -> str:
    """Return the address of the API of connector `name`. Raises `ConfigError` if it is none."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"connectors.{name}.url: {url!r} is no address: {error}") from error
    if parsed.userinfo:
        # It would stand in every message that names the address.
        raise ConfigError(f"connectors.{name}.url names a user; take the user out, and set connectors.{name}.token")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"connectors.{name}.url: {url!r} is no address; write https://HOST")
    return str(parsed).rstrip("/")
