"""Ingest: from a message at the door to canonical events, with nothing lost on the way."""
