"""Grafana: dashboards as code over the metrics that Leadline exports, and what provisions them."""
