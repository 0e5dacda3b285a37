"""The collector: business metrics as gauges from the read model, and how far the pipeline has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.events.errors import LeadlineError
from pipeline.exporter.model import Build, LogFigures, ReadModel
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, MetricPoint

#: Scopes of one kind that are exported; each costs some seventy series.
MAX_SCOPES = 500
_SUFFIX = {"per_day": "_per_day", "seconds": "_seconds", "ratio": "_ratio", "count": ""}
_SCOPE_LABELS = ("scope_kind", "scope")


def series_name(metric: str, unit: str) -> str:
    """Return the name under which values of a metric in a unit are exported.

    The unit is that of the value: the ages of a metric that counts open items are `leadline_<metric>_age_seconds`.
    """
    age = "_age" if unit != BY_NAME[metric].unit else ""
    return f"leadline_{metric}{age}{_SUFFIX[unit]}"


class LeadlineCollector(Collector):
    """Exports what the providers return at the moment of a scrape; none of them may compute metrics.

    `model` returns None before the first read model, `followed` when the follower last went through (None: not yet).
    `figures` raises a `LeadlineError` while the log cannot be reached: then `leadline_log_up` is 0 and its figures are
    absent. Scopes beyond `max_scopes` of a kind are dropped, those with the fewest observations first, and counted.
    """

    def __init__(
        self,
        model: Callable[[], ReadModel | None],
        figures: Callable[[], LogFigures],
        followed: Callable[[], datetime | None],
        build: Build,
        *,
        max_scopes: int = MAX_SCOPES,
    ) -> None:
        self._model, self._figures, self._followed = model, figures, followed
        self._build = build
        self._max_scopes = max_scopes
        self._made: tuple[ReadModel | None, Sequence[Metric]] = (None, ())

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not collect."""
        return ()

    def collect(self) -> Iterator[Metric]:
        model = self._model()
        yield _info(self._build)
        if model is not None:
            yield from self._business(model)
            yield from _quarantine(model)
        followed = self._followed()
        if followed is not None:
            yield _gauge(
                "leadline_follower_last_success_timestamp_seconds",
                "When all that the log then held was last seen to be folded and published.",
                followed.timestamp(),
            )
        yield from self._log(model)

    def _business(self, model: ReadModel) -> Sequence[Metric]:
        """Return the families of a read model, which are made once for all its scrapes."""
        made, families = self._made
        if made is not model:
            families = tuple(_families(model, self._max_scopes))
            self._made = model, families
        return families

    def _log(self, model: ReadModel | None) -> Iterator[Metric]:
        up = "Whether the log could be read."
        try:
            figures = self._figures()
        except LeadlineError:
            yield _gauge("leadline_log_up", up, 0)
            return
        yield _gauge("leadline_log_up", up, 1)
        streams = ((figures.deliveries, figures.deliveries_end), (figures.events, figures.events_end))
        records = GaugeMetricFamily("leadline_log_records", "Records of a stream of the log.", labels=["stream"])
        size = GaugeMetricFamily("leadline_log_size_bytes", "Bytes of the values of a stream.", labels=["stream"])
        ends = GaugeMetricFamily("leadline_log_end_offset", "Offset of the last record of a stream.", labels=["stream"])
        for stat, end in streams:
            records.add_metric([stat.stream], stat.records)
            size.add_metric([stat.stream], stat.bytes)
            ends.add_metric([stat.stream], end)
        yield from (records, size, ends)
        yield _gauge("leadline_translate_lag", "Deliveries that wait for translation.", figures.untranslated)
        if model is not None:
            yield _gauge("leadline_fold_lag", "Events that wait to be folded.", figures.unfolded(model.position))


def _families(model: ReadModel, max_scopes: int) -> Iterator[Metric]:
    kept, dropped = _bounded(model.points, max_scopes)
    by_metric: dict[str, list[MetricPoint]] = {}
    for point in model.points:
        if (point.scope_kind, point.scope) in kept:
            by_metric.setdefault(point.metric, []).append(point)
    for metric in CATALOGUE:
        points = by_metric.get(metric.name, [])
        for unit in dict.fromkeys(point.unit for point in points):
            yield _values(metric.name, unit, [point for point in points if point.unit == unit])
        if points:
            yield _sample_sizes(metric.name, points)
    yield _gauge("leadline_fold_position_offset", "Offset of the last event in these numbers.", model.position)
    if model.as_of is not None:
        yield _gauge(
            "leadline_as_of_timestamp_seconds", "The instant that the numbers are as of.", model.as_of.timestamp()
        )
    overflow = GaugeMetricFamily(
        "leadline_scopes_dropped", "Scopes that are left out here, being beyond the limit.", labels=["scope_kind"]
    )
    for kind, count in sorted(dropped.items()):
        overflow.add_metric([kind], count)
    yield overflow


def _bounded(points: Iterable[MetricPoint], limit: int) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """Return the scopes to export and, by kind, how many are left out.

    They are ranked by observations over all windows, which move slowly: with ranks that jump, series come and go.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for point in points:
        seen[point.scope_kind, point.scope] += point.n
    kept: set[tuple[str, str]] = set()
    taken: Counter[str] = Counter()
    dropped: dict[str, int] = {}
    for scope in sorted(seen, key=lambda each: (-seen[each], each)):
        kind = scope[0]
        dropped.setdefault(kind, 0)
        if taken[kind] < limit:
            taken[kind] += 1
            kept.add(scope)
        else:
            dropped[kind] += 1
    return kept, dropped


def _values(metric: str, unit: str, points: Sequence[MetricPoint]) -> Metric:
    """One family. Only what has percentiles has the label `stat`: `quantile` is reserved for summaries."""
    known = BY_NAME[metric]
    percentiles = any(point.stat != "value" for point in points)
    text = f"{known.title}, age of the items. {known.help}" if unit != known.unit else known.help
    labels = [*_SCOPE_LABELS, *(["window"] if known.windowed else []), *(["stat"] if percentiles else [])]
    family = GaugeMetricFamily(series_name(metric, unit), text, labels=labels)
    for point in points:
        family.add_metric([*_scope(point), *([point.stat] if percentiles else [])], point.value)
    return family


def _sample_sizes(metric: str, points: Sequence[MetricPoint]) -> Metric:
    known = BY_NAME[metric]
    family = GaugeMetricFamily(
        f"leadline_{metric}_sample_size",
        f"{known.title}: how many observations the value is made of.",
        labels=[*_SCOPE_LABELS, *(["window"] if known.windowed else [])],
    )
    for labels, size in {_scope(point): point.n for point in points}.items():
        family.add_metric(labels, size)
    return family


def _scope(point: MetricPoint) -> tuple[str, ...]:
    window = () if point.window_days is None else (f"{point.window_days}d",)
    return (point.scope_kind, point.scope, *window)


def _quarantine(model: ReadModel) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "leadline_quarantine_open", "Deliveries in quarantine, by connector and reason.", labels=["connector", "reason"]
    )
    for (connector, reason), count in sorted(model.quarantined.items()):
        family.add_metric([connector, reason], count)
    yield family


def _info(build: Build) -> Metric:
    return InfoMetricFamily(
        "leadline_build",
        "The release that runs here and the schema of its log.",
        value={"version": build.version, "schema": str(build.schema)},
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
