"""Real HTTP servers on a loopback socket that replay recorded pages, and misbehave when told to.

What they tell was recorded from the REST APIs by Apache DevLake (Apache License 2.0); people were replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REPO = "panjf2000/ants"
S = TypeVar("S", bound="Source")


@dataclass(frozen=True)
class Answer:
    """What is sent. `half`: the connection breaks in the middle of the body. `late`: it is never sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    half: bool = False
    late: bool = False


BROKEN = Answer(half=True, body=[{"number": 1}] * 50)
SILENT = Answer(late=True)


class Source(ThreadingHTTPServer):
    """Answers as `answer` does, except to the requests whose numbers (from 1) are in `faults`.

    `clock` is what its Date header tells. `before` is called with the number and the path of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: dict[int, Answer] = {}
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.clock = NOW
        self.before: Callable[[int, str], None] = lambda *_: None
        self.over = threading.Event()
        self._counting = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        raise NotImplementedError

    def answer_post(self, path: str, query: dict[str, str], body: Any) -> Answer:
        raise NotImplementedError

    def taken(self, target: str, body: bytes | None = None) -> Answer:
        with self._counting:
            self.asked.append(target)
            number = len(self.asked)
        parts = urlsplit(target)
        self.before(number, parts.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if number in self.faults:
            return self.faults[number]
        return self.answer(parts.path, query) if body is None else self.answer_post(parts.path, query, json.loads(body))

    def paths(self) -> list[str]:
        return [urlsplit(target).path for target in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Source

    def do_GET(self) -> None:
        self._tell(self.server.taken(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._tell(self.server.taken(self.path, body))

    def _tell(self, answer: Answer) -> None:
        self.server.tokens.add(self.headers.get("authorization"))
        if answer.late:
            self.server.over.wait()
            self.close_connection = True
            return
        body = b"" if answer.status == 204 else json.dumps(answer.body).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if answer.status == 200 and self.headers.get("if-none-match") == etag:
            answer, body = Answer(304), b""
        self.send_response_only(answer.status)
        told = {
            "date": format_datetime(self.server.clock),
            "content-length": str(len(body)),
            "etag": etag,
            **answer.headers,
        }
        for name, value in told.items():
            self.send_header(name, value)
        # Who asked may have been killed meanwhile.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.half else body)
        self.close_connection = answer.half

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
        """Keep quiet."""


@contextmanager
def serving(source: S) -> Iterator[S]:
    thread = threading.Thread(target=source.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield source
    finally:
        source.over.set()
        source.shutdown()
        source.server_close()
        thread.join()


class Hub(Source):
    """GitHub with one repository; two items a page, lists sorted as GitHub sorts them."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[dict[str, Any]]] = json.loads((RECORDED / "github.json").read_text("utf-8"))

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        name = "/".join(path.split("/")[4:])
        items = self.lists.get(name, [])
        if "since" in query:
            items = [item for item in items if item.get("updated_at", query["since"]) >= query["since"]]
        page, size = int(query.get("page", "1")), 2
        pages = max(1, -(-len(items) // size))
        link = f'<{self.url}{path}?page={pages}>; rel="last"'
        if page < pages:
            rest = "".join(f"&{key}={value}" for key, value in query.items() if key != "page")
            link += f', <{self.url}{path}?page={page + 1}{rest}>; rel="next"'
        found: Any = items[(page - 1) * size : page * size]
        return Answer(headers={"link": link}, body={"workflow_runs": found} if name == "actions/runs" else found)

    def touch(self, number: int, moment: datetime, title: str) -> None:
        """Change a pull request: it is now the one that was updated last."""
        pulls = self.lists["pulls"]
        pull = next(pull for pull in pulls if pull["number"] == number)
        pull.update(updated_at=f"{moment:%Y-%m-%dT%H:%M:%SZ}", title=title)
        pulls.sort(key=lambda each: str(each["updated_at"]), reverse=True)


class Site(Source):
    """Jira Data Center; three issues a page. Its search understands the comparisons with `updated` and `created`."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: list[dict[str, Any]] = json.loads((RECORDED / "jira.json").read_text("utf-8"))

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path.endswith("serverInfo"):
            return Answer(body={"deploymentType": "Server"})
        if path.endswith("myself"):
            return Answer(body={"timeZone": "UTC"})
        found = [issue for issue in self.issues if _matches(issue, query["jql"])]
        start = int(query["startAt"])
        return Answer(body={"startAt": start, "total": len(found), "issues": found[start : start + 3]})


def _matches(issue: dict[str, Any], jql: str) -> bool:
    for name, sign, bound in re.findall(r'(updated|created) (>=|<) "([^"]+)"', jql):
        moment = datetime.fromisoformat(issue["fields"][name]).astimezone(UTC)
        limit = datetime.fromisoformat(bound).replace(tzinfo=UTC)
        if (moment >= limit) != (sign == ">="):
            return False
    return True
