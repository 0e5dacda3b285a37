"""Exporter: what the pipeline knows, as Prometheus reads it. A scrape formats numbers and computes none."""
