"""The house style of panels: lines, numbers, tables, texts. Units are stated, and no data is said to be none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal, Protocol, Self, TypeAlias, TypeVar

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as styles
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from deploy.grafana.pages import definition
from deploy.grafana.queries import Measure, Series

#: What a panel says where it has nothing to show: no data is not 0.
NO_DATA = "insufficient data - run leadline doctor"
DATASOURCE = styles.DataSourceRef(type_val="prometheus", uid="${datasource}")
UNITS: dict[Measure, str] = {
    "per_day": "suffix:/day",
    "per_second": "cps",
    "seconds": "s",
    "ratio": "percentunit",
    "count": "none",
    "bytes": "bytes",
}
_AXES: dict[Measure, str] = {
    "per_day": "per day",
    "per_second": "per second",
    "seconds": "time",
    "ratio": "share",
    "count": "items",
    "bytes": "size",
}

Panel: TypeAlias = Builder[models.Panel]
Properties: TypeAlias = list[DynamicConfigValue]
#: How the cell of a table looks: its number alone, on a colour by size, or beside a bar.
Look = Literal["plain", "heat", "bar"]
_CELLS = {
    "heat": {"type": "color-background", "mode": "basic"},
    "bar": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
}


@dataclass(frozen=True)
class Card:
    """The frame of a panel: its title, what it says and how it misleads, and its size on the grid of 24 columns."""

    title: str
    says: str
    width: int = 12
    height: int = 8


class _Styled(Protocol):
    """What the builders of all panels have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: styles.DataSourceRef) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def links(self, links: list[Builder[DashboardLink]]) -> Self: ...


_P = TypeVar("_P", bound=_Styled)


def lines(
    card: Card, series: Sequence[Series], *, named_by_scope: bool = False, of: Iterable[str] = ()
) -> timeseries.Panel:
    """Return lines over time. A sample size is not drawn, as it would stretch the axes, but told where one looks."""
    main = series[0].unit
    panel = _styled(timeseries.Panel(), card, of).unit(UNITS[main]).axis_label(_AXES[main]).fill_opacity(0)
    panel = panel.line_width(2).legend(
        common.VizLegendOptions()
        .display_mode(styles.LegendDisplayMode.TABLE)
        .placement(styles.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs(["lastNotNull"])
    )
    panel = panel.tooltip(common.VizTooltipOptions().mode(styles.TooltipDisplayMode.MULTI).sort(styles.SortOrder.NONE))
    for ref, each in _lettered(series):
        name = f"{{{{scope}}}}: {each.name}" if named_by_scope else each.name
        panel = panel.with_target(_query(ref, each.expr).legend_format(name).range())
        if properties := _line(each, main):
            panel = panel.override_by_query(ref, properties)
    return panel


def boxes(card: Card, series: Sequence[Series], of: Iterable[str] = ()) -> stat.Panel:
    """Return the present values, each with its name."""
    panel = (
        _styled(stat.Panel(), card, of)
        .unit(UNITS[series[0].unit])
        .color_mode(styles.BigValueColorMode.NONE)
        .graph_mode(styles.BigValueGraphMode.NONE)
        .text_mode(styles.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    for ref, each in _lettered(series):
        panel = panel.with_target(_query(ref, each.expr).legend_format(each.name).instant())
        panel = panel.override_by_query(ref, [DynamicConfigValue("unit", UNITS[each.unit])])
    return panel


def grid(
    card: Card,
    labels: dict[str, str],
    series: Sequence[Series],
    looks: dict[str, Look] | None = None,
    *,
    of: Iterable[str] = (),
    link: tuple[str, str] | None = None,
) -> table.Panel:
    """Return a table: one row for each combination of `labels` (label -> heading), one column for each query.

    Rows are sorted by the first query, greatest first. `link` is the title and the address of what the first column
    leads to.
    """
    # Grafana names the values of a table after the query, unless there is one query only.
    columns = {"Value" if len(series) == 1 else f"Value #{ref}": each.name for ref, each in _lettered(series)}
    order = {name: index for index, name in enumerate([*labels, *columns])}
    panel = (
        _styled(table.Panel(), card, of)
        .filterable(filterable=True)
        .sort_by([common.TableSortByFieldState().display_name(series[0].name).desc(desc=True)])
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {**labels, **columns}},
            )
        )
    )
    for ref, each in _lettered(series):
        panel = panel.with_target(_query(ref, each.expr).format(PromQueryFormat.TABLE).instant())
        panel = panel.override_by_name(each.name, _cell(each, (looks or {}).get(each.name, "plain")))
    if link is not None:
        leads = [{"title": link[0], "url": link[1], "targetBlank": True}]
        panel = panel.override_by_name(next(iter(labels.values())), [DynamicConfigValue("links", leads)])
    return panel


def matrix(card: Card, expr: str, *, rows: str, columns: str, of: Iterable[str] = ()) -> table.Panel:
    """Return a table with one label down, one across and a coloured number in every cell that has one."""
    shape = {"rowField": rows, "columnField": columns, "valueField": "Value", "emptyValue": "null"}
    heat = [DynamicConfigValue("custom.cellOptions", _CELLS["heat"]), *_shade()]
    return (
        _styled(table.Panel(), card, of)
        .unit(UNITS["count"])
        .with_target(_query("A", expr).format(PromQueryFormat.TABLE).instant())
        .with_transformation(DataTransformerConfig(id_val="groupingToMatrix", options=shape))
        .override_by_field_type("number", heat)
    )


def states(card: Card, expr: str, name: str) -> statetimeline.Panel:
    """Return when something was the case: a bar for each series while it has a value."""
    mappings = [{"type": "value", "options": {"1": {"text": "firing", "color": "#D55E00", "index": 0}}}]
    return (
        _styled(statetimeline.Panel(), card)
        .row_height(0.8)
        .with_target(_query("A", expr).legend_format(name).range())
        .override_by_query("A", [DynamicConfigValue("mappings", mappings)])
    )


def words(card: Card, markdown: str) -> Panel:
    """Return a text."""
    return _styled(text.Panel(), card).mode(TextMode.MARKDOWN).content(markdown)


def _styled(panel: _P, card: Card, of: Iterable[str] = ()) -> _P:
    links: list[Builder[DashboardLink]] = [
        dashboard.DashboardLink(f"What {name} means")
        .type(DashboardLinkType.LINK)
        .url(definition(name))
        .target_blank(target_blank=True)
        for name in dict.fromkeys(of)
    ]
    panel = panel.title(card.title).description(card.says).datasource(DATASOURCE).no_value(NO_DATA)
    return panel.span(card.width).height(card.height).links(links)


def _lettered(series: Sequence[Series]) -> Iterator[tuple[str, Series]]:
    """Name queries as Grafana does; `ValueError` for more than there are letters."""
    return zip(ascii_uppercase[: len(series)], series, strict=True)


def _query(ref: str, expr: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(ref).expr(expr).datasource(DATASOURCE)


def _line(series: Series, main: Measure) -> Properties:
    """How a line differs from the main ones of its panel."""
    found: list[DynamicConfigValue] = []
    if series.role == "size":
        hidden = {"viz": True, "legend": False, "tooltip": False}
        placed = styles.AxisPlacement.HIDDEN
        found.append(DynamicConfigValue("custom.hideFrom", hidden))
    else:
        placed = styles.AxisPlacement.RIGHT
    if series.unit != main:
        found.append(DynamicConfigValue("unit", UNITS[series.unit]))
        found.append(DynamicConfigValue("custom.axisLabel", _AXES[series.unit]))
        found.append(DynamicConfigValue("custom.axisPlacement", placed))
    if series.role == "beside":
        found.append(DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}))
    return found


def _cell(series: Series, look: Look) -> Properties:
    found = [DynamicConfigValue("unit", UNITS[series.unit])]
    if look != "plain":
        found += [DynamicConfigValue("custom.cellOptions", _CELLS[look]), *_shade()]
    return found


def _shade() -> Properties:
    """One hue from light to dark, by the values of the column itself: no colour is needed to read the number."""
    return [
        DynamicConfigValue("color", {"mode": "continuous-blues"}),
        DynamicConfigValue("fieldMinMax", value=True),
        DynamicConfigValue("min", 0),
    ]
