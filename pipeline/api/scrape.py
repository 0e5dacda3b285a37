"""`/metrics`: for Prometheus, in its text format or, if it asks so, as OpenMetrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from pipeline.api.problems import RESPONSES
from pipeline.exporter.exposition import Exposition


def scrape(exposition: Exposition) -> APIRouter:
    """Return the route that exports what `exposition` writes."""
    router = APIRouter(tags=["metrics"], responses=RESPONSES)

    # Not async: text for thousands of scopes takes a while the first time, and deliveries must not wait for it.
    @router.get("/metrics", summary="All metrics, for Prometheus", response_class=Response)
    def scrape_metrics(request: Request) -> Response:
        page = exposition.page(request.headers.get("accept", ""), request.headers.get("accept-encoding", ""))
        headers = {"Content-Type": page.media_type, "Vary": "Accept, Accept-Encoding"}
        if page.gzipped:
            headers["Content-Encoding"] = "gzip"
        return Response(page.content, headers=headers)

    return router
