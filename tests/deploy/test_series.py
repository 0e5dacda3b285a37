"""Catalogue, pages, `/metrics` and what is deployed name the same series, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from pipeline.engine.sqlite_store import SqliteStore
from pipeline.exporter.families import MAX_SCOPES, SERIES_OF_A_SCOPE, described, series_name
from pipeline.metrics.catalogue import CATALOGUE
from pipeline.snapshots.build import build
from tests.api.running import running, settings, signed, tell
from tests.architecture.sources import ROOT, relative
from tests.deploy.binaries import Program, until
from tests.deploy.dashboards_company import history

DEPLOYED = {".yml", ".yaml", ".json", ".md", ".tmpl"}
PAGES = ROOT / "docs" / "metrics"
TABLE = ROOT / "docs" / "http.md"
#: Metrics that no dashboard and no rule names, each with the reason. Whoever shows one takes it out of here.
NOT_SHOWN: dict[str, str] = {}
#: What the names of a family's samples end with, by its type.
_ENDS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",), "gauge": ("",)}
# A colon makes it the name of a recording rule; a dot, a slash or a hyphen that of a file or a job.
_SERIES = re.compile(r"(?<![\w:./-])leadline_[a-z0-9_]+(?![\w:./*-]|<)")
_ROW = re.compile(r"^\| (`leadline_.+?) \| .+ \|$", re.MULTILINE)
_NAMED = re.compile(r"`(leadline_\w+)(?:\{([\w,]+)\})?`")


def series_used_in(text: str) -> set[str]:
    """Return the series that a rule, a dashboard or a page names; recording rules, which have colons, are none."""
    return set(_SERIES.findall(text))


@cache
def deployed() -> dict[Path, str]:
    """Return the files below `deploy/` that may name series, with their text."""
    paths = sorted(path for path in (ROOT / "deploy").rglob("*") if path.suffix in DEPLOYED and path.is_file())
    return {path: path.read_text("utf-8") for path in paths}


@dataclass(frozen=True)
class Told:
    """What a server with everything in it says of itself."""

    families: dict[str, Metric]
    text: str

    @property
    def series(self) -> set[str]:
        """The names of all series that are Leadline's own."""
        own = (each for each in self.families.values() if each.name.startswith("leadline_"))
        return {family.name + end for family in own for end in _ENDS[family.type]}

    @property
    def health(self) -> dict[str, set[str]]:
        """Series that tell how the pipeline is -> their labels, without buckets; empty if there is no sample."""
        business = {name for metric in CATALOGUE for name in names_of(metric.name)}
        found = {}
        for family in self.families.values():
            if family.name.startswith("leadline_") and family.name not in business:
                ends = {"counter": "_total", "info": "_info"}
                labels = {label for sample in family.samples for label in sample.labels}
                found[family.name + ends.get(family.type, "")] = labels - {"le"}
        return found


def names_of(metric: str) -> set[str]:
    (known,) = (each for each in CATALOGUE if each.name == metric)
    ages = {"seconds"} if known.unit == "count" and len(known.stats) > 1 else set()
    return {described(metric, unit)[0] for unit in (known.unit, None, *ages)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What a server tells that has a history with everything in it, a snapshot, a quarantine and all its counters."""
    folder = tmp_path_factory.mktemp("everything")
    given = settings(folder).model_copy(update={"snapshots": folder / "snapshots"})
    with running(given) as server:
        registry, instruments = server.services.registry, server.services.instruments
        tell(server.wiring.log(), history())
        server.client.post("/hooks/github", content=b"[]", headers=signed(b"[]"))
        server.caught_up()
        with closing(SqliteStore(given.database, read_only=True)) as store:
            build(store, server.wiring.log(), given.snapshots, server.services.clock(), version="1.2.3")
        instruments.polled("github", 1, None, server.services.clock())
        instruments.failed(ValueError())
        until(lambda: registry.get_sample_value("leadline_snapshot_up"), "the snapshot is seen", within=10)
        yield Told({family.name: family for family in registry.collect()}, server.client.get("/metrics").text)


# --- the catalogue, the pages and /metrics --------------------------------------------------------------------------


def test_every_metric_of_the_catalogue_is_exported_with_its_help(told: Told) -> None:
    for metric in CATALOGUE:
        family = told.families[series_name(metric.name, metric.unit)]
        assert (family.documentation, bool(list(family.samples))) == (metric.help, True), metric.name
        assert names_of(metric.name) <= told.families.keys()


def test_the_pages_of_the_metrics_name_every_business_series_and_no_other(told: Told) -> None:
    named = {name for page in PAGES.glob("*.md") for name in series_used_in(page.read_text("utf-8"))}
    assert named == {name for metric in CATALOGUE for name in names_of(metric.name)}
    assert named | told.health.keys() >= {
        name for name in told.families if name.startswith("leadline_") and told.families[name].type == "gauge"
    }


def test_the_table_names_every_series_of_the_pipeline_and_no_other(told: Told) -> None:
    rows = [found for row in _ROW.findall(TABLE.read_text("utf-8")) for found in _NAMED.findall(row)]
    assert sorted(name for name, _ in rows) == sorted(told.health)
    labels = {name: set(filter(None, text.split(","))) for name, text in rows}
    assert labels == told.health


def test_the_limit_is_what_is_said() -> None:
    text = " ".join(TABLE.read_text("utf-8").split())
    assert f"At most {MAX_SCOPES} scopes of a kind" in text
    assert f"at most {SERIES_OF_A_SCOPE} series" in text


def test_pages_name_no_series_that_does_not_exist(told: Told) -> None:
    known = told.series | told.families.keys()
    for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]:
        assert series_used_in(page.read_text("utf-8")) - known == set(), relative(page)


def test_a_linter_finds_nothing(told: Told, tmp_path: Path, promtool: Program) -> None:
    # promtool reads from its standard input alone
    (tmp_path / "lint.sh").write_text(f'exec "{promtool.path}" check metrics < "$1"\n')
    (tmp_path / "metrics.txt").write_text(told.text)
    lint = Program("/bin/sh")
    checked = lint(tmp_path / "lint.sh", tmp_path / "metrics.txt")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    (tmp_path / "metrics.txt").write_text("# TYPE bad_total gauge\nbad_total 1\n")
    assert lint(tmp_path / "lint.sh", tmp_path / "metrics.txt").returncode != 0


# --- what is deployed -----------------------------------------------------------------------------------------------


def test_rules_dashboards_and_runbooks_name_only_series_that_are_exported(told: Told) -> None:
    unknown = {relative(path): sorted(series_used_in(text) - told.series) for path, text in deployed().items()}
    assert {path: names for path, names in unknown.items() if names} == {}


def test_every_metric_is_on_a_dashboard_or_in_a_rule_or_left_out_on_purpose() -> None:
    used = {name for path, text in deployed().items() if path.suffix != ".md" for name in series_used_in(text)}
    shown = {metric.name for metric in CATALOGUE if names_of(metric.name) & used}
    assert {metric.name for metric in CATALOGUE} - shown == NOT_SHOWN.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('sum(leadline_open_work{scope="a"}) / leadline_log_up', {"leadline_open_work", "leadline_log_up"}),
        ("record: team:leadline_open_work:max and leadline_debt:max", set()),
        ("`leadline_<metric>_age_seconds`, leadline_rules.yml, ./leadline_x, {__name__=~'leadline_.*'}", set()),
        ('"expr": "rate(leadline_deliveries_total[5m])"', {"leadline_deliveries_total"}),
    ],
)
def test_what_is_a_series_is_told_from_what_is_none(text: str, expected: set[str]) -> None:
    assert series_used_in(text) == expected
