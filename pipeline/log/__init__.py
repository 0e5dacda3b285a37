"""The log: append-only streams on SQLite or in memory, and copies of them as NDJSON and Parquet."""
