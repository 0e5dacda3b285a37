"""The dashboards as Grafana reads them: their panels, and their queries with the variables filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pipeline.exporter.families import series_name
from pipeline.metrics.catalogue import CATALOGUE
from tests.architecture.sources import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
JSON = GRAFANA / "json"

Object: TypeAlias = dict[str, Any]

_STRING = re.compile(r'"[^"]*"')
_NAME = re.compile(r"\b(?:leadline[a-z0-9_:]*|ALERTS(?:_FOR_STATE)?)\b")


@dataclass(frozen=True)
class Query:
    """One query: its dashboard, its panel (or variable, or annotation), and whether it is of an instant."""

    board: str
    place: str
    expr: str
    instant: bool

    def filled(self, variables: Mapping[str, str]) -> str:
        """Return the query with variables in place; `KeyError` for one that is not told."""
        return re.sub(r"\$(?:\{(\w+)\}|([a-z_]\w*))", lambda found: variables[found[1] or found[2]], self.expr)


def boards() -> dict[str, Object]:
    """Return the dashboards by uid."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(JSON.glob("*.json"))}


def panels(board: Object) -> list[Object]:
    """Return the panels of a dashboard, without its rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def panel_queries(board: Object) -> Iterator[Query]:
    """Yield the queries of all panels."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield Query(board["uid"], panel["title"], target["expr"], target["instant"])


def annotation_queries(board: Object) -> Iterator[Query]:
    """Yield the queries of the annotations."""
    for annotation in board["annotations"]["list"]:
        yield Query(board["uid"], f"annotation {annotation['name']}", annotation["target"]["expr"], instant=False)


def all_queries() -> list[Query]:
    """Return the queries of all panels and annotations of all dashboards."""
    return [each for board in boards().values() for each in (*panel_queries(board), *annotation_queries(board))]


def names(expr: str) -> set[str]:
    """Return the series that an expression reads."""
    return set(_NAME.findall(_STRING.sub("", expr)))


def metrics_of(panel: Object) -> dict[str, set[str]]:
    """Return the metrics of the catalogue that a panel shows, and for each its series there."""
    shown = set().union(*(names(target["expr"]) for target in panel.get("targets", [])))
    known = {
        metric.name: {series_name(metric.name, unit) for unit in (metric.unit, "seconds")}
        | {f"leadline_{metric.name}_sample_size"}
        for metric in CATALOGUE
    }
    return {name: series & shown for name, series in known.items() if series & shown}


def linked_files(board: Object) -> set[Path]:
    """Return the files of the project that a dashboard links to."""
    links = re.findall(r'"\$\{docs\}/([^"#$]*)', json.dumps(board))
    return {ROOT / link.rstrip("/") for link in links}
