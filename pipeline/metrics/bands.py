"""Reference bands: what DORA's respondents reported, by year. Something to read a number beside, never a verdict.

Nothing in Leadline compares a metric with a band: the clusters come from survey answers, differ from year to year, and
say nothing of one organisation's trend.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec
import yaml


class Band(msgspec.Struct, frozen=True):
    """What one cluster of respondents reported of one metric in one year's report, in the words of the survey."""

    year: int
    cluster: str
    metric: str
    reported: str


def dora_bands() -> list[Band]:
    """Return all bands, by year, metric and cluster as the reports order them."""
    raw = yaml.safe_load((files("pipeline.metrics") / "dora_bands.yaml").read_text(encoding="utf-8"))
    years = msgspec.convert(raw, dict[str, dict[str, dict[str, str]]])
    return [
        Band(int(year), cluster, metric, reported)
        for year, clusters in sorted(years.items())
        for cluster, reports in clusters.items()
        for metric, reported in reports.items()
    ]
