"""The same numbers over HTTP, for Prometheus and in the program; pages, revalidation, facts and quarantine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from pipeline.events.times import to_us
from pipeline.exporter.collector import series_name
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, MetricPoint
from tests.api.running import HISTORY, Running, is_problem, running, settings, signed, tell
from tests.simulation.story import committed, deployed

Labels = tuple[tuple[str, str], ...]


def read(server: Running, **query: str | int) -> dict[str, Any]:
    response = server.client.get("/api/v1/metrics", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def told(item: dict[str, Any]) -> MetricPoint:
    return MetricPoint(**{**item, "as_of": to_us(datetime.fromisoformat(item["as_of"]))})


def exported(point: MetricPoint) -> tuple[str, Labels]:
    labels = {"scope_kind": point.scope_kind, "scope": point.scope}
    if point.window_days is not None:
        labels["window"] = f"{point.window_days}d"
    if [stat for stat in BY_NAME[point.metric].stats if stat != "value"] and point.stat != "value":
        labels["stat"] = point.stat
    return series_name(point.metric, point.unit), tuple(sorted(labels.items()))


def business(families: Any) -> dict[tuple[str, Labels], float]:
    names = {f"leadline_{metric.name}" for metric in CATALOGUE}
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if any(sample.name.startswith(name) for name in names) and not sample.name.endswith("_sample_size")
    }


def test_one_number_everywhere(informed: Running) -> None:
    points = informed.wiring.metrics()
    values = {exported(point): point.value for point in points}
    scraped = informed.client.get("/metrics")
    opened = informed.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert len(points) > 50
    assert {point.scope_kind for point in points} == {"org", "service", "team"}
    assert [told(item) for item in read(informed, limit=5_000)["items"]] == points
    assert business(text_families(scraped.text)) == values
    assert business(open_families(opened.text)) == values  # type: ignore[no-untyped-call]
    assert opened.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")


@pytest.mark.parametrize("accept", ["", "text/html", "application/openmetrics-text; version=x", "text/plain;version=?"])
def test_whatever_is_asked_for_a_scrape_is_readable(server: Running, accept: str) -> None:
    response = server.client.get("/metrics", headers={"Accept": accept})
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "leadline_build_info" in {sample.name for each in text_families(response.text) for sample in each.samples}


def test_a_scrape_tells_how_the_pipeline_is(informed: Running) -> None:
    informed.client.post("/hooks/github", content=b"[]", headers=signed(b"[]"))
    informed.caught_up()
    registry = informed.services.registry
    model = informed.services.follower.model
    assert model is not None
    assert model.as_of is not None
    expected = {
        "leadline_log_up": 1,
        "leadline_translate_lag": 0,
        "leadline_fold_lag": 0,
        "leadline_fold_position_offset": len(HISTORY),
        "leadline_as_of_timestamp_seconds": model.as_of.timestamp(),
        "leadline_deliveries_translated_total": 1,
        "leadline_events_folded_total": len(HISTORY),
    }
    assert {name: registry.get_sample_value(name) for name in expected} == expected
    labelled = {"connector": "github", "reason": "bad_json"}
    reasons = [
        sample.labels
        for each in registry.collect()
        if each.name == "leadline_quarantine_open"
        for sample in each.samples
    ]
    assert [(labels.keys(), labels["connector"]) for labels in reasons] == [(labelled.keys(), "github")]
    assert registry.get_sample_value("leadline_log_end_offset", {"stream": "deliveries"}) == 1


def test_before_the_first_event_there_are_no_numbers(server: Running) -> None:
    server.caught_up()
    assert read(server) == {"as_of": None, "position": 0, "items": [], "beside": [], "unknown": [], "next": None}
    assert business(text_families(server.client.get("/metrics").text)) == {}


def test_pages_add_up_to_the_whole(informed: Running) -> None:
    whole = read(informed, limit=5_000)
    items: list[Any] = []
    query: dict[str, str | int] = {"limit": 7}
    while True:
        page = read(informed, **query)
        items += page["items"]
        assert len(page["items"]) <= 7
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert (items, whole["next"]) == (whole["items"], None)


@pytest.mark.parametrize("metric", [metric.name for metric in CATALOGUE])
def test_a_number_comes_with_what_must_be_shown_beside_it(informed: Running, metric: str) -> None:
    page = read(informed, metric=metric, scope_kind="org", window=28)
    whole = read(informed, limit=5_000)["items"]
    for item in page["items"]:
        for name in BY_NAME[metric].beside:
            window = item["window_days"] if BY_NAME[name].windowed else None
            companions = [
                each
                for each in whole
                if (each["metric"], each["scope_kind"], each["scope"], each["window_days"])
                == (name, item["scope_kind"], item["scope"], window)
            ]
            assert all(each in page["items"] + page["beside"] for each in companions)
            named = {"metric": name, "scope_kind": "org", "scope": item["scope"], "window_days": window}
            assert (named in page["unknown"]) == (not companions)
    assert {item["metric"] for item in page["items"]} <= {metric}


def test_throughput_is_never_alone(informed: Running) -> None:
    page = read(informed, metric="deployment_frequency", scope_kind="team", scope="growth", window=28)
    assert [(item["metric"], item["n"]) for item in page["items"]] == [("deployment_frequency", 2)]
    assert [(item["metric"], item["value"], item["n"]) for item in page["beside"]] == [("change_fail_rate", 0.5, 2)]
    assert page["unknown"] == []


def test_throughput_says_that_its_instability_is_not_known(server: Running) -> None:
    tell(server.wiring.log(), [deployed("01 09:00", "d0"), deployed("02 09:00", "d1")])
    server.caught_up()
    page = read(server, metric="deployment_frequency", scope_kind="org", window=28)
    assert [(item["metric"], item["n"]) for item in page["items"]] == [("deployment_frequency", 2)]
    assert page["beside"] == []
    assert page["unknown"] == [{"metric": "change_fail_rate", "scope_kind": "org", "scope": "all", "window_days": 28}]
    assert not [item for item in read(server, limit=5_000)["items"] if item["unit"] == "ratio"]


def test_what_was_open_before_the_latest_event_is_not_known(informed: Running) -> None:
    latest = read(informed, metric="open_changes", scope_kind="org")
    assert [item["value"] for item in latest["items"] if item["stat"] == "value"] == [1.0]
    assert read(informed, metric="open_changes", as_of=latest["as_of"])["items"]
    assert not read(informed, metric="open_changes", as_of="2026-03-04T08:59:59.999999Z")["items"]
    page = read(informed, metric="change_lead_time", scope_kind="org", window=28, as_of="2026-03-03T13:00:00Z")
    assert page["items"]
    assert page["beside"] == []
    assert page["unknown"] == [{"metric": "open_changes", "scope_kind": "org", "scope": "all", "window_days": None}]


def test_numbers_as_of_another_instant(informed: Running) -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    page = read(informed, as_of=moment.isoformat(), limit=5_000)
    assert [told(item) for item in page["items"]] == informed.wiring.metrics(moment)
    assert page["items"] != read(informed, limit=5_000)["items"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"metric": "velocity"}, "there are: deployment_frequency"),
        ({"scope_kind": "person"}, "there are: org, team, service, initiative"),
        ({"window": 30}, "there are: 7, 28, 90"),
        ({"window": "28d"}, "window"),
        ({"as_of": "2026-03-01T00:00:00"}, "as_of"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "1066-10-14T00:00:00Z"}, "between the years 1970 and 9000"),
        ({"as_of": "9999-12-31T23:59:59-14:00"}, "between the years"),
        ({"limit": 0}, "limit"),
        ({"cursor": "WzFd"}, "cursor"),
        ({"cursor": "\u00e9"}, "cursor"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(informed: Running, query: dict[str, Any], words: str) -> None:
    assert is_problem(informed.client.get("/api/v1/metrics", params=query), 422, words)


@pytest.mark.parametrize("path", ["/api/v1/metrics", "/api/v1/facts/change", "/api/v1/facts/change/acme%2Fshop%237"])
def test_an_answer_is_not_sent_twice(informed: Running, path: str) -> None:
    first = informed.client.get(path)
    etag = first.headers["etag"]
    again = informed.client.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert etag.startswith(f'W/"{len(HISTORY)}-')
    tell(informed.wiring.log(), [committed("c9", "05 08:00"), deployed("05 09:00", "d9", "c9")])
    informed.caught_up()
    changed = informed.client.get(path, headers={"If-None-Match": etag})
    assert (changed.status_code, changed.headers["etag"] != etag) == (200, True)


def test_facts_can_be_paged_and_found(informed: Running) -> None:
    kind = "/api/v1/facts/deployment"
    first = informed.client.get(kind, params={"limit": 1}).json()
    second = informed.client.get(kind, params={"limit": 1, "cursor": first["next"]}).json()
    items = first["items"] + second["items"]
    known = {msgspec.structs.asdict(fact)["id"] for fact in informed.wiring.facts("deployment")}
    assert (second["next"], len(items), {item["id"] for item in items}) == (None, 2, known)
    one = informed.client.get("/api/v1/facts/change/acme%2Fshop%237").json()
    assert (one["id"], one["status"], one["method"]) == ("acme/shop#7", "deployed", "ancestry")
    assert datetime.fromisoformat(one["merged_at"]) + timedelta(hours=2) == datetime.fromisoformat(one["deployed_at"])


def test_what_does_not_exist_is_told_apart(informed: Running) -> None:
    assert is_problem(informed.client.get("/api/v1/facts/person"), 404, "there are: change, deployment")
    assert is_problem(informed.client.get("/api/v1/facts/change/acme%2Fshop%2399"), 404, "acme/shop#99")


def test_the_quarantine_is_counted_listed_and_paged(server: Running) -> None:
    for number in range(5):
        body = b"[%d" % number
        server.client.post("/hooks/github", content=body, headers=signed(body, f"d{number}"))
    server.caught_up()
    pages, query = [], {"limit": "2"}
    while True:
        page = server.client.get("/api/v1/quarantine", params=query).json()
        pages.append(page)
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert [[item["delivery"] for item in page["items"]] for page in pages] == [[1, 2], [3, 4], [5]]
    ((count,),) = {tuple(each["count"] for each in page["counts"]) for page in pages}
    assert count == 5
    assert server.client.get("/api/v1/quarantine", params={"state": "dropped"}).json()["items"] == []


def test_another_process_may_do_the_folding(tmp_path: Path) -> None:
    with running(settings(tmp_path), follow=False) as server:
        tell(server.wiring.log(), HISTORY)
        server.wiring.engine().run()
        assert server.services.follower.wait_until(lambda model: model.position == len(HISTORY), 20)
        assert [told(item) for item in read(server, limit=5_000)["items"]] == server.wiring.metrics()


def test_the_catalogue_says_what_each_metric_means(server: Running) -> None:
    listed = server.client.get("/api/v1/catalogue").json()["metrics"]
    assert [(each["name"], each["help"]) for each in listed] == [(each.name, each.help) for each in CATALOGUE]
