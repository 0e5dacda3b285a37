"""Metrics: daily cells, rolling windows, and the one list of what is measured."""
