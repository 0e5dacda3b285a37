"""Queries in PromQL. Names, units and what belongs beside a metric come from the catalogue, so they cannot drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.exporter.families import series_name
from pipeline.metrics.catalogue import BY_NAME, Metric, ScopeKind, Unit

#: Units of the catalogue, and those of the pipeline itself.
Measure: TypeAlias = Unit | Literal["per_second", "bytes"]


@dataclass(frozen=True)
class Scopes:
    """Which scopes a query is about: one kind, and of it those that the variable `picked` names (None: all)."""

    kind: ScopeKind
    picked: str | None = None

    @property
    def many(self) -> bool:
        """Whether there can be more than one; the whole organisation is one."""
        return self.kind != "org"

    @property
    def matchers(self) -> list[str]:
        """The label matchers that select them."""
        return [f'scope_kind="{self.kind}"', *([] if self.picked is None else [f'scope=~"${self.picked}"'])]


ORG = Scopes("org")
TEAMS = Scopes("team", "team")
INITIATIVES = Scopes("initiative", "initiative")
PAIRS = Scopes("pair", "pair")
SERVICES = Scopes("service")
MODES = Scopes("mode")


@dataclass(frozen=True)
class Series:
    """One query: an expression, the unit of what it returns, and what it is called.

    `role` says what it is for: the `figure` itself, its sample `size`, or what has to be shown `beside` it.
    """

    name: str
    expr: str
    unit: Measure
    role: Literal["figure", "size", "beside"] = "figure"


def selector(metric: Metric, scopes: Scopes, *, unit: Unit | None = None, stat: str = "value") -> str:
    """Return the selector of one statistic of a metric, in the window that the dashboard is set to."""
    unit = unit or metric.unit
    # Only families that hold percentiles have the label: for what is open these are the ages, in seconds.
    percentiles = unit == "seconds" and "p50" in metric.stats
    window = ['window="$window"'] if metric.windowed else []
    matchers = ", ".join([*scopes.matchers, *window, *([f'stat="{stat}"'] if percentiles else [])])
    return f"{series_name(metric.name, unit)}{{{matchers}}}"


def sample_size(metric: Metric, scopes: Scopes) -> str:
    """Return the selector of how many observations a metric rests on."""
    window = ['window="$window"'] if metric.windowed else []
    return f"leadline_{metric.name}_sample_size{{{', '.join([*scopes.matchers, *window])}}}"


def by_scope(selected: str, scopes: Scopes) -> str:
    """Return one value a scope; of two servers over one log, the one that is ahead counts."""
    return f"max by (scope) ({selected})" if scopes.many else f"max({selected})"


def figure(name: str, stat: str, scopes: Scopes, title: str | None = None) -> list[Series]:
    """Return the query of a statistic of a metric, and that of its sample size where that is another number.

    `p50` and `p85` of a metric that counts what is open are ages.
    """
    metric = BY_NAME[name]
    unit: Unit = "seconds" if stat != "value" else metric.unit
    suffix = "" if stat == "value" else f" {stat}" if metric.unit == "seconds" else f", age {stat}"
    title = title or f"{metric.title}{suffix}"
    found = [Series(title, by_scope(selector(metric, scopes, unit=unit, stat=stat), scopes), unit)]
    if not counts_itself(metric):
        found.append(
            Series(f"n: {metric.title.lower()}", by_scope(sample_size(metric, scopes), scopes), "count", "size")
        )
    return found


def beside(name: str, scopes: Scopes) -> list[Series]:
    """Return the queries of what has to be shown together with a metric: ages where it counts what is open.

    What is shown beside it needs its own company in turn.
    """
    found = []
    for other in _company(name):
        metric = BY_NAME[other]
        stats = ("value", "p85") if metric.unit == "count" and "p85" in metric.stats else (metric.stats[0],)
        found += [each for stat in stats for each in figure(other, stat, scopes)]
    return [Series(each.name, each.expr, each.unit, "beside" if each.role == "figure" else each.role) for each in found]


def _company(name: str) -> list[str]:
    found = [name]
    for each in found:
        found += [other for other in BY_NAME[each].beside if other not in found]
    return found[1:]


def counts_itself(metric: Metric) -> bool:
    """Tell whether the sample size of a metric is its value: it counts all that it looks at."""
    return metric.unit == "count" and "p50" in metric.stats


def unique(series: list[Series]) -> list[Series]:
    """Return each expression once, as it was first meant."""
    found: dict[str, Series] = {}
    for each in series:
        found.setdefault(each.expr, each)
    return list(found.values())
