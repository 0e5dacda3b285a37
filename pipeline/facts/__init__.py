"""Facts: what events add up to, in whatever order they come."""
