"""The dashboards keep the rules of the house: what is shown beside what, units, words, links, and nobody's name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from pipeline.metrics.catalogue import BY_NAME, CATALOGUE
from tests.architecture.sources import ROOT
from tests.deploy.boards import GRAFANA, JSON, Object, all_queries, boards, linked_files, metrics_of, panels

BOARDS = boards()
PANELS = [pytest.param(each, id=f"{uid}: {each['title']}") for uid, board in BOARDS.items() for each in panels(board)]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
#: What may be told apart on a dashboard. There is no label for a person, and none that grows with events.
LABELS = {
    *("scope_kind", "scope", "window", "stat", "consumer", "provider"),
    *("alertname", "alertstate", "kind", "severity", "team", "pair"),
    *(
        "connector",
        "status",
        "outcome",
        "result",
        "reason",
        "error",
        "stream",
        "step",
        "table",
        "le",
        "version",
        "schema",
    ),
}


def built(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, since the builders warn of a newer schema when they are imported."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_json_is_what_the_code_gives() -> None:
    run = built("import sys; from deploy.grafana.build import main; sys.exit(main(['--check']))")
    assert (run.returncode, run.stderr) == (0, "")


def test_json_that_was_edited_lost_or_left_is_noticed_and_mended(tmp_path: Path) -> None:
    folder = copytree(JSON, tmp_path / "json")
    (folder / "leadline-value.json").write_text("{}")
    (folder / "leadline-delivery.json").unlink()
    (folder / "mine.json").write_text("{}")
    load = "import sys; from pathlib import Path; from deploy.grafana.build import stale, write"
    look = "folder = Path(sys.argv[1]); print(*stale(folder)); write(folder); print(*stale(folder), '.')"
    run = built(f"{load}; {look}", folder)
    assert run.stdout.split("\n") == ["leadline-delivery.json leadline-value.json mine.json", ".", ""]


def test_uids_are_stable() -> None:
    assert {board["uid"]: board["title"] for board in BOARDS.values()} == {
        "leadline-value": "Value, drag, why",
        "leadline-delivery": "Delivery system",
        "leadline-coordination": "Coordination and decisions",
        "leadline-pipeline": "Pipeline health",
    }
    assert set(BOARDS) == {board["uid"] for board in BOARDS.values()}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_ids_are_unique_and_panels_do_not_overlap(board: Object) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert ids == sorted(set(ids))
    taken = [(x, y) for panel in board["panels"] for x, y in _cells(panel["gridPos"])]
    assert len(taken) == len(set(taken))
    assert all(x < 24 for x, _ in taken)
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))


def _cells(place: dict[str, int]) -> list[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    return [(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_all_that_queries_goes_to_the_chosen_data_source(board: Object) -> None:
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    asking = [each for each in variables.values() if each["type"] == "query"]
    asking += [*board["annotations"]["list"], *panels(board)]
    asking += [target for panel in panels(board) for target in panel.get("targets", [])]
    assert [each for each in asking if each["datasource"] != DATASOURCE] == []


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_variables_that_are_used_exist(board: Object) -> None:
    declared = {each["name"] for each in board["templating"]["list"]}
    texts = [each.expr for each in all_queries() if each.board == board["uid"]]
    texts += re.findall(r'"(?:url|title)": "([^"]*)"', (JSON / f"{board['uid']}.json").read_text())
    used = {name for text in texts for name in re.findall(r"\$\{?([a-z_]+)", text)}
    assert used - {"__interval", "__rate_interval", "__value"} <= declared


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_in_which_unit_and_when_it_cannot(panel: Object) -> None:
    assert len(panel["description"]) > 20
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"] == "insufficient data - run leadline doctor"
    if panel["type"] == "timeseries":
        assert defaults["unit"]
        assert defaults["custom"]["axisLabel"]
    if panel["type"] == "table" and "unit" not in defaults:
        assert len(_overridden(panel, "unit")) == len(panel["targets"])
    references = [target["refId"] for target in panel.get("targets", [])]
    assert len(references) == len(set(references))


@pytest.mark.parametrize("panel", [each for each in PANELS if each.values[0]["type"] == "timeseries"])  # type: ignore[index]
def test_a_line_in_another_unit_has_an_axis_that_says_so(panel: Object) -> None:
    units = _overridden(panel, "unit")
    assert _overridden(panel, "custom.axisLabel").keys() == units.keys()
    hidden = {ref for ref, value in _overridden(panel, "custom.hideFrom").items() if value["viz"]}
    assert {
        ref for ref, side in _overridden(panel, "custom.axisPlacement").items() if side == "right"
    } == units.keys() - hidden


def _overridden(panel: Object, property_name: str) -> dict[str, Any]:
    return {
        override["matcher"]["options"]: each["value"]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == property_name
    }


@pytest.mark.parametrize("panel", PANELS)
def test_no_metric_without_its_sample_size_and_what_belongs_beside_it(panel: Object) -> None:
    shown = metrics_of(panel)
    for name, series in shown.items():
        metric = BY_NAME[name]
        if metric.unit != "count":
            assert f"leadline_{name}_sample_size" in series, f"{name} without n"
        assert set(metric.beside) <= shown.keys(), f"{name} without what belongs beside it"
        for other in metric.beside:
            if "p85" in BY_NAME[other].stats and BY_NAME[other].unit == "count":
                assert f"leadline_{other}_age_seconds" in shown[other], f"{name} without the ages of {other}"


def test_throughput_and_instability_share_a_frame() -> None:
    (frame,) = [each for each in panels(BOARDS["leadline-delivery"]) if each["title"] == "Throughput and instability"]
    assert metrics_of(frame).keys() == {"deployment_frequency", "change_fail_rate"}
    assert frame["fieldConfig"]["defaults"]["unit"] == "suffix:/day"
    assert set(_overridden(frame, "unit").values()) == {"percentunit", "none"}


def test_every_metric_of_the_catalogue_is_shown() -> None:
    shown = {name for board in BOARDS.values() for panel in panels(board) for name in metrics_of(panel)}
    assert shown == {metric.name for metric in CATALOGUE}


def test_nobody_is_measured() -> None:
    for query in all_queries():
        grouped = [each for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query.expr) for each in group.split(", ")]
        assert {*grouped, *re.findall(r"(\w+)(?:=~|!=|=)\"", query.expr)} - {""} <= LABELS, query


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_links_lead_somewhere(board: Object) -> None:
    assert [path for path in linked_files(board) if not path.exists()] == []
    text = (JSON / f"{board['uid']}.json").read_text()
    for page, anchor in re.findall(r"\$\{docs\}/([^\"#]*)#([a-z_]+)", text):
        assert f"\n## {anchor}\n" in (ROOT / page).read_text()
    for query in re.findall(r"leadline query ([a-z_]+)", text):
        assert (ROOT / "queries" / "reports" / f"{query}.sql").exists(), query


def test_rules_link_to_dashboards_that_exist() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "rules" / "alerts.yml").read_text()
    assert set(re.findall(r"/d/([a-z-]+)", rules)) <= BOARDS.keys()


def test_what_is_provisioned() -> None:
    provided = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "leadline.yaml").read_text())["providers"]
    assert [(each["folder"], each["folderUid"], each["type"]) for each in provided] == [
        ("Product Operations", "product-operations", "file")
    ]
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "leadline.yaml").read_text())["datasources"]
    assert {each["uid"]: each["type"] for each in sources} == {
        "leadline-prometheus": "prometheus",
        "leadline-alertmanager": "alertmanager",
    }
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["global"]
    assert sources[0]["jsonData"]["timeInterval"] == scraped["scrape_interval"]
