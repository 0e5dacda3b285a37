"""Governance: what facts and declarations say as of an instant. Read anew whenever it is asked; no part of the fold."""
