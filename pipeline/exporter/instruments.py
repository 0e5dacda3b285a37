"""Counters of this process: what came through the door and what the follower did since it started."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

#: Upper bounds in seconds: a flush to disk takes milliseconds, and a sender gives up after ten seconds.
_HOOK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: A round that finds a few events takes milliseconds; one that folds a million takes minutes.
_STEP_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
#: The label of deliveries for a connector that does not exist: what a stranger types must not become a series.
UNKNOWN = "unknown"


class Instruments:
    """The counters, registered with `registry`. Labels are bounded: a connector, a status, a reason code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._deliveries = Counter(
            "leadline_deliveries",
            "Deliveries pushed, by connector and HTTP status; 202 are those stored, duplicates included.",
            ["connector", "status"],
            registry=registry,
        )
        self._received = Gauge(
            "leadline_delivery_last_success_timestamp_seconds",
            "When a pushed delivery was last accepted.",
            ["connector"],
            registry=registry,
        )
        self.hook_seconds = Histogram(
            "leadline_hook_duration_seconds",
            "From the first byte of a pushed delivery to the answer, the durable append included.",
            buckets=_HOOK_BUCKETS,
            registry=registry,
        )
        self._outcomes = Counter(
            "leadline_connector_deliveries",
            "Deliveries looked at, pushed or polled, by connector and what became of them.",
            ["connector", "outcome"],
            registry=registry,
        )
        self._latest = Gauge(
            "leadline_connector_last_delivery_timestamp_seconds",
            "When the last delivery of a connector came in, pushed or polled.",
            ["connector"],
            registry=registry,
        )
        self._count_polls(registry)
        self._count_rounds(registry)

    def _count_polls(self, registry: CollectorRegistry) -> None:
        self._polls = Counter(
            "leadline_poll_runs",
            "Polls of a scope of a source, by connector and result: ok, or the kind of the error.",
            ["connector", "result"],
            registry=registry,
        )
        self._polled = Counter(
            "leadline_poll_deliveries", "New deliveries that polling brought.", ["connector"], registry=registry
        )
        self._poll_success = Gauge(
            "leadline_poll_last_success_timestamp_seconds",
            "When a scope of a source was last polled to its end.",
            ["connector"],
            registry=registry,
        )

    def _count_rounds(self, registry: CollectorRegistry) -> None:
        self._translated = Counter("leadline_deliveries_translated", "Deliveries translated.", registry=registry)
        self._quarantined = Counter(
            "leadline_deliveries_quarantined",
            "Deliveries put into quarantine, by reason.",
            ["reason"],
            registry=registry,
        )
        self._appended = Counter("leadline_events_appended", "New events in the log.", registry=registry)
        self._duplicates = Counter(
            "leadline_events_duplicate", "Events that the log already had, told in another way.", registry=registry
        )
        self._steps = Histogram(
            "leadline_follower_step_duration_seconds",
            "Steps of the rounds that found something to do: translate deliveries, fold events, publish numbers.",
            ["step"],
            buckets=_STEP_BUCKETS,
            registry=registry,
        )
        self._folded = Counter("leadline_events_folded", "Events folded into facts.", registry=registry)
        self._parked = Counter(
            "leadline_events_parked", "Events in the log that this release cannot read.", registry=registry
        )
        self._revisions = Counter("leadline_fact_revisions", "Facts added, replaced or retracted.", registry=registry)
        self._failures = Counter(
            "leadline_follower_failures",
            "Attempts to follow the log that failed, by error.",
            ["error"],
            registry=registry,
        )

    def delivery(self, connector: str, status: int, at: datetime) -> None:
        """Count the answer to a pushed delivery; `connector` is one that exists, or `UNKNOWN`."""
        self._deliveries.labels(connector, str(status)).inc()
        if status == 202:
            self._received.labels(connector).set(at.timestamp())

    def came_in(self, connector: str, at: datetime) -> None:
        """Note when the last delivery of a connector came in."""
        self._latest.labels(connector).set(at.timestamp())

    def outcomes(self, counts: Mapping[tuple[str, str], int], at: datetime) -> None:
        """Count deliveries by (connector, outcome)."""
        for (connector, outcome), count in counts.items():
            self._outcomes.labels(connector, outcome).inc(count)
            self.came_in(connector, at)

    def polled(self, connector: str, new: int, error: Exception | None, at: datetime) -> None:
        """Count the poll of one scope."""
        self._polls.labels(connector, "ok" if error is None else type(error).__name__).inc()
        self._polled.labels(connector).inc(new)
        if error is None:
            self._poll_success.labels(connector).set(at.timestamp())

    def translated(self, deliveries: int, events: int, duplicates: int, quarantined: Mapping[str, int]) -> None:
        """Count a run of the translation; `quarantined` by reason."""
        self._translated.inc(deliveries)
        self._appended.inc(events)
        self._duplicates.inc(duplicates)
        for reason, count in quarantined.items():
            self._quarantined.labels(reason).inc(count)

    def took(self, step: str, seconds: float) -> None:
        """Note how long a step of the follower took; `step` is translate, fold or publish."""
        self._steps.labels(step).observe(seconds)

    def folded(self, events: int, revisions: int, parked: int) -> None:
        """Count a run of the fold."""
        self._folded.inc(events)
        self._revisions.inc(revisions)
        self._parked.inc(parked)

    def failed(self, error: Exception) -> None:
        """Count a failed attempt to follow the log."""
        self._failures.labels(type(error).__name__).inc()
