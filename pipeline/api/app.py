"""The app: routes over services that are handed in. It has no state, so any number of apps may live in a process."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from pipeline.api.facts import facts
from pipeline.api.health import health
from pipeline.api.hooks import Door, ShortWay, hooks
from pipeline.api.middleware import Shell
from pipeline.api.numbers import numbers
from pipeline.api.problems import handle_errors
from pipeline.api.quarantined import quarantined
from pipeline.api.scrape import scrape
from pipeline.api.services import Services

_GZIP_FROM_BYTES = 2_048


def create_app(services: Services) -> FastAPI:
    """Return the app. It neither starts nor closes `services`."""
    app, door = _bare(services, "Delivery telemetry: deliveries in, facts and metrics out."), Door(services)
    for router in (hooks(services, door), health(services), numbers(services), facts(services), quarantined(services)):
        app.include_router(router)
    if services.metrics_here:
        app.include_router(scrape(services.exposition))
    app.add_middleware(ShortWay, door=door)
    app.add_middleware(Shell, new_id=services.new_id)
    return app


def create_metrics_app(services: Services) -> FastAPI:
    """Return the app for a port of its own: `/metrics` and nothing else."""
    app = _bare(services, "Metrics for Prometheus.")
    app.include_router(scrape(services.exposition))
    app.add_middleware(Shell, new_id=services.new_id)
    return app


def _bare(services: Services, description: str) -> FastAPI:
    """Pages of documentation are off: those of FastAPI load scripts from elsewhere. `/openapi.json` is there."""
    app = FastAPI(
        title="Leadline",
        version=services.version,
        description=description,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    handle_errors(app)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES)
    return app
