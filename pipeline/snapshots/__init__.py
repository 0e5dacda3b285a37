"""Snapshots: Parquet files that remember what was reported when, and SQL over them."""
