"""What a person, or a log, is told about polling."""

from __future__ import annotations

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from pipeline.cli.output import say
from pipeline.ingest.polling import Report
from pipeline.ingest.schedule import Job


def say_retries() -> None:
    """Tell a person of every retry from now on. Its arguments are left out: they may be what was asked with."""

    def told(details: RetryDetails) -> None:
        say(f"{details.caused_by}; trying again")

    set_on_retry_hooks([told])


def say_polled(job: Job, report: Report) -> None:
    """Tell a person what a scheduled poll brought; nothing if it brought nothing."""
    name = f"{job.connector} {job.scope}".rstrip()
    if report.error is not None:
        say(f"{name}: {report.error}")
    if report.new:
        say(f"{name}: {report.new:,} new deliveries")


def log_polled(job: Job, report: Report) -> None:
    """Log a scheduled poll."""
    from structlog import get_logger

    log = get_logger("leadline.poll").bind(connector=job.connector, scope=job.scope)
    if report.error is None:
        log.info("polled", deliveries=report.deliveries, new=report.new)
    else:
        log.warning("poll failed", error=str(report.error), kind=type(report.error).__name__, new=report.new)
