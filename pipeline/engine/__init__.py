"""The engine: the fold over stages, state stores and cursors."""
