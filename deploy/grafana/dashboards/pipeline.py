"""*Pipeline health*: whether the other dashboards can be relied upon."""

from __future__ import annotations

from deploy.grafana.charts import Card, Panel, boxes, grid, lines
from deploy.grafana.frame import Page, Row
from deploy.grafana.queries import Series


def page() -> Page:
    """Return the dashboard of the pipeline itself."""
    return Page(
        uid="leadline-pipeline",
        title="Pipeline health",
        purpose="Whether deliveries come in, become events and facts, and whether the numbers are of now.",
        rows=(
            Row("Can the numbers be relied upon", (*_process(), _sources(), *_limits())),
            Row("What comes in", _incoming()),
            Row("What becomes of it", _becoming()),
            Row("The log", _log()),
        ),
        picks=(),
        windowed=False,
    )


def _process() -> tuple[Panel, ...]:
    return (
        boxes(
            Card(
                "Now",
                "1 is up. The follower should have been through within a minute; the numbers are as of the latest "
                "event, which may be old where little happens.",
                16,
                6,
            ),
            [
                Series("Log can be read", "min(leadline_log_up)", "count"),
                Series(
                    "Since last followed to the end",
                    "time() - max(leadline_follower_last_success_timestamp_seconds)",
                    "seconds",
                ),
                Series("Since the latest event", "time() - max(leadline_as_of_timestamp_seconds)", "seconds"),
                Series("Deliveries to translate", "max(leadline_translate_lag)", "count"),
                Series("Events to fold", "max(leadline_fold_lag)", "count"),
                Series("In quarantine", "sum(max by (connector, reason) (leadline_quarantine_open))", "count"),
            ],
        ),
        grid(
            Card("Release", "What runs; two rows for long are an upgrade that has stopped half-way.", 8, 6),
            {"version": "Version", "schema": "Schema of the log"},
            [Series("Processes", "count by (version, schema) (leadline_build_info)", "count")],
        ),
    )


def _sources() -> Panel:
    return grid(
        Card(
            "Sources",
            "How long ago each was heard. What is usual differs: compare a source with its own past.",
            24,
            8,
        ),
        {"connector": "Connector"},
        [
            Series(
                "Last delivery",
                "time() - max by (connector) (leadline_connector_last_delivery_timestamp_seconds)",
                "seconds",
            ),
            Series(
                "Last accepted push",
                "time() - max by (connector) (leadline_delivery_last_success_timestamp_seconds)",
                "seconds",
            ),
            Series(
                "Last complete poll",
                "time() - max by (connector) (leadline_poll_last_success_timestamp_seconds)",
                "seconds",
            ),
        ],
        {"Last delivery": "heat"},
    )


def _limits() -> tuple[Panel, ...]:
    return (
        boxes(
            Card(
                "Snapshots and limits",
                "Numbers of the past are read from snapshots. How many scopes of a kind are exported at most: beyond "
                "it, those with the fewest observations are left out.",
                16,
                6,
            ),
            [
                Series("Snapshots can be read", "min(leadline_snapshot_up)", "count"),
                Series(
                    "Since the latest snapshot",
                    "time() - max(leadline_snapshot_last_success_timestamp_seconds)",
                    "seconds",
                ),
                Series(
                    "Events that are not in it",
                    "max(leadline_fold_position_offset) - max(leadline_snapshot_position_offset)",
                    "count",
                ),
                Series("Scopes of a kind at most", "max(leadline_scopes_limit)", "count"),
            ],
        ),
        grid(
            Card("Scopes left out", "Scopes beyond the limit of the exporter; the API and SQL have them all.", 8, 6),
            {"scope_kind": "Kind"},
            [Series("Left out", "max by (scope_kind) (leadline_scopes_dropped)", "count")],
        ),
    )


def _incoming() -> tuple[Panel, ...]:
    return (
        lines(
            Card(
                "Pushed deliveries", "Answers by connector and status. 202 is stored; 401 and 403 are senders refused."
            ),
            [
                Series(
                    "{{connector}} {{status}}",
                    "sum by (connector, status) (rate(leadline_deliveries_total[$__rate_interval]))",
                    "per_second",
                )
            ],
        ),
        lines(
            Card(
                "Time to the answer",
                "From the first byte to the answer, the write to disk included. Senders give up at 10 s.",
            ),
            [
                Series(f"p{share * 100:.0f}", _quantile(share, "leadline_hook_duration_seconds"), "seconds")
                for share in (0.5, 0.95, 0.99)
            ],
        ),
        lines(
            Card(
                "What connectors make of deliveries", "Deliveries looked at, pushed or polled, by what became of them."
            ),
            [
                Series(
                    "{{connector}} {{outcome}}",
                    "sum by (connector, outcome) (rate(leadline_connector_deliveries_total[$__rate_interval]))",
                    "per_second",
                )
            ],
        ),
        lines(
            Card("Polls", "Polls by result, and the new deliveries that they brought."),
            [
                Series(
                    "{{connector}} {{result}}",
                    "sum by (connector, result) (rate(leadline_poll_runs_total[$__rate_interval]))",
                    "per_second",
                ),
                Series(
                    "{{connector}} new deliveries",
                    "sum by (connector) (rate(leadline_poll_deliveries_total[$__rate_interval]))",
                    "per_second",
                ),
            ],
        ),
    )


def _quantile(share: float, histogram: str, *labels: str) -> str:
    buckets = f"sum by ({', '.join(['le', *labels])}) (rate({histogram}_bucket[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})"


def _becoming() -> tuple[Panel, ...]:
    counters = (
        ("Translated deliveries", "leadline_deliveries_translated_total"),
        ("New events", "leadline_events_appended_total"),
        ("Events told before", "leadline_events_duplicate_total"),
        ("Folded events", "leadline_events_folded_total"),
        ("Events that this release cannot read", "leadline_events_parked_total"),
        ("Revisions of facts", "leadline_fact_revisions_total"),
    )
    return (
        lines(
            Card(
                "From delivery to fact",
                "How much passes each station. Duplicates are usual: sources repeat themselves.",
            ),
            [Series(name, f"sum(rate({counter}[$__rate_interval]))", "per_second") for name, counter in counters],
        ),
        lines(
            Card("What waits", "Records between the stations. A backlog that does not shrink is a stuck follower."),
            [
                Series("Deliveries to translate", "max(leadline_translate_lag)", "count"),
                Series("Events to fold", "max(leadline_fold_lag)", "count"),
            ],
        ),
        lines(
            Card("Steps of the follower", "How long a round takes that found something to do, by step; p95."),
            [Series("{{step}}", _quantile(0.95, "leadline_follower_step_duration_seconds", "step"), "seconds")],
        ),
        lines(
            Card(
                "Into quarantine", "Deliveries that could not become events, by reason. Nothing is lost: replay them."
            ),
            [
                Series(
                    "{{reason}}",
                    "sum by (reason) (rate(leadline_deliveries_quarantined_total[$__rate_interval]))",
                    "per_second",
                )
            ],
        ),
        grid(
            Card("In quarantine", "What is in there now. `leadline quarantine list` shows it with its errors."),
            {"connector": "Connector", "reason": "Reason"},
            [Series("Deliveries", "max by (connector, reason) (leadline_quarantine_open)", "count")],
            {"Deliveries": "bar"},
        ),
        lines(
            Card(
                "Failures of the follower",
                "Attempts to follow the log that failed, by error. Nothing shown: none since the start.",
            ),
            [
                Series(
                    "{{error}}",
                    "sum by (error) (rate(leadline_follower_failures_total[$__rate_interval]))",
                    "per_second",
                )
            ],
        ),
    )


def _log() -> tuple[Panel, ...]:
    return (
        lines(
            Card("Records", "Deliveries and events that are kept.", 8),
            [Series("{{stream}}", "max by (stream) (leadline_log_records)", "count")],
        ),
        lines(
            Card("Size", "Bytes of what is kept; the file on disk is somewhat larger.", 8),
            [Series("{{stream}}", "max by (stream) (leadline_log_size_bytes)", "bytes")],
        ),
        lines(
            Card("How far", "The last offset of each stream, and how far the numbers have come.", 8),
            [
                Series("{{stream}}", "max by (stream) (leadline_log_end_offset)", "count"),
                Series("in the numbers", "max(leadline_fold_position_offset)", "count"),
            ],
        ),
        lines(
            Card("Rows of the derived state", "What is kept to go on from where the log was left, by table."),
            [Series("{{table}}", "max by (table) (leadline_state_rows)", "count")],
        ),
        lines(
            Card("Size of the derived state", "It can be derived again from the log at any time."),
            [Series("{{table}}", "max by (table) (leadline_state_size_bytes)", "bytes")],
        ),
    )
