"""Leadline: from the events of trackers, CI/CD and incident tools to delivery metrics by initiative and team."""
