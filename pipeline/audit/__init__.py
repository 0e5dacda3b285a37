"""The audit: every fact and metric again, in SQL over the canonical events, and what differs from the fold."""
