"""What all dashboards have in common: variables, links, annotations, and rows of panels."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLink,
    DashboardLinkType,
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.charts import DATASOURCE, Panel
from deploy.grafana.pages import document
from pipeline.metrics.catalogue import WINDOWS

#: By this tag the dashboards find each other.
TAG = "leadline"
#: The rule that holds the addresses of what is linked to, as its labels; see deploy/prometheus/rules.
_ADDRESSES = "leadline:links:info"
_ALL = VariableOption(selected=True, text="All", value="$__all")
#: Links and annotations are shown above the panels, and not in a menu.
_TOP = ""
#: The window that dashboards open with: long enough for a handful of deployments, short enough to act on.
_WINDOW = "28d"


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Page:
    """A dashboard: its stable uid, what it is for, its rows, and the scopes that a reader may pick."""

    uid: str
    title: str
    purpose: str
    rows: tuple[Row, ...]
    picks: tuple[str, ...] = ("team", "initiative")
    windowed: bool = True

    def build(self) -> Dashboard:
        """Return the dashboard. Panels are numbered in order of appearance."""
        board = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.purpose)
            .tags([TAG])
            .readonly()
            .refresh("1m")
            .time("now-28d", "now")
            .timezone("utc")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .variables(_variables(self.picks, windowed=self.windowed))
            .annotations(_annotations(self.picks))
            .links(_links())
        )
        for row in self.rows:
            board = board.with_row(dashboard.Row(row.title))
            for panel in row.panels:
                board = board.with_panel(panel)
        built = board.build()
        for number, each in enumerate(built.panels or [], start=1):
            each.id_val = number
        return built


def _variables(picks: tuple[str, ...], *, windowed: bool) -> list[Builder[VariableModel]]:
    found: list[Builder[VariableModel]] = [
        dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus").regex(""),
        *([_window()] if windowed else []),
        *(_pairs() if pick == "pair" else _scopes(pick) for pick in picks),
        _address("server", "Where Leadline answers.", "leadline"),
        # The runbooks lie in the same tree as the documents.
        _address("docs", "Where the documents of Leadline are.", "runbooks", "/(.*)\\/deploy\\/runbooks/"),
    ]
    return found


def _window() -> Builder[VariableModel]:
    names = [f"{days}d" for days in WINDOWS]
    chosen = VariableOption(selected=True, text=_WINDOW, value=_WINDOW)
    return (
        dashboard.CustomVariable("window")
        .label("Window")
        .description(
            "The UTC days that a number looks at. It is no matter of the time range, which says when it was read."
        )
        .values(",".join(names))
        .options([VariableOption(selected=name == _WINDOW, text=name, value=name) for name in names])
        .current(chosen)
    )


def _pick(name: str, query: str) -> dashboard.QueryVariable:
    return (
        _query_variable(name, query)
        .label(name.capitalize())
        .multi(multi=True)
        .include_all(include_all=True)
        .current(_ALL)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def _scopes(kind: str) -> dashboard.QueryVariable:
    """All is `.*`: with hundreds of scopes their names would not fit into a query."""
    series = f'{{__name__=~"leadline_.+_sample_size", scope_kind="{kind}"}}'
    return _pick(kind, f"label_values({series}, scope)").all_value(".*")


def _pairs() -> dashboard.QueryVariable:
    """All pairs are those in which a chosen team waits."""
    return _pick("pair", 'label_values(leadline_overdue_waits{scope_kind="pair", scope=~"($team) > .*"}, scope)')


def _address(name: str, what: str, label: str, regex: str = "") -> Builder[VariableModel]:
    variable = _query_variable(name, f"label_values({_ADDRESSES}, {label})").description(what)
    return variable.regex(regex).hide(VariableHide.HIDE_VARIABLE)


def _query_variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .datasource(DATASOURCE)
        .query({"qryType": 1, "query": query, "refId": name})
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _links() -> list[Builder[DashboardLink]]:
    others = (
        dashboard.DashboardLink("Product Operations")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .placement(_TOP)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )
    return [
        others,
        _link("What the metrics mean", document("docs/metrics/README.md"), "doc"),
        _link("Runbooks", document("deploy/runbooks"), "question"),
        _link("All numbers", "${server}/api/v1/metrics", "external link"),
        _link("Is the pipeline ready", "${server}/readyz", "heart"),
    ]


def _link(title: str, url: str, icon: str) -> Builder[DashboardLink]:
    link = dashboard.DashboardLink(title).type(DashboardLinkType.LINK)
    return link.url(url).icon(icon).placement(_TOP).target_blank(target_blank=True)


def _annotations(picks: tuple[str, ...]) -> list[Builder[AnnotationQuery]]:
    """Deployments and decisions are seen in their count: a window of 7 days loses some at midnight only."""
    if "team" not in picks:
        return [_annotation("Findings", firing("health"), "#D55E00", "{{alertname}}", "{{connector}} {{instance}}")]
    return [
        _annotation("Deployments", _grown("deployment_frequency"), "#009E73", "Deployments: {{scope}}"),
        _annotation("Decisions", _grown("decision_latency"), "#CC79A7", "Decisions: {{scope}}"),
        _annotation("Findings", firing("business"), "#D55E00", "{{alertname}}", "{{team}} {{pair}}"),
    ]


def firing(kind: str) -> str:
    """Return the selector of the alerts that fire: those about the work (business) of the chosen teams, or health."""
    teams = ', team=~"$team|all"' if kind == "business" else ""
    return f'ALERTS{{alertstate="firing", kind="{kind}"{teams}}}'


def _grown(metric: str) -> str:
    of = f'leadline_{metric}_sample_size{{scope_kind="team", scope=~"$team", window="7d"}}'
    return f"max by (scope) ({of}) - max by (scope) ({of} offset $__interval) > 0"


def _annotation(
    name: str, expr: str, colour: str, title: str, text: str = "The count of 7 days has grown."
) -> Builder[AnnotationQuery]:
    query = dashboard.AnnotationQuery().name(name).datasource(DATASOURCE).enable(enable=True).icon_color(colour)
    query = query.target(Dataquery().ref_id("Anno").expr(expr).interval("1m").datasource(DATASOURCE).range())
    return query.title_format(title).text_format(text).tag_keys("team,severity").placement(_TOP)
