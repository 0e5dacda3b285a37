"""Panels of metrics of the catalogue. Each comes with its sample size and with what must stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.grafana.charts import Card, Look, Panel, boxes, grid, lines
from deploy.grafana.queries import Scopes, Series, beside, figure, unique
from pipeline.metrics.catalogue import ScopeKind


@dataclass(frozen=True)
class Show:
    """A metric of the catalogue to be shown, the statistics wanted, and how its cell looks in a table."""

    metric: str
    stats: tuple[str, ...] = ("value",)
    look: Look = "plain"


def trend(card: Card, scopes: Scopes, *shown: Show, repeat: bool = False) -> Panel:
    """Return lines over time, each with its sample size in legend and tooltip, and with what belongs beside it.

    The unit of the first metric has the left axis; others have the right one, and every axis says its unit. With
    `repeat` there is a panel for each scope that the variable of `scopes` selects; its title may name that.
    """
    panel = lines(card, _with_companions(scopes, shown), named_by_scope=scopes.many and not repeat, of=_names(shown))
    return panel.repeat(scopes.picked).repeat_direction("h").max_per_row(2) if repeat and scopes.picked else panel


def summary(card: Card, scopes: Scopes, *shown: Show) -> Panel:
    """Return single numbers, each with its sample size and with what belongs beside it."""
    return boxes(card, _with_companions(scopes, shown), of=_names(shown))


def ledger(card: Card, scopes: Scopes, *shown: Show, top: int | None = None, lead: Series | None = None) -> Panel:
    """Return a table with one row a scope, greatest first by its first column; `top` keeps that many rows.

    Every metric brings its sample size, and at the end come the columns that belong beside those shown. `lead` is a
    column that is no metric, and comes first.
    """
    series = [*([] if lead is None else [lead]), *_with_companions(scopes, shown)]
    if top is not None:
        first = f"topk({top}, {series[0].expr})"
        rest = [Series(each.name, f"{each.expr} and on (scope) {first}", each.unit, each.role) for each in series[1:]]
        series = [Series(series[0].name, first, series[0].unit), *rest]
    looks = {each.name: show.look for show in shown for each in _figures(scopes, show)}
    return grid(
        card, {"scope": scopes.kind.capitalize()}, series, looks, of=_names(shown), link=all_numbers(scopes.kind)
    )


def _with_companions(scopes: Scopes, shown: Sequence[Show]) -> list[Series]:
    own = [each for show in shown for stat_ in show.stats for each in figure(show.metric, stat_, scopes)]
    return unique([*own, *(each for show in shown for each in beside(show.metric, scopes))])


def _figures(scopes: Scopes, show: Show) -> list[Series]:
    return [each for stat_ in show.stats for each in figure(show.metric, stat_, scopes) if each.role == "figure"]


def _names(shown: Sequence[Show]) -> list[str]:
    return [show.metric for show in shown]


def all_numbers(kind: ScopeKind) -> tuple[str, str]:
    """Return the link from the name of a scope to all that the server knows of it."""
    return "All its numbers", f"${{server}}/api/v1/metrics?scope_kind={kind}&scope=${{__value.raw:percentencode}}"
