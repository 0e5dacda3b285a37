"""The collector: business metrics as gauges from the read model, and how far the pipeline has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from threading import Lock

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.events.errors import LeadlineError
from pipeline.exporter.families import MAX_SCOPES, Business, series_name
from pipeline.exporter.model import Build, LogFigures, ReadModel, Surroundings

__all__ = ["LeadlineCollector", "series_name"]


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
        surroundings: Callable[[], Surroundings] = Surroundings,
        max_scopes: int = MAX_SCOPES,
    ) -> None:
        self._model, self._figures, self._followed = model, figures, followed
        self._build, self._surroundings = build, surroundings
        self._max_scopes = max_scopes
        self._made: list[tuple[ReadModel, Business]] = []
        self._coming: ReadModel | None = None
        self._wanted: set[bool] = set()
        self._lock = Lock()

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not collect."""
        return ()

    def keep_ready(self, *, openmetrics: bool) -> None:
        """Have `prepare` write this format as well, from now on."""
        self._wanted.add(openmetrics)

    def prepare(self, model: ReadModel) -> None:
        """Make what a scrape of a model needs, before that is published, so that the scrape need not."""
        if self._wanted:
            self._coming = model
            business = self._business(model)
            for openmetrics in sorted(self._wanted):
                business.encoded(openmetrics=openmetrics)

    def collect(self) -> Iterator[Metric]:
        model = self._model()
        yield _info(self._build)
        if model is not None:
            business = self._business(model)
            yield from business.families
            yield from self._about(model, business)
        followed = self._followed()
        if followed is not None:
            yield _gauge(
                "leadline_follower_last_success_timestamp_seconds",
                "When all that the log then held was last seen to be folded and published.",
                followed.timestamp(),
            )
        yield from self._log(model)
        yield from _kept(self._surroundings())

    def _business(self, model: ReadModel) -> Business:
        """Return the families of a model, which are made once for all its scrapes.

        Until a model that is prepared is published, those of the one before are scraped: both are kept.
        """
        business = next((made for of, made in self._made if of is model), None)
        if business is None:
            business = Business(model.points, self._max_scopes)
        with self._lock:
            alive = (self._model(), self._coming)
            others = [(of, made) for of, made in self._made if of is not model and any(of is each for each in alive)]
            self._made = [*others, (model, business)]
        return business

    def _about(self, model: ReadModel, business: Business) -> Iterator[Metric]:
        """What is true of the numbers as a whole."""
        yield _gauge("leadline_fold_position_offset", "Offset of the last event in these numbers.", model.position)
        if model.as_of is not None:
            yield _gauge(
                "leadline_as_of_timestamp_seconds", "The instant that the numbers are as of.", model.as_of.timestamp()
            )
        yield _gauge("leadline_scopes_limit", "How many scopes of one kind are exported at most.", self._max_scopes)
        yield _labelled(
            "leadline_scopes_dropped",
            "Scopes that are left out here, being beyond the limit.",
            ["scope_kind"],
            [((kind,), count) for kind, count in business.dropped.items()],
        )
        yield _labelled(
            "leadline_quarantine_open",
            "Deliveries in quarantine, by connector and reason.",
            ["connector", "reason"],
            sorted(model.quarantined.items()),
        )

    def _log(self, model: ReadModel | None) -> Iterator[Metric]:
        up = "Whether the log could be read."
        try:
            figures = self._figures()
        except LeadlineError:
            yield _gauge("leadline_log_up", up, 0)
            return
        yield _gauge("leadline_log_up", up, 1)
        stats = (figures.deliveries, figures.events)
        for name, text, values in (
            ("records", "Records of a stream of the log.", [stat.records for stat in stats]),
            ("size_bytes", "Bytes of the values of a stream.", [stat.bytes for stat in stats]),
            ("end_offset", "Offset of the last record of a stream.", [figures.deliveries_end, figures.events_end]),
        ):
            rows = [((stat.stream,), value) for stat, value in zip(stats, values, strict=True)]
            yield _labelled(f"leadline_log_{name}", text, ["stream"], rows)
        yield _gauge("leadline_translate_lag", "Deliveries that wait for translation.", figures.untranslated)
        if model is not None:
            yield _gauge("leadline_fold_lag", "Events that wait to be folded.", figures.unfolded(model.position))


def _kept(found: Surroundings) -> Iterator[Metric]:
    """The size of the state, and the age of the snapshots."""
    sizes = sorted(found.tables.items())
    rows = [((table,), size.rows) for table, size in sizes]
    yield _labelled("leadline_state_rows", "Rows of a table of the derived state.", ["table"], rows)
    rows = [((table,), size.bytes) for table, size in sizes]
    yield _labelled("leadline_state_size_bytes", "Bytes of the keys and values of a table.", ["table"], rows)
    if found.snapshots_readable is not None:
        yield _gauge("leadline_snapshot_up", "Whether the snapshots could be read.", float(found.snapshots_readable))
    if found.snapshot is not None:
        yield _gauge(
            "leadline_snapshot_last_success_timestamp_seconds",
            "When the latest snapshot was taken. None is taken while there is nothing new.",
            found.snapshot.taken_at.timestamp(),
        )
        yield _gauge(
            "leadline_snapshot_position_offset",
            "Offset of the last event in the latest snapshot.",
            found.snapshot.position,
        )


def _info(build: Build) -> Metric:
    return InfoMetricFamily(
        "leadline_build",
        "The release that runs here and the schema of its log.",
        value={"version": build.version, "schema": str(build.schema)},
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, labels: list[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
