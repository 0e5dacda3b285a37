"""The business metrics of one read model as families of gauges: made once, however often they are scraped."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import cast, overload

from prometheus_client.core import Metric, Sample

from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, WINDOWS, MetricPoint

#: Scopes of one kind that are exported, and the most series that one can have.
MAX_SCOPES = 500
SERIES_OF_A_SCOPE = sum(
    (len(WINDOWS) if metric.windowed else 1) * (len({*metric.stats, "sample_size"})) for metric in CATALOGUE
)
_SUFFIX = {"per_day": "_per_day", "seconds": "_seconds", "ratio": "_ratio", "count": ""}
#: Bytes for a network that is a wire away: what is pressed harder takes longer than it saves.
_FAST, _GZIP = 1, 31


def series_name(metric: str, unit: str) -> str:
    """Return the name under which values of a metric in a unit are exported.

    The unit is that of the value: the ages of a metric that counts open items are `leadline_<metric>_age_seconds`.
    """
    age = "_age" if unit != BY_NAME[metric].unit else ""
    return f"leadline_{metric}{age}{_SUFFIX[unit]}"


def described(metric: str, unit: str | None) -> tuple[str, str]:
    """Return name and HELP of the family of a metric's values in a unit; None: of their sample sizes."""
    known = BY_NAME[metric]
    if unit is None:
        return f"leadline_{metric}_sample_size", f"{known.title}: how many observations the value is made of."
    text = known.help if unit == known.unit else f"{known.title}, age of the items. {known.help}"
    return series_name(metric, unit), text


class PointFamily(Metric):
    """One family of gauges over the points of a metric. Samples and text are made while they are read, and never held.

    `unit` None: its values are the sample sizes, one for a scope and window. Only what has percentiles has the label
    `stat`: `quantile` is reserved for summaries.
    """

    def __init__(self, business: Business, points: Sequence[MetricPoint], unit: str | None) -> None:
        super().__init__(*described(points[0].metric, unit), "gauge")
        self.business = business
        self._points, self._sizes = points, unit is None
        self._percentiles = not self._sizes and any(point.stat != "value" for point in points)
        self.samples = cast("list[Sample]", _Samples(self))

    def rows(self) -> Iterator[tuple[MetricPoint, float]]:
        """Yield every point that is a sample, and the value of it."""
        if not self._sizes:
            yield from ((point, point.value) for point in self._points)
            return
        before = None
        for point in self._points:
            place = (point.scope_kind, point.scope, point.window_days)
            if place != before:
                yield point, point.n
            before = place

    def labels(self, point: MetricPoint) -> dict[str, str]:
        """Return the labels of a point's sample, sorted by name."""
        labels = {"scope": point.scope, "scope_kind": point.scope_kind}
        if self._percentiles:
            labels["stat"] = point.stat
        if point.window_days is not None:
            labels["window"] = f"{point.window_days}d"
        return labels

    def text(self, *, openmetrics: bool) -> str:
        """Return the family as Prometheus reads it, the same as the client library would write it."""
        return "".join((header(self.name, self.documentation, openmetrics=openmetrics), *self._lines()))

    def _lines(self) -> Iterator[str]:
        # Half a million lines: an f-string takes a fifth of what joining a dict of labels does.
        heads: dict[tuple[str, str], str] = {}
        tails: dict[tuple[str, int | None], str] = {}
        for point, value in self.rows():
            scope, kind = (point.scope, point.scope_kind), (point.stat, point.window_days)
            if (head := heads.get(scope)) is None:
                head = heads[scope] = f'{self.name}{{scope="{escaped(scope[0])}",scope_kind="{scope[1]}"'
            if (tail := tails.get(kind)) is None:
                rest = [f'{name}="{text}"' for name, text in self.labels(point).items() if name in {"stat", "window"}]
                tail = tails[kind] = ",".join(["", *rest]) + "}"
            yield f"{head}{tail} {value!r}\n"


class _Samples(Sequence[Sample]):
    """The samples of a family, each made when it is asked for."""

    def __init__(self, family: PointFamily) -> None:
        self._family = family

    def __iter__(self) -> Iterator[Sample]:
        family = self._family
        for point, value in family.rows():
            yield Sample(family.name, family.labels(point), value)

    def __len__(self) -> int:
        return sum(1 for _ in self._family.rows())

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        return list(self)[index]


class Encoded:
    """Text that is pressed once, and to which each scrape adds its own."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._compressor = zlib.compressobj(_FAST, zlib.DEFLATED, _GZIP)
        self._begun = b"".join(self._compressor.compress(text.encode()) for text in texts)

    def gzipped(self, rest: bytes) -> bytes:
        """Return the text with `rest` behind it, as one stream of gzip."""
        compressor = self._compressor.copy()
        return b"".join((self._begun, compressor.compress(rest), compressor.flush()))

    def plain(self, rest: bytes) -> bytes:
        """Return the text with `rest` behind it. It is inflated anew each time: held twice, it would be far larger."""
        return zlib.decompress(self.gzipped(rest), _GZIP)


class Business:
    """The families of the points of one read model, and their text.

    Scopes beyond `max_scopes` of a kind are left out, those with the fewest observations first; `dropped` counts them
    by kind.
    """

    def __init__(self, points: Sequence[MetricPoint], max_scopes: int) -> None:
        kept, self.dropped = bounded(points, max_scopes)
        by_metric: dict[str, list[MetricPoint]] = {}
        for point in points:
            if (point.scope_kind, point.scope) in kept:
                by_metric.setdefault(point.metric, []).append(point)
        self.families = tuple(self._families(by_metric))
        self._encoded: dict[bool, Encoded] = {}
        self._lock = Lock()

    def encoded(self, *, openmetrics: bool) -> Encoded:
        """Return the text of the families, made when it is first asked for."""
        with self._lock:
            if openmetrics not in self._encoded:
                self._encoded[openmetrics] = Encoded(family.text(openmetrics=openmetrics) for family in self.families)
            return self._encoded[openmetrics]

    def _families(self, by_metric: Mapping[str, Sequence[MetricPoint]]) -> Iterator[PointFamily]:
        for metric in CATALOGUE:
            points = by_metric.get(metric.name, ())
            for unit in dict.fromkeys(point.unit for point in points):
                yield PointFamily(self, [point for point in points if point.unit == unit], unit)
            if points:
                yield PointFamily(self, points, None)


def bounded(points: Iterable[MetricPoint], limit: int) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """Return the scopes to export and, by kind, how many are left out.

    They are ranked by observations over all windows, which move slowly: with ranks that jump, series come and go.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for point in points:
        seen[point.scope_kind, point.scope] += point.n
    return ranked(seen, limit)


def ranked(seen: Mapping[tuple[str, str], int], limit: int) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """Return the `limit` scopes of each kind with the most observations and, by kind, how many others there are."""
    kept: set[tuple[str, str]] = set()
    taken: Counter[str] = Counter()
    for scope in sorted(seen, key=lambda each: (-seen[each], each)):
        taken[scope[0]] += 1
        if taken[scope[0]] <= limit:
            kept.add(scope)
    return kept, {kind: max(0, count - limit) for kind, count in sorted(taken.items())}


def header(name: str, text: str, *, openmetrics: bool) -> str:
    """Return the lines that begin a family of gauges."""
    told = escaped(text) if openmetrics else text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {told}\n# TYPE {name} gauge\n"


def escaped(label: str) -> str:
    """Return the value of a label as it stands between quotes; help texts of OpenMetrics are written so as well."""
    return label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
