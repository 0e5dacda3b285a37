"""Copies of the shipped configuration that differ from it in addresses and spans of time, and in nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.sources import ROOT

DEPLOY = ROOT / "deploy"
ALERTMANAGER = DEPLOY / "alertmanager"
ALERTS = DEPLOY / "prometheus" / "rules" / "alerts.yml"
THRESHOLDS = DEPLOY / "prometheus" / "rules" / "thresholds.yml"
RULES = tuple(sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")))
RUNBOOKS = DEPLOY / "runbooks"
#: Where the shipped Alertmanager reads its secrets.
SECRETS = "/etc/alertmanager/secrets/"

#: Where a value is in a document: names of fields, and for items of a list their name or number.
Place = tuple[str, ...]


def places(document: object, at: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield every leaf of a document with its place. An item of a list is called by its name, where it has one."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, (*at, str(name)))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from places(value, (*at, _name(value, number)))
    else:
        yield at, document


def _name(item: object, number: int) -> str:
    named = item if isinstance(item, dict) else {}
    return next((str(named[key]) for key in ("name", "alert", "record", "job_name") if key in named), str(number))


def differences(document: object, other: object) -> dict[Place, tuple[object, object]]:
    """Return where two documents differ, with both values; None for one that is absent."""
    ours, theirs = dict(places(document)), dict(places(other))
    return {
        place: (ours.get(place), theirs.get(place))
        for place in [*ours, *(place for place in theirs if place not in ours)]
        if ours.get(place) != theirs.get(place)
    }


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def copy(source: Path, target: Path, changes: Mapping[Place, object]) -> None:
    """Write a copy of a YAML file in which every leaf whose place *ends* like one of these has another value.

    Nothing else differs. Every change has to change something: what is no longer in the shipped file must not be
    thought tested.
    """
    document = load(source)
    found = {end: [place for place, _ in places(document) if place[-len(end) :] == end] for end in changes}
    missing = [end for end, there in found.items() if not there]
    assert not missing, f"{source} has nothing at {missing}"
    for end, there in found.items():
        for place in there:
            _set(document, place, changes[end])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(document, sort_keys=False))
    other = differences(load(source), load(target)).keys() - {place for there in found.values() for place in there}
    assert not other, f"{target} differs from {source} at {other}"


def _set(document: Any, place: Place, value: object) -> None:
    inner: Any = document
    for name in place[:-1]:
        inner = inner[name] if isinstance(inner, dict) else _item(inner, name)
    if isinstance(inner, dict):
        inner[place[-1]] = value
    else:
        inner[int(place[-1])] = value


def _item(items: list[Any], name: str) -> Any:
    return next(item for number, item in enumerate(items) if _name(item, number) == name)


def prometheus(
    folder: Path,
    targets: Mapping[str, str],
    durations: Mapping[Place, str],
    thresholds: Mapping[str, str],
) -> Path:
    """Copy the configuration of Prometheus and its rules to a folder, and return that of Prometheus.

    It looks at `targets` (the shipped address: another) once a second. `durations` and `thresholds` replace those of
    alerts and the expressions of thresholds.
    """
    shutil.copytree(DEPLOY / "prometheus" / "rules", folder / "rules")
    copy(ALERTS, folder / "rules" / ALERTS.name, durations)
    copy(THRESHOLDS, folder / "rules" / THRESHOLDS.name, {(name, "expr"): value for name, value in thresholds.items()})
    source = DEPLOY / "prometheus" / "prometheus.yml"
    seconds: dict[Place, object] = {("global", "scrape_interval"): "1s", ("global", "evaluation_interval"): "1s"}
    addresses = {place: targets[str(value)] for place, value in places(load(source)) if "targets" in place}
    copy(source, folder / source.name, seconds | addresses)
    return folder / source.name


def alertmanager(folder: Path, hook: str, token: str) -> Path:
    """Copy the configuration of Alertmanager to a folder, and return it.

    It tells at once. Its secrets are files beside it: each channel of Slack is a path of `hook`, and so is the webhook,
    named as the receiver is, which is shown `token`. There is no server for mail.
    """
    source = ALERTMANAGER / "alertmanager.yml"
    shutil.copytree(ALERTMANAGER, folder)
    (folder / "secrets").mkdir()
    changes: dict[Place, object] = {
        ("group_wait",): "1s",
        ("group_interval",): "1s",
        ("smtp_smarthost",): "127.0.0.1:9",
    }
    for place, value in places(load(source)):
        if str(value).startswith(SECRETS):
            secret = folder / "secrets" / str(value).removeprefix(SECRETS)
            secret.write_text(f"{hook}/{place[1]}" if place[-1] == "api_url_file" else token)
            changes[place] = str(secret)
        elif place[-1] == "url":
            changes[place] = f"{hook}/{place[1]}"
    copy(source, folder / source.name, changes)
    return folder / source.name


def rules(path: Path) -> list[str]:
    """Return the names of the alerts and recording rules of a file."""
    return [_name(rule, 0) for group in load(path)["groups"] for rule in group["rules"]]


def durations(group: str, **fields: str) -> dict[Place, str]:
    """Return the changes that give the alerts of a group other spans; `fields` are `for` and `keep_firing_for`."""
    return {place: fields[place[-1]] for place, _ in places(load(ALERTS)) if place[1] == group and place[-1] in fields}
