"""Reads the events of a project from the Export API, an hour of uploads at a time."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from connectors.amplitude.translate import EXPORT
from pipeline.events.asking import Api
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://amplitude.com"
HOUR = timedelta(hours=1)
#: An hour of uploads can be exported so long after its end.
LAG = timedelta(hours=2)
#: What is read where no beginning is named: the longest time that one export may cover.
YEAR = timedelta(days=365)
#: Lines of one delivery, and the bytes after which it is closed.
LINES, BYTES = 500, 1_000_000
#: Nothing was uploaded in that hour.
_NOTHING = frozenset({httpx.codes.NOT_FOUND})
_HOUR = "%Y%m%dT%H"
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class AmplitudePoller:
    """Reads one project, the one whose keys are shown."""

    name = "amplitude"
    scope = "a name for the project that the keys are of"
    default_scope: str | None = "project"
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        """Return a client. The token is `API-KEY:SECRET-KEY`."""
        shown = base64.b64encode((access.token or "").encode()).decode()
        headers = {"authorization": f"Basic {shown}", "user-agent": "leadline"}
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=300)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is the hour that is read.

        An hour is told once it can be exported, and again at the next poll, in case that Amplitude was late. Nothing
        is added to an hour, deleted from it or moved to another after that. An hour is one of uploads, so that bounds
        are too: an event that a device sent late is read when it was sent.
        """
        check = (
            "connectors.amplitude.token: is it API-KEY:SECRET-KEY of the project, and is connectors.amplitude.url of "
            "its region? An hour of more than 4 GB cannot be exported so"
        )
        api = Api("amplitude", client, query.now, check)
        hours = _hours(query, checkpoint.cursor)
        for number, hour in enumerate(hours):
            expected = len(hours) - number
            for lines in _chunks(_export(api, hour)):
                body = b"\n".join(lines)
                yield Page(deliveries=[api.delivery(EXPORT, body)], cursor=hour.strftime(_HOUR), expected=expected)
            yield Page(cursor=(hour + HOUR).strftime(_HOUR))


POLLER: Poller = AmplitudePoller()


def _hours(query: Query, cursor: str) -> list[datetime]:
    """Return the hours of upload to read: those that changed since, and that can be exported by now."""
    since = query.now - YEAR if query.since is None else query.since - LAG - HOUR
    start = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if cursor:
        try:
            start = datetime.strptime(cursor, _HOUR).replace(tzinfo=UTC)
        except ValueError as error:
            raise ConfigError(f"amplitude: the checkpoint {cursor!r} is no hour; begin anew with --since") from error
    ready = query.now - LAG
    end = ready if query.until is None else min(ready, query.until)
    count = (end - start) // HOUR
    return [start + number * HOUR for number in range(max(0, count))]


def _export(api: Api, hour: datetime) -> Iterator[bytes]:
    """Yield the lines of an hour. Raises `Retryable` where the archive is damaged."""
    asked = hour.strftime(_HOUR)
    answer = api.get("/api/2/export", {"start": asked, "end": asked}, absent=_NOTHING)
    if answer.status_code in _NOTHING:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".gz"):
                    with archive.open(name) as packed, gzip.open(packed) as lines:
                        yield from (line.strip() for line in lines if line.strip())
    except _DAMAGE as error:
        raise Retryable(f"amplitude: the export of {asked} is no archive of events: {error}") from error


def _chunks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in groups that one delivery can hold."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line)
        if len(group) == LINES or size >= BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group
