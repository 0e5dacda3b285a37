"""The semantic contract: what initiatives, teams and services are, read from YAML and resolved as of event time."""
