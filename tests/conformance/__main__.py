"""`make conformance`: everything that is checked against real data that nobody here made.

The data is found through `LEADLINE_REAL_DATA`. Prints a table; exits 1 if a check failed. Without data it says so
loudly and exits 0.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.conformance import (
    argo_cd,
    argo_rollouts,
    azure_devops,
    bitbucket_cloud,
    bitbucket_server,
    buildkite,
    cdevents,
    circleci,
    devlake,
    flagger,
    flux,
    git,
    gitea,
    github,
    gitlab,
    histories,
    incident_tools,
    jenkins,
    jira,
    linear,
    spinnaker,
    tekton,
    trello,
)

CHECKS = (
    argo_cd,
    argo_rollouts,
    azure_devops,
    bitbucket_cloud,
    bitbucket_server,
    buildkite,
    cdevents,
    circleci,
    devlake,
    flagger,
    flux,
    git,
    gitea,
    github,
    gitlab,
    histories,
    incident_tools,
    jenkins,
    jira,
    linear,
    spinnaker,
    tekton,
    trello,
)


def main() -> int:
    """Run all checks; returns the exit code."""
    root = Path(os.environ.get("LEADLINE_REAL_DATA", ""))
    if not os.environ.get("LEADLINE_REAL_DATA") or not root.is_dir():
        print("!!! CONFORMANCE SKIPPED: LEADLINE_REAL_DATA names no folder; nothing was checked against real data !!!")
        return 0
    rows = [row for module in CHECKS for row in module.check(root)]
    width = max(len(row[0]) for row in rows)
    print(f"{'check':<{width}}  checked  failed  note")
    for name, checked, failed, note in rows:
        print(f"{name:<{width}}  {checked:>7}  {failed:>6}  {note}")
    failures = sum(row[2] for row in rows)
    print(f"{sum(row[1] for row in rows)} checked, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
