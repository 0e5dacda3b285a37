"""`leadline serve`: take in pushed deliveries, follow the log, and answer with facts and metrics."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from pipeline.ingest.polling import Report
    from pipeline.ingest.schedule import Job

app = typer.Typer()


class LogFormat(StrEnum):
    """How log lines look: AUTO is CONSOLE on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: http.host, loopback].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port [default: http.port]. 0: any.")] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="A port of its own for /metrics [default: http.metrics_port].")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Translate and fold here; else `leadline run` has to.")
    ] = True,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
    log_format: Annotated[LogFormat, typer.Option(help="Form of the log on stderr.")] = LogFormat.AUTO,
) -> None:
    """Serve hooks, health, metrics and facts over HTTP until SIGTERM or Ctrl-C."""
    from structlog import get_logger

    from pipeline.api.app import create_app, create_metrics_app
    from pipeline.api.logs import configure_logging
    from pipeline.api.server import in_background, listen, make_server, settled, url_of
    from pipeline.cli.polled import log_polled
    from pipeline.wiring import wire

    as_json = log_format is LogFormat.JSON or (log_format is LogFormat.AUTO and not sys.stderr.isatty())
    configure_logging(sys.stderr, as_json=as_json)
    log = get_logger("leadline.serve")
    # uvicorn raises the signal again when it is through; what is open is closed on the way out.
    signal.signal(signal.SIGTERM, _exit)
    wiring = wire()
    http = wiring.settings.http
    second = metrics_port if metrics_port is not None else http.metrics_port
    address = host if host is not None else http.host
    with ExitStack() as stack:
        stack.callback(wiring.close)
        listener = stack.enter_context(listen(address, http.port if port is None else port))
        services = stack.enter_context(wiring.serving(follow=follow, metrics_here=second is None))
        if follow:

            def polled(job: Job, report: Report) -> None:
                log_polled(job, report)
                services.instruments.polled(job.connector, report.new, report.error, services.clock())

            stack.enter_context(stack.enter_context(wiring.poll_loop(polled)))
        if second is not None:
            metrics = stack.enter_context(listen(address, second))
            server = make_server(create_metrics_app(services), access_log=access_log)
            stack.enter_context(in_background(server, metrics))
            log.info("serving metrics", url=url_of(metrics))
        unsigned = [name for name in sorted(services.connectors) if wiring.takes_unsigned(name)]
        if unsigned:
            log.warning("deliveries are taken without a signature", connectors=unsigned)
        server = make_server(create_app(services), access_log=access_log)
        with settled():
            log.info("serving", url=url_of(listener), follow=follow, database=str(wiring.settings.database))
            server.run(sockets=[listener])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _exit(*_: object) -> NoReturn:
    """End in order; a second signal must not interrupt that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)
