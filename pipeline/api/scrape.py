"""`/metrics`: for Prometheus, in its text format or, if it asks so, as OpenMetrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from pipeline.api.problems import RESPONSES


def scrape(registry: CollectorRegistry) -> APIRouter:
    """Return the route that exports `registry`."""
    router = APIRouter(tags=["metrics"], responses=RESPONSES)

    # Not async: text for a thousand scopes takes a while, and deliveries must not wait for it.
    @router.get("/metrics", summary="All metrics, for Prometheus", response_class=Response)
    def scrape_metrics(request: Request) -> Response:
        try:
            encode, media_type = choose_encoder(request.headers.get("accept", ""))
        except (TypeError, ValueError):
            # The library stumbles over a version that is no number; any format will do for who asks so.
            encode, media_type = choose_encoder("")
        return Response(encode(registry), headers={"Content-Type": media_type, "Vary": "Accept"})

    return router
