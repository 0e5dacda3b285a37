"""The metric pages and the catalogue say the same, and the worked examples on the pages come out as they say."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from pipeline.contract.load import load
from pipeline.exporter.collector import series_name
from pipeline.governance.pages.metric import page_of
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, SCOPE_KINDS, Metric
from tests.architecture.sources import ROOT, relative
from tests.architecture.worked_examples import EVENTS, PAGES, Example, examples, ground, short_name
from tests.snapshots.desk import Desk, ask

HOUSE = "A house definition: it has no published standard."
ROWS = ["Unit", "Scopes", "Formula", "Day", "Sources", "Left out", "Beside it", "Found as", "References"]
CONCEPTS = (
    "Ownership as of event time",
    "Interaction modes",
    "Coordination debt",
    "Context integrity",
    "Claim and evidence",
    "Gate",
    "Controlled change",
    "Progress",
    "Stalled claim",
    "Confidence",
)
#: Connectors that can tell any event, as they are told to.
ANY_EVENT = {"cdevents", "mapping"}
LINE = 170
FILES = sorted(PAGES.glob("*.md"))
METRIC_PAGES = [page for page in FILES if page.stem not in ("README", "concepts", "sources", "references")]
EXAMPLES = [example for page in FILES for example in examples(page)]
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")


def _parts(page: Path) -> dict[str, str]:
    """Return the text under each second heading of a page."""
    _, *parts = re.split(r"^## (.+)\n", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _rows(text: str) -> dict[str, str]:
    """Return the rows `- **Label**: text` of a section, in their order and each on one line."""
    found = re.findall(r"^- \*\*([^*]+)\*\*: (.*(?:\n  .*)*)", text, re.MULTILINE)
    return {label: " ".join(row.split()) for label, row in found}


@cache
def _sections() -> dict[str, tuple[Path, str]]:
    """Return page and text of every metric that has a section."""
    return {heading: (page, text) for page in METRIC_PAGES for heading, text in _parts(page).items()}


def _row(metric: Metric, label: str) -> str:
    return _rows(_sections()[metric.name][1])[label]


def _unit(metric: Metric) -> str:
    if metric.unit == "count" and len(metric.stats) > 1:
        return "count (`value`); `p50` and `p85` are ages in seconds"
    return f"{metric.unit.replace('_', ' ')} ({', '.join(f'`{stat}`' for stat in metric.stats)})"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def _seen() -> dict[str, set[str]]:
    """Return metric -> the kinds of scope in which the examples have it."""
    seen: dict[str, set[str]] = defaultdict(set)
    for example in EXAMPLES:
        for point in example.points():
            seen[point.metric].add(point.scope_kind)
    return seen


@cache
def _told() -> dict[str, set[str]]:
    """Return event -> the connectors that have a recorded case of it."""
    told: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "connectors").glob("*/cases/**/expected.json"):
        connector = path.relative_to(ROOT / "connectors").parts[0]
        for event in json.loads(path.read_text("utf-8")).get("events", []):
            told[short_name(event["type"])] |= {connector} - ANY_EVENT
    return told


# --- examples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_comes_out_as_its_page_says(example: Example) -> None:
    assert example.mismatches() == []


def test_explain_leads_to_the_page_of_a_metric() -> None:
    pages = {metric: f"docs/metrics/{page.name}#{metric}" for metric, (page, _) in _sections().items()}
    assert {metric.name: page_of(metric.name) for metric in CATALOGUE} == {
        metric.name: pages[metric.name] for metric in CATALOGUE
    }


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_every_metric_has_a_number_in_an_example_of_its_page(metric: Metric) -> None:
    page, text = _sections()[metric.name]
    own = {name for example in examples(page, text) for name in example.metrics()}
    linked = re.findall(r"\*\*Worked example\.\*\* In the example of\s+\[\w+\]\(#(\w+)\)", text)
    theirs = {
        name for other in linked for example in examples(page, _sections()[other][1]) for name in example.metrics()
    }
    assert metric.name in own | theirs


def test_a_wrong_number_or_verdict_is_seen() -> None:
    by_name = {example.name: example for example in EXAMPLES}
    deployments = replace(
        by_name["deployments 1"],
        expected={"deployment_frequency value org all 7d": [3, 3], "open_work value org all": [1, 1]},
    )
    assert [line.rpartition(":")[0] for line in deployments.mismatches()] == [
        "deployment_frequency value org all 7d",
        "open_work value org all",
    ]
    gate = next(example for example in EXAMPLES if "gate launch" in example.expected)
    assert len(replace(gate, expected={"gate launch": {"missing": [], "passed": True}}).mismatches()) == 1


def test_the_contracts_of_the_examples_can_be_applied(tmp_path: Path) -> None:
    for number, example in enumerate(EXAMPLES):
        latest = {tuple(key.split()[:2]): spec for key, spec in {**ground(), **example.contract}.items()}
        documents = [
            {"apiVersion": "leadline/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
            for (kind, name), spec in latest.items()
        ]
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump_all(documents), "utf-8")
        loaded = load([file])
        assert [str(problem) for problem in loaded.errors] == [], example.name
        assert len(loaded.objects) == len(latest)


# --- what a section says --------------------------------------------------------------------------------------------


def test_every_metric_has_one_section_and_every_section_is_a_metric() -> None:
    assert sorted(heading for page in METRIC_PAGES for heading in _parts(page)) == sorted(BY_NAME)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_section_has_its_fixed_parts(metric: Metric) -> None:
    text = _sections()[metric.name][1]
    assert text.strip().startswith(f"**{metric.title}.** ")
    assert list(_rows(text)) == ROWS
    assert all(_rows(text).values())
    example, traps = text.find("\n**Worked example.** "), text.find("\n**Traps.**\n\n- ")
    assert 0 < text.find("- **References**") < example < traps


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_section_says_what_the_catalogue_says(metric: Metric) -> None:
    assert _row(metric, "Unit") == _unit(metric)
    assert _row(metric, "Day").startswith("not windowed") is not metric.windowed
    assert {word for word in _CODE.findall(_row(metric, "Beside it")) if word in BY_NAME} == set(metric.beside)
    assert _row(metric, "Beside it").startswith("nothing has to") is (not metric.beside)
    references = _row(metric, "References")
    assert references.startswith("[DORA](references.md#dora)") is metric.source.startswith("DORA")
    assert references.startswith(HOUSE) is (not metric.source.startswith("DORA"))


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_section_names_the_scopes_that_the_fold_has(metric: Metric) -> None:
    scopes = _row(metric, "Scopes").split(", ")
    assert scopes == [kind for kind in SCOPE_KINDS if kind in scopes]
    assert set(scopes) == _seen()[metric.name]


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_section_says_where_the_number_is_found(metric: Metric) -> None:
    units = {"seconds" if metric.unit == "count" and stat != "value" else metric.unit: None for stat in metric.stats}
    series = [f"`{series_name(metric.name, unit)}`" for unit in units]
    names = ", ".join([*series, f"`leadline_{metric.name}_sample_size`"])
    found = re.fullmatch(
        rf"{names} in `/metrics`; `metric = '{metric.name}'` in `metric_points`; `leadline query (\w+)`",
        _row(metric, "Found as"),
    )
    assert found, _row(metric, "Found as")
    assert list((ROOT / "queries").glob(f"[mr]e*/{found[1]}.sql"))


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_the_sources_of_a_section_are_events(metric: Metric) -> None:
    named = {word for word in _CODE.findall(_row(metric, "Sources")) if word not in BY_NAME}
    assert named
    assert named <= EVENTS.keys()
    listed = _rows_of_sources().keys()
    assert named <= listed


# --- the other pages ------------------------------------------------------------------------------------------------


def _rows_of_sources() -> dict[str, str]:
    text = (PAGES / "sources.md").read_text("utf-8")
    found = re.findall(r"^- `([\w.]+)`: (.*(?:\n  .*)*)", text, re.MULTILINE)
    return {event: " ".join(row.split()) for event, row in found}


@pytest.mark.parametrize("event", _rows_of_sources())
def test_connectors_tell_what_the_page_of_sources_says(event: str) -> None:
    """A connector that learns to tell an event is added to the event's row of `docs/metrics/sources.md`."""
    told = ", ".join(sorted(_told()[event])) or "only as told directly"
    assert _rows_of_sources()[event] == told


def test_the_index_lists_every_metric() -> None:
    text = (PAGES / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((.+?)\) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert rows == [
        (
            metric.name,
            f"{_sections()[metric.name][0].name}#{metric.name}",
            metric.unit.replace("_", " "),
            _row(metric, "Scopes"),
            metric.title,
        )
        for metric in CATALOGUE
    ]


def test_the_statement_of_the_index_can_be_asked(tmp_path: Path) -> None:
    (sql,) = re.findall(r"^```sql\n(.*?)^```$", (PAGES / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (example,) = (each for each in EXAMPLES if "change_lead_time p50 org all 7d" in each.expected)
    desk = Desk(tmp_path)
    desk.tell(*example.events)
    desk.snap()
    assert {row["stat"]: (row["value"], row["unit"], row["n"]) for row in ask(tmp_path, sql)} == {
        "p50": (54000.0, "seconds", 2),
        "p85": (79200.0, "seconds", 2),
        "p95": (86400.0, "seconds", 2),
    }


def test_every_concept_has_a_section() -> None:
    parts = _parts(PAGES / "concepts.md")
    assert tuple(parts) == CONCEPTS
    assert all({"Found as", "References"} == set(_rows(text)) for text in parts.values())
    assert all(_rows(text)["References"].startswith(HOUSE) for text in parts.values())


@pytest.mark.parametrize("page", FILES, ids=relative)
def test_anchors_lead_to_headings(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text("utf-8")):
        assert anchor in _anchors((page.parent / target) if target else page), f"{target}#{anchor}"


@pytest.mark.parametrize("page", FILES, ids=relative)
def test_lines_are_short(page: Path) -> None:
    assert [line for line in page.read_text("utf-8").splitlines() if len(line) > LINE] == []
