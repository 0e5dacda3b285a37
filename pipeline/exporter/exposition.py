"""`/metrics` as text: what a read model says was written when it was published, the rest is written by the library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector

from pipeline.exporter.collector import LeadlineCollector
from pipeline.exporter.families import Business, PointFamily


@dataclass(frozen=True)
class Page:
    """One answer to a scrape. `gzipped`: so is the content."""

    content: bytes
    media_type: str
    gzipped: bool


class Exposition:
    """Answers scrapes of a registry in which `collector` is registered.

    The formats that were ever asked for are told to the collector, which from then on has them ready beforehand.
    """

    def __init__(self, registry: CollectorRegistry, collector: LeadlineCollector) -> None:
        self._registry = registry
        self._collector = collector

    def page(self, accept: str = "", accept_encoding: str = "") -> Page:
        """Return all metrics in the format that the headers of a request ask for."""
        try:
            # Names that need no escaping are left alone by all ways of escaping but this one.
            encode, media_type = choose_encoder(accept.replace("escaping=dots", "escaping=underscores"))
        except (TypeError, ValueError):
            # The library stumbles over a version that is no number; any format will do for who asks so.
            encode, media_type = choose_encoder("")
        openmetrics = media_type.startswith("application/openmetrics-text")
        business, others = _parted(self._registry.collect())
        text = encode(_Others(others))
        gzipped = gzip_accepted(accept_encoding)
        self._collector.keep_ready(openmetrics=openmetrics)
        encoded = business.encoded(openmetrics=openmetrics)
        return Page(encoded.gzipped(text) if gzipped else encoded.plain(text), media_type, gzipped)


class _Others(Collector):
    """Families that were collected before, as the library's encoders want them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _parted(families: Iterable[Metric]) -> tuple[Business, list[Metric]]:
    """Return what is written already, and the rest. Both are of one collection: of one read model and its `as_of`."""
    business, others = Business((), 0), []
    for family in families:
        if isinstance(family, PointFamily):
            business = family.business
        else:
            others.append(family)
    return business, others
