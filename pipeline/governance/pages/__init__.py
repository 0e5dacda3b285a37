"""Explanations: what lies behind a number, an initiative, a deployment, a pair of teams or any single fact."""
