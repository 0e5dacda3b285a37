"""Reference bands are data about metrics that exist."""

from __future__ import annotations

from pipeline.metrics.bands import dora_bands
from pipeline.metrics.catalogue import BY_NAME


def test_bands_are_of_metrics_in_the_catalogue() -> None:
    assert {band.metric for band in dora_bands()} <= BY_NAME.keys()


def test_every_cluster_of_every_year_has_all_four_metrics() -> None:
    clusters: dict[tuple[int, str], set[str]] = {}
    for band in dora_bands():
        clusters.setdefault((band.year, band.cluster), set()).add(band.metric)
    assert {year for year, _ in clusters} == {2021, 2022, 2023, 2024}
    assert {len(metrics) for metrics in clusters.values()} == {4}
