"""The poller against a real HTTP server on a loopback socket, which packs hours of events as Amplitude does."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
import stamina

from connectors.amplitude import CONNECTOR
from connectors.amplitude import poll as amplitude
from connectors.amplitude.poll import POLLER
from pipeline.events.delivery import Context
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Query
from pipeline.ingest.deliveries import from_stored
from pipeline.ingest.polling import ATTEMPTS, Polling, Report
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES
from tests.ingest.sources import NOW, Answer, Source, serving

CONTEXT = Context(actor_key=b"key")
HALF = Answer(half=True)
LATE = Answer(late=True)


class Vault(Source):
    """Uploads by hour; an hour is there two hours after its end. `junk`: what is sent instead of an archive."""

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = _Handler
        self.junk: dict[int, bytes] = {}
        self.now = NOW
        self.hours: dict[datetime, list[str]] = {}
        for hour in (NOW - timedelta(hours=6), NOW - timedelta(hours=4), NOW - timedelta(hours=3)):
            self.hours[hour] = [f"{hour:%H}-{number}" for number in range(7)]

    def archive(self, asked: str) -> bytes | None:
        hour = datetime.strptime(asked, "%Y%m%dT%H").replace(tzinfo=UTC)
        ids = self.hours.get(hour, [])
        if not ids or hour + timedelta(hours=3) > self.now:
            return None
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for part in (0, 1):
                lines = [json.dumps(_event(each, hour)) for each in ids[part::2]]
                archive.writestr(
                    f"187520/187520_{hour:%Y-%m-%d_%H}#{part}.json.gz", gzip.compress("\n".join(lines).encode())
                )
        return packed.getvalue()

    def ids(self, until: datetime = NOW) -> int:
        return sum(len(ids) for hour, ids in self.hours.items() if hour + timedelta(hours=3) <= until)


def _event(identity: str, hour: datetime) -> dict[str, object]:
    return {
        "event_type": "activated",
        "user_id": f"user-{identity}",
        "device_id": "d",
        "$insert_id": identity,
        "uuid": f"uuid-{identity}",
        "event_time": f"{hour:%Y-%m-%d %H:%M:%S}.000000",
        "event_properties": {"plan": "pro"},
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Vault

    def do_GET(self) -> None:
        vault = self.server
        vault.tokens.add(self.headers.get("authorization"))
        vault.asked.append(self.path)
        number = len(vault.asked)
        fault = vault.faults.get(number)
        if fault is not None and fault.late:
            vault.over.wait()
            self.close_connection = True
            return
        found = vault.archive(self.path.split("start=")[1].split("&")[0])
        status = 404 if found is None else 200
        body = vault.junk.get(number, found or b"")
        if number in vault.junk:
            status = 200
        if fault is not None and not fault.half:
            status, body = fault.status, b""
        self.send_response_only(status)
        for name, value in {"content-length": str(len(body)), **(fault.headers if fault else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        half = fault is not None and fault.half
        self.wfile.write(body[: len(body) // 2] if half else body)
        self.close_connection = half

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
        """Keep quiet."""


@pytest.fixture(autouse=True)
def small_deliveries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(amplitude, "LINES", 3)
    with stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def vault() -> Iterator[Vault]:
    with serving(Vault()) as vault:
        yield vault


def polling(vault: Vault, log: MemoryLog, waited: list[float] | None = None) -> Polling:
    client = POLLER.client(Access(url=vault.url, token="key:secret"))
    client.timeout = 0.5
    waits = [] if waited is None else waited

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    return Polling(log, POLLER, client, lambda: vault.now, wait=wait)


def backfill(vault: Vault, log: MemoryLog, waited: list[float] | None = None) -> Report:
    with polling(vault, log, waited) as asking:
        (report,) = asking.backfill(["project"], since=NOW - timedelta(hours=6))
        return report


def told(log: MemoryLog) -> set[str]:
    stored = [from_stored(each) for batch in log.iterate(DELIVERIES) for each in batch]
    return {each.id for delivery in stored for each in CONNECTOR.translate(delivery, CONTEXT).observations}


def test_every_hour_is_read(vault: Vault) -> None:
    log = MemoryLog()
    report = backfill(vault, log)
    assert (report.error, len(told(log))) == (None, vault.ids())
    assert vault.tokens == {"Basic a2V5OnNlY3JldA=="}
    hours = [path.split("start=")[1] for path in vault.asked]
    assert hours[0] == "20261123T03&end=20261123T03", "what was uploaded before, and could not be exported yet, as well"
    assert "20261123T09&end=20261123T09" in hours
    assert "20261123T10&end=20261123T10" not in hours, "an hour is there two hours after its end"


def test_deliveries_are_small(vault: Vault) -> None:
    log = MemoryLog()
    backfill(vault, log)
    bodies = [from_stored(each).body for batch in log.iterate(DELIVERIES) for each in batch]
    assert max(body.count(b"\n") for body in bodies) == 2


def test_an_hour_that_was_not_there_is_read_by_the_next_poll(vault: Vault) -> None:
    log = MemoryLog()
    backfill(vault, log)
    uploaded = NOW - timedelta(hours=1)
    vault.hours[uploaded] = ["a", "b"]
    for minutes in (15, 120, 135):
        vault.now = NOW + timedelta(minutes=minutes)
        with polling(vault, log) as asking:
            assert asking.poll("project").error is None
    assert len(told(log)) == vault.ids(vault.now) == 23


@pytest.mark.parametrize("number", [1, 3, 4])
@pytest.mark.parametrize(
    "fault",
    [Answer(500), Answer(429, headers={"retry-after": "17"}), Answer(429), HALF, LATE],
    ids=["500", "429 with a wait", "429", "half a body", "silence"],
)
def test_faults_lose_nothing(vault: Vault, number: int, fault: Answer) -> None:
    vault.hours[NOW - timedelta(hours=9)] = ["0-1", "0-2"]
    vault.faults = {number: fault}
    waited: list[float] = []
    log = MemoryLog()
    assert backfill(vault, log, waited).error is None
    assert len(told(log)) == vault.ids()
    if fault.status == 429:
        assert waited == [float(fault.headers.get("retry-after", "60"))]


@pytest.mark.parametrize("junk", [b"", b"<html>", b"PK\x03\x04 cut", None], ids=["nothing", "proxy", "cut", "no gzip"])
def test_what_is_no_archive_is_asked_for_again_and_not_stored(vault: Vault, junk: bytes | None) -> None:
    if junk is None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("187520/187520_2026-11-23_06#0.json.gz", b"no gzip")
        junk = packed.getvalue()
    vault.junk = {4: junk}
    log = MemoryLog()
    assert backfill(vault, log).error is None
    assert len(told(log)) == vault.ids()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_names_the_settings(vault: Vault, status: int) -> None:
    vault.faults = dict.fromkeys(range(1, 20), Answer(status))
    report = backfill(vault, MemoryLog())
    assert isinstance(report.error, ConfigError)
    assert "connectors.amplitude.token" in str(report.error)


def test_a_query_goes_on_with_the_hour_in_which_it_was_left(vault: Vault) -> None:
    query = Query(scope="project", now=NOW, since=NOW - timedelta(hours=6))
    with POLLER.client(Access(url=vault.url, token="key:secret")) as client:
        whole = list(POLLER.pages(client, query, Checkpoint()))
        everything = {each.id for page in whole for each in page.deliveries}
        for left, page in enumerate(whole, 1):
            rest = POLLER.pages(client, query, Checkpoint(cursor=page.cursor))
            read = {each.id for done in (*whole[:left], *rest) for each in done.deliveries}
            assert read == everything


def test_a_backfill_without_a_beginning_reads_a_year(vault: Vault) -> None:
    with POLLER.client(Access(url=vault.url, token="key:secret")) as client:
        first = next(iter(POLLER.pages(client, Query(scope="project", now=NOW), Checkpoint())))
    assert "start=20251123T12" in vault.asked[0]
    assert first.cursor == "20251123T13"
