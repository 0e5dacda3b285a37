"""Real payloads of flag and experiment tools through their connectors, compared with what the payloads say.

Unleash publishes none; what is checked of it is a message as its own tests have it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.growthbook import CONNECTOR as GROWTHBOOK
from connectors.launchdarkly import CONNECTOR as LAUNCHDARKLY
from connectors.unleash import CONNECTOR as UNLEASH
from pipeline.events.coordination import RolloutChanged
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, one_content, payloads, row, same, tell

#: Payloads that lack what the tool itself always tells, since whoever published them left it out.
TRIMMED = {
    "flag__sample-copy": "missing_field",
    "flag__sample-targeting-rule": "missing_field",
    "get_feature_flag": "missing_field",
}

_UNLEASH = {
    "id": 920,
    "type": "feature-strategy-update",
    "createdBy": "user@example.com",
    "createdAt": "2022-06-01T10:03:11.549Z",
    "data": {"name": "flexibleRollout", "constraints": [], "parameters": {"groupId": "new-feature", "rollout": "32"}},
    "preData": {"name": "flexibleRollout", "parameters": {"groupId": "new-feature", "rollout": "67"}},
    "tags": [],
    "featureName": "new-feature",
    "project": "my-other-project",
    "environment": "production",
}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    launchdarkly, growthbook = list(payloads(LAUNCHDARKLY, root)), list(payloads(GROWTHBOOK, root))
    unleash = [tell(UNLEASH, "feature-event-formatter", None, json.dumps(_UNLEASH).encode())]
    return [
        accounted("launchdarkly payloads", launchdarkly, TRIMMED),
        row("launchdarkly: what is no flag is left out under its kind", *_kinds(launchdarkly)),
        fields("launchdarkly fields as in the payload", launchdarkly, _launchdarkly),
        accounted("growthbook payloads", growthbook),
        fields("growthbook fields as in the payload", growthbook, _growthbook),
        fields("unleash fields as in the payload", unleash, _unleash),
        one_content("rollouts: one id, one content", [*launchdarkly, *growthbook, *unleash]),
    ]


def _kinds(told: list[Told]) -> tuple[int, list[str]]:
    others = [each for each in told if each.body["kind"] not in ("flag", "boolean", "multivariate")]
    wrong = [f"{each.where}: {each.result}" for each in others if each.result != f"ignored:{each.body['kind']}"]
    return len(others), wrong


def _launchdarkly(told: Told) -> list[str] | None:
    events = told.of(RolloutChanged)
    if not events:
        return None
    body, mistakes = told.body, list[str]()
    for event in events:
        data = event.data
        mistakes += same("rollout", data.rollout, body["key"])
        mistakes += same("project", data.project, body["project"]["key"])
        mistakes += same("title", data.title, body["name"])
        mistakes += same("tags", data.tags, sorted(body["tags"]))
        mistakes += same("time", event.time, parse_time(body["timestamp"]["milliseconds"]))
        mistakes += same("state", data.state, "archived" if body["titleVerb"].startswith("archived") else None)
        if body["member"]["email"] in repr(data):
            mistakes.append("the event holds the address of a person")
    return mistakes


def _growthbook(told: Told) -> list[str] | None:
    if not told.events:
        return None
    body: dict[str, Any] = told.body
    payload = json.loads(body["data"]["payload"]) if "data" in body else body
    found = {data.rollout: data for data in told.data(RolloutChanged)}
    mistakes = same("rollouts", sorted(found), sorted(payload["features"]))
    for name, feature in payload["features"].items():
        if feature["defaultValue"] is True and not feature.get("rules"):
            mistakes += same(f"{name} exposure", found[name].exposure, 1.0)
    return mistakes + same("times", {event.time for event in told.events}, {parse_time(body["timestamp"])})


def _unleash(told: Told) -> list[str] | None:
    (event,) = told.of(RolloutChanged)
    data, body = event.data, told.body
    return [
        *same("rollout", data.rollout, body["featureName"]),
        *same("project", data.project, body["project"]),
        *same("environment", data.environment, body["environment"]),
        *same("exposure", data.exposure, int(body["data"]["parameters"]["rollout"]) / 100),
        *same("time", event.time, parse_time(body["createdAt"])),
    ]
