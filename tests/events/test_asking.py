"""Rate limits, refusals, and lists that change while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.events.asking import Api, Item, Listed, moment, newest_first, oldest_first, staged
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.limits import rest_wanted
from pipeline.events.polling import Checkpoint, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOON = round((NOW + timedelta(seconds=90)).timestamp())
URL = "https://forge.example"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:19 GMT"}, 19.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:19 GMT", "date": "Mon, 23 Nov 2026 12:00:09 GMT"}, 10.0),
        ({"retry-after": "soon"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": str(SOON)}, 90.0),
        ({"ratelimit-remaining": "1", "ratelimit-reset": str(SOON)}, None),
        ({"ratelimit-remaining": "0"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "-30"}, 0.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-23T12:01:00Z"}, 60.0),
        ({"x-ratelimit-requests-remaining": "0", "x-ratelimit-requests-reset": str(SOON * 1000)}, 90.0),
        ({"x-sentry-rate-limit-remaining": "0", "x-sentry-rate-limit-reset": str(SOON)}, 90.0),
        (
            {
                "x-ratelimit-requests-remaining": "0",
                "x-ratelimit-requests-reset": "5",
                "x-ratelimit-complexity-remaining": "0",
                "x-ratelimit-complexity-reset": "50",
            },
            50.0,
        ),
    ],
)
def test_a_wait_is_read_from_whichever_header_tells_it(headers: dict[str, str], wait: float | None) -> None:
    assert rest_wanted(httpx.Headers(headers), NOW) == wait


@given(st.text(max_size=30), st.text(max_size=30))
@example("\u00b2", "\u00b2")
def test_no_header_is_too_strange(after: str, reset: str) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, "retry-after": after}
    for told in (headers, {name: text for name, text in headers.items() if name != "retry-after"}):
        wait = rest_wanted(httpx.Headers([(name.encode(), text.encode()) for name, text in told.items()]), NOW)
        assert wait is None or wait >= 0


def api(answer: Callable[[httpx.Request], httpx.Response]) -> Api:
    client = httpx.Client(base_url=URL, transport=httpx.MockTransport(answer))
    return Api("forge", client, NOW, "connectors.forge.token")


@pytest.mark.parametrize("status", [203, 301, 302, 400, 401, 403, 404, 410])
def test_a_refusal_names_what_to_check_and_not_what_was_asked(status: int) -> None:
    with pytest.raises(ConfigError, match=rf"{status}.*connectors\.forge\.token") as raised:
        api(lambda _: httpx.Response(status)).get("/things", {"q": "a secret query"})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {}, 60.0),
        (429, {"retry-after": "7"}, 7.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(SOON)}, 90.0),
        (400, {"retry-after": "7"}, 7.0),
        (503, {"retry-after": "7"}, 7.0),
        (500, {}, None),
        (408, {}, None),
    ],
)
def test_what_passes_can_be_tried_again(status: int, headers: dict[str, str], after: float | None) -> None:
    with pytest.raises(Retryable) as raised:
        api(lambda _: httpx.Response(status, headers=headers)).get("/things")
    assert raised.value.after == after


def test_a_limit_that_an_answer_announces_is_kept_before_the_next_request() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=[], headers={"ratelimit-remaining": "0", "ratelimit-reset": str(SOON)})

    forge = api(answer)
    assert forge.items(forge.get("/first")) == []
    with pytest.raises(Retryable) as raised:
        forge.get("/second")
    assert (raised.value.after, asked) == (90.0, ["/first"])


def test_a_link_to_another_host_is_not_followed() -> None:
    forge = api(lambda _: httpx.Response(200, json={}))
    answer = forge.get("/things")
    assert forge.follow(answer, "/things?page=2").url == f"{URL}/things?page=2"
    with pytest.raises(ConfigError, match=r"links to elsewhere\.example"):
        forge.follow(answer, "https://elsewhere.example/things?page=2")


def test_a_delivery_is_known_by_all_that_it_says() -> None:
    forge = api(lambda _: httpx.Response(200))
    first = forge.delivery("rest.things", [1], {"x-number": "7"})
    assert first == forge.delivery("rest.things", b"[1]", {"x-number": "7"})
    others = [
        ("rest.others", [1], {"x-number": "7"}),
        ("rest.things", [2], {"x-number": "7"}),
        ("rest.things", [1], {}),
    ]
    assert len({first.id, *(forge.delivery(*other).id for other in others)}) == 4


class Shelf:
    """Items with a time, in pages; `then` happens after each page that was asked for."""

    def __init__(self, times: list[int], size: int) -> None:
        self.items = [{"id": number, "at": time} for number, time in enumerate(times)]
        self.size = size
        self.pages = 0
        self.then: Callable[[int], None] = lambda _: None

    def oldest(self, start: str, page: int) -> Listed[Item]:
        found = sorted(self.items, key=lambda item: (item["at"], item["id"]))
        return self._page([item for item in found if not start or item["at"] >= int(start)], page)

    def newest(self, page: int) -> Listed[Item]:
        return self._page(sorted(self.items, key=lambda item: (-item["at"], -item["id"])), page)

    def _page(self, found: list[Item], page: int) -> Listed[Item]:
        listed = [dict(item) for item in found[(page - 1) * self.size : page * self.size]]
        self.pages += 1
        self.then(self.pages)
        return Listed(listed, more=page * self.size < len(found))


def _time(item: Item) -> str:
    return str(item["at"])


TIMES = st.lists(st.integers(1_000_000_000, 1_000_000_003), max_size=12)


@given(TIMES, st.integers(1, 4), st.data())
def test_nothing_slips_past_a_list_that_changes_while_it_is_read(times: list[int], size: int, data: Any) -> None:
    shelf = Shelf(times, size)
    moves = data.draw(st.dictionaries(st.integers(1, 6), st.integers(0, 11), max_size=3))

    def move(page: int) -> None:
        number = moves.get(page)
        if number is not None and number < len(shelf.items):
            shelf.items[number]["at"] = 1_000_000_100 + page

    shelf.then = move
    told = list(oldest_first(shelf.oldest, _time, "id", ""))
    unmoved = {item["id"] for item in shelf.items if item["at"] < 1_000_000_100}
    assert {item["id"] for item, _ in told} >= unmoved
    assert len(told) == len({(item["id"], item["at"]) for item, _ in told})


@given(TIMES, st.integers(1, 4), st.data())
def test_a_list_goes_on_at_its_cursor(times: list[int], size: int, data: Any) -> None:
    whole = list(oldest_first(Shelf(times, size).oldest, _time, "id", ""))
    if whole:
        cut = data.draw(st.integers(0, len(whole) - 1))
        rest = list(oldest_first(Shelf(times, size).oldest, _time, "id", whole[cut][1]))
        first = {item["id"] for item, _ in whole[: cut + 1]}
        assert first | {item["id"] for item, _ in rest} == set(range(len(times)))


def _moment(item: Item) -> datetime | None:
    return moment(item["at"])


@given(TIMES, st.integers(2, 4), st.data())
def test_what_is_added_on_top_hides_nothing_below(times: list[int], size: int, data: Any) -> None:
    shelf = Shelf(times, size)
    when = data.draw(st.integers(1, 5))

    def add(page: int) -> None:
        if page == when:
            shelf.items.append({"id": 100, "at": 1_000_000_100})

    shelf.then = add
    told = [(item["id"], cursor) for item, cursor in newest_first(shelf.newest, _moment, "", None)]
    assert {number for number, _ in told} >= set(range(len(times)))
    if told:
        cut = data.draw(st.integers(0, len(told) - 1))
        rest = {item["id"] for item, _ in newest_first(shelf.newest, _moment, told[cut][1], None)}
        assert {number for number, _ in told[: cut + 1]} | rest >= set(range(len(times)))


def test_the_newest_are_read_down_to_a_floor() -> None:
    shelf = Shelf([1_000_000_000, 1_000_000_010, 1_000_000_020], 1)
    told = newest_first(shelf.newest, _moment, "", moment(1_000_000_010))
    assert [item["id"] for item, _ in told] == [2, 1]
    assert shelf.pages == 3


def test_a_source_that_does_not_page_is_not_asked_for_ever() -> None:
    same = Listed([{"id": 1, "at": 1_000_000_000}, {"id": 2, "at": 1_000_000_000}], more=True)
    with pytest.raises(Retryable, match="repeats a page"):
        list(oldest_first(lambda _start, _page: same, _time, "id", ""))
    with pytest.raises(Retryable, match="repeats a page"):
        list(newest_first(lambda _page: same, _moment, "", None))


def _stage(cursors: list[str], expected: int | None = None) -> Callable[[str], Iterator[Page]]:
    def read(cursor: str) -> Iterator[Page]:
        begin = cursors.index(cursor) + 1 if cursor else 0
        for each in cursors[begin:]:
            yield Page(deliveries=[], cursor=each, expected=expected)

    return read


def test_lists_are_read_one_after_another_and_go_on_where_they_were() -> None:
    stages = {"a": _stage(["1", "2"], 5), "b": _stage([]), "c": _stage(["3", ""])}
    cursors = [page.cursor for page in staged(stages, Checkpoint())]
    assert cursors == ["a 1", "a 2", "c 3", "c ", ""]
    assert [page.cursor for page in staged(stages, Checkpoint(cursor="a 1"))] == ["a 2", "c 3", "c ", ""]
    assert [page.cursor for page in staged(stages, Checkpoint(cursor="of another version"))] == cursors
    assert [page.expected for page in staged(stages, Checkpoint())] == [5, 5, 5, 5, 5]
