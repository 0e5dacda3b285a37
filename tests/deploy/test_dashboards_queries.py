"""Every query of every dashboard, run by a real Prometheus that scrapes a real server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.events.errors import Retryable
from pipeline.metrics.catalogue import CATALOGUE
from pipeline.settings import Settings
from pipeline.snapshots.build import build
from pipeline.wiring import Wiring, clock
from tests.api.running import Running, running, settings, signed, tell
from tests.architecture.sources import ROOT
from tests.deploy import binaries
from tests.deploy.binaries import Prometheus, until
from tests.deploy.boards import Query, all_queries, annotation_queries, boards, names, panel_queries, panels
from tests.deploy.dashboards_company import INITIATIVE, PAIR, TEAM, history, news

#: What a reader may pick, as Grafana writes it into a query.
INTERVALS = {"__interval": "1s", "__rate_interval": "1m", "window": "28d"}
EVERYTHING = INTERVALS | {"team": ".*", "initiative": ".*", "pair": ".*"}
ONE_OF_EACH = INTERVALS | {"team": TEAM, "initiative": INITIATIVE, "pair": PAIR}


@dataclass(frozen=True)
class Watched:
    """A server and the Prometheus that scrapes it."""

    server: Running
    prometheus: Prometheus

    def answer(self, query: Query, variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the series with a number in them, as of now or within the last two minutes."""
        expr = query.filled(variables)
        if query.instant:
            found = self.prometheus.query(expr)
            return [each for each in found if not isnan(float(each["value"][1]))]
        (now,) = self.prometheus.query("vector(time())")
        end = float(now["value"][0])
        span: dict[str, str | float] = {"start": end - 120, "end": end, "step": 1}
        found = self.prometheus.get("/api/v1/query_range", query=expr, **span)["data"]["result"]
        return [each for each in found if any(not isnan(float(value)) for _, value in each["values"])]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A server with a history, to which things happen while it is scraped."""
    folder = tmp_path_factory.mktemp("dashboards")
    given = settings(folder).model_copy(update={"snapshots": folder / "snapshots"})
    _remember(given)
    with ExitStack() as stack:
        server = stack.enter_context(running(given))
        server.caught_up()
        config = _configured(folder, server)
        found = Watched(server, stack.enter_context(binaries.prometheus(config, folder / "prometheus")))
        _live(found)
        yield found


def _remember(given: Settings) -> None:
    """Put the history into the log, and take a snapshot."""
    wiring = Wiring(given)
    try:
        tell(wiring.log(), history())
        wiring.engine().run()
        build(wiring.store(), wiring.log(), given.snapshots, clock(), version="test")
    finally:
        wiring.close()


def _configured(folder: Path, server: Running) -> Path:
    """Write what Prometheus has to do: the rules that are shipped, but firing at once, and an instance that is down."""
    rules = folder / "rules"
    rules.mkdir()
    for path in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"):
        content = yaml.safe_load(path.read_text())
        for rule in chain.from_iterable(group["rules"] for group in content["groups"]):
            rule.pop("for", None)
        (rules / path.name).write_text(yaml.safe_dump(content))
    (rules / "trouble.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "trouble", "rules": [_trouble()]}]}, sort_keys=False)
    )
    host, port = server.address
    config = folder / "prometheus.yml"
    scrapes = [{"job_name": "leadline", "static_configs": [{"targets": [f"{host}:{port}"]}]}]
    often = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    config.write_text(yaml.safe_dump({"global": often, "rule_files": ["rules/*.yml"], "scrape_configs": scrapes}))
    return config


def _trouble() -> dict[str, Any]:
    """Return an alert about the pipeline, with the labels that all of them have: nothing is wrong with this one."""
    labels = {"team": "leadline", "severity": "warning", "kind": "health"}
    return {"alert": "Trouble", "expr": "leadline_log_up == 1", "labels": labels}


def _live(watched: Watched) -> None:
    """Let the same happen twice, so that what is counted is seen to grow: pushes, polls, failures and news."""
    server, prometheus = watched.server, watched.prometheus
    until(partial(prometheus.query, "leadline_build_info"), "the server was scraped")
    for hour in (9, 12):
        for kind, body in (("ping", b'{"hook_id": 1}'), ("push", b"[]")):
            answer = server.client.post("/hooks/github", content=body, headers=signed(body, f"{kind}-{hour}", kind))
            assert answer.status_code == 202
        instruments = server.services.instruments
        instruments.polled("github", 3, None, clock())
        instruments.failed(Retryable("the database is held by another process"))
        tell(server.wiring.log(), news(hour))
        server.caught_up()
        position = server.services.figures().events_end
        until(partial(prometheus.query, f"leadline_fold_position_offset == {position}"), "the news were scraped")
    until(partial(prometheus.query, 'ALERTS{alertstate="firing", kind="business"}'), "the debt fires")


@pytest.mark.parametrize("variables", [EVERYTHING, ONE_OF_EACH], ids=["everything", "one of each"])
def test_every_query_returns_data(
    watched: Watched, variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    queries = all_queries()
    empty = [
        (each.board, each.place, each.filled(variables)) for each in queries if not watched.answer(each, variables)
    ]
    with capsys.disabled():
        count = sum(len(panels(board)) for board in boards().values())
        kinds = f"{len(boards())} dashboards, {count} panels, {len(queries)} queries"
        sys.stdout.write(f"\n{kinds}, {len(empty)} of them without data\n")
    assert empty == []


def test_every_variable_has_values(watched: Watched) -> None:
    found = {}
    for board in boards().values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                series, label = variable["definition"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
                matching = Query(board["uid"], variable["name"], series, instant=True).filled(EVERYTHING)
                values = watched.prometheus.get(f"/api/v1/label/{label}/values", **{"match[]": matching})["data"]
                pattern = re.compile(variable.get("regex", "").strip("/") or "(.*)")
                found[variable["name"]] = [match[1] for match in map(pattern.fullmatch, values) if match]
    assert {TEAM, "identity"} <= set(found["team"])
    assert INITIATIVE in found["initiative"]
    assert found["pair"] == ["growth > data", PAIR]
    (links,) = watched.prometheus.query("leadline:links:info")
    assert found["server"] == [links["metric"]["leadline"]]
    assert [f"{each}/deploy/runbooks" for each in found["docs"]] == [links["metric"]["runbooks"]]


def test_a_query_for_what_does_not_exist_returns_nothing(watched: Watched) -> None:
    nobody = ONE_OF_EACH | {"team": "nobody", "initiative": "nothing", "pair": "nobody > nobody"}
    picked = [each for each in all_queries() if "$team" in each.expr and "ALERTS" not in each.expr]
    assert picked
    assert [each for each in picked if watched.answer(each, nobody)] == []


def test_all_that_is_exported_is_on_a_dashboard(watched: Watched) -> None:
    exported = _names_where(watched, '{job="leadline", __name__=~"leadline_.+"}')
    shown = set().union(*(names(each.expr) for each in all_queries()))
    # of counters and histograms these come along; ages and counts of what is open are their own sample size
    along = {each for each in exported if each.endswith(("_created", "_sum", "_count"))}
    along |= {f"leadline_{metric.name}_sample_size" for metric in CATALOGUE if metric.unit == "count"}
    assert exported - shown - along == set()
    assert {each for each in shown if each.startswith("leadline_")} - exported == set()


def _names_where(watched: Watched, matching: str) -> set[str]:
    return set(watched.prometheus.get("/api/v1/label/__name__/values", **{"match[]": matching})["data"])


def test_a_single_wrong_letter_is_noticed(watched: Watched) -> None:
    query = next(panel_queries(boards()["leadline-delivery"]))
    wrong = Query(query.board, query.place, query.expr.replace("leadline_", "leadlime_"), query.instant)
    assert watched.answer(query, EVERYTHING)
    assert not watched.answer(wrong, EVERYTHING)


def test_annotations_mark_what_happened(watched: Watched) -> None:
    marks = {each.place: watched.answer(each, EVERYTHING) for each in annotation_queries(boards()["leadline-delivery"])}
    assert {each["metric"]["scope"] for each in marks["annotation Deployments"]} == {TEAM}
    assert {each["metric"]["scope"] for each in marks["annotation Decisions"]} == {TEAM}
    assert "CoordinationDebtGrowing" in {each["metric"]["alertname"] for each in marks["annotation Findings"]}
