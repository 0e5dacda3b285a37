"""Documented Segment calls through the connector, compared with what they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from connectors.segment import CONNECTOR
from pipeline.events.delivery import Observation, Translation
from tests.conformance.told import Row, Told, payloads, row

_LEFT_OUT = {"alias"}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    told = list(payloads(CONNECTOR, root))
    counts = Counter(f"{each.kind} {_result(each)}" for each in told)
    unexpected = [f"{each.where}: {_result(each)}" for each in told if _result(each) != _foreseen(each)]
    pairs = [(each, observation) for each in told for observation in _observations(each)]
    wrong = [f"{each.where}: {name}" for each, observation in pairs for name in _differences(each.body, observation)]
    return [
        row("segment calls", len(told), unexpected, ", ".join(f"{count} {what}" for what, count in counts.items())),
        row("segment observations as in the call", len(pairs), wrong, "name, unit, time, scalar properties"),
    ]


def _result(each: Told) -> str:
    return f"{len(_observations(each))} observations" if _observations(each) else each.result


def _foreseen(each: Told) -> str:
    return f"ignored:{each.kind}" if each.kind in _LEFT_OUT else "1 observations"


def _observations(each: Told) -> list[Observation]:
    return list(each.outcome.observations) if isinstance(each.outcome, Translation) else []


def _differences(call: dict[str, Any], observation: Observation) -> list[str]:
    """Return the names of the fields in which the observation differs from the call."""
    kind = call.get("type") or call["action"]
    properties = {
        name: value
        for name, value in (call.get("properties") or {}).items()
        if isinstance(value, str | int | float) and "@" not in str(value)
    }
    found = {
        "name": (observation.name, call["event"] if kind == "track" else kind),
        "unit": (bool(observation.unit), bool(call.get("userId") or call.get("anonymousId"))),
        "id": (observation.id, call.get("messageId", observation.id)),
        "time": (observation.at.isoformat(timespec="milliseconds"), _time(call, observation)),
        "properties": ({name: observation.properties.get(name) for name in properties}, _cut(properties)),
    }
    return [name for name, (said, wanted) in found.items() if said != wanted]


def _time(call: dict[str, Any], observation: Observation) -> str:
    told = call.get("timestamp")
    return str(told).replace("Z", "+00:00") if told else observation.at.isoformat(timespec="milliseconds")


def _cut(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:500] if isinstance(value, str) else value for name, value in properties.items()}
