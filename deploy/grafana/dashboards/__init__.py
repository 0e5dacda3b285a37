"""The dashboards, one module each."""

from __future__ import annotations

from deploy.grafana.dashboards import coordination, delivery, pipeline, value
from deploy.grafana.frame import Page


def pages() -> tuple[Page, ...]:
    """Return all dashboards, in the order in which a reader goes from the answer to the evidence."""
    return (value.page(), delivery.page(), coordination.page(), pipeline.page())
