"""Identity: which initiative each fact belongs to, and why."""
