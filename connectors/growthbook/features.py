"""Features and experiments of GrowthBook, as its API and its event webhooks show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from pipeline.events.coordination import RolloutChanged
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import Node
from pipeline.events.rollouts import NOBODY, UNKNOWN, Exposure, refs_of, served, share_at, tell

ANYWHERE = "https://app.growthbook.io"
#: What boolean features serve by default counts as nothing only if it is false.
_OFF = "false"

State = Literal["on", "off", "archived"]
_STATES: dict[str, State] = {"running": "on", "draft": "off", "stopped": "off"}


def text_of(value: object) -> str:
    """Return a value of a feature as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def default_of(value: object) -> str:
    """Return the value that counts as being served nothing, of a feature with this default value."""
    text = text_of(value)
    return _OFF if text in ("true", "false") else text


def feature_events(feature: Node, at: datetime, context: Context, *, gone: bool = False) -> Iterator[Event]:
    """Yield what a feature is like in each of its environments from `at` on; `gone`: it was deleted."""
    key, base = feature.text("id"), base_url(context.settings) or ANYWHERE
    tags, archived = feature.texts("tags"), gone or feature.flag("archived")
    revision = feature.at("revision")
    words = [feature.text_or_none("description"), revision.text_or_none("comment")]
    refs = refs_of(key, None, labels=tags, body="\n".join(word for word in words if word))
    for name in _environments(feature):
        place = feature.child("environments", name) if name is not None else Node({})
        state: State
        if archived:
            state, exposure = "archived", NOBODY
        elif name is None or not place.has("enabled"):
            raise Quarantined("missing_field", f"{feature.path}.environments.{name or '*'}.enabled is absent or null")
        else:
            on = place.flag("enabled")
            state, exposure = ("on", _exposure(feature, place)) if on else ("off", NOBODY)
        data = RolloutChanged(
            rollout=key,
            state=state,
            environment=name,
            project=feature.text_or_none("project"),
            exposure=exposure.share,
            variants=exposure.variants,
            tags=tags,
            refs=refs,
            url=f"{base}/features/{key}",
        )
        yield tell(base, data, at)


def _environments(feature: Node) -> list[str | None]:
    found = feature.child_or_none("environments")
    names = sorted(found.value) if found is not None and isinstance(found.value, dict) else []
    return [*names] or [None]


def _exposure(feature: Node, place: Node) -> Exposure:
    value = place.at("defaultValue") if place.has("defaultValue") else feature.at("defaultValue")
    if value.value is None:
        return UNKNOWN
    return split(place.items("rules"), value.value)


def split(rules: list[Node], default: object) -> Exposure:
    """Return who gets what by the rules of a feature, the first that applies to a unit first.

    Rules with a condition aim at how many, nobody tells; where more than one rule takes a part of everybody, or an
    experiment told elsewhere does, the shares are not known.
    """
    nothing, others = default_of(default), False
    for index, rule in enumerate(rules):
        if not _enabled(rule):
            continue
        if _aimed(rule):
            others = True
            continue
        shares = _shares(rule)
        if shares is None:
            return UNKNOWN
        rest = 1.0 - sum(share for _, share in shares)
        if rest > 1e-9 and any(_enabled(later) and not _aimed(later) for later in rules[index + 1 :]):
            return UNKNOWN
        return served([*shares, (text_of(default), max(rest, 0.0))], nothing, others=others)
    return served([(text_of(default), 1.0)], nothing, others=others)


def _enabled(rule: Node) -> bool:
    return rule.at("enabled").value is None or rule.flag("enabled")


def _aimed(rule: Node) -> bool:
    """Tell whether a rule is for some units or some time only."""
    condition = rule.at("condition").value
    plain = condition in (None, "", "{}", {})
    names = ("savedGroupTargeting", "prerequisites", "scheduleRules", "parentConditions", "filters", "namespace")
    return not plain or any(rule.at(name).value not in (None, [], {}) for name in names)


def _shares(rule: Node) -> list[tuple[str, float]] | None:
    """Return the value and share of each part of everybody that a rule serves; None: it does not tell."""
    coverage = share_at(rule.at("coverage"), 1) if rule.has("coverage") else 1.0
    kind = rule.text_or_none("type")
    if rule.has("variations") and rule.has("weights") and kind is None:  # the form that SDKs read
        values = [text_of(each.value) for each in rule.items("variations")]
        weights = [share_at(each, 1) * coverage for each in rule.items("weights")]
        return _whole(list(zip(values, weights, strict=False)))
    if kind == "experiment" and isinstance(rule.at("value").value, list):
        parts = rule.items("value")
        return _whole([(text_of(each.at("value").value), share_at(each.at("weight"), 1) * coverage) for each in parts])
    if rule.at("force").value is not None:
        return [(text_of(rule.at("force").value), coverage)]
    if kind in ("force", "rollout") and rule.at("value").value is not None:
        return [(text_of(rule.at("value").value), coverage if kind == "rollout" else 1.0)]
    return None


def _whole(parts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    if sum(share for _, share in parts) > 1 + 1e-6:
        raise Quarantined("bad_value", f"the weights of a rule add up to more than 1: {parts!r:.80}")
    return parts


def experiment_event(experiment: Node, at: datetime, context: Context, *, gone: bool = False) -> Event:
    """Return what an experiment is like from `at` on; `gone`: it was deleted."""
    base = base_url(context.settings) or ANYWHERE
    status = experiment.text("status")
    if status not in _STATES:
        raise Quarantined("bad_value", f"{experiment.path}.status is {status[:80]!r}; expected {', '.join(_STATES)}")
    state: State = "archived" if gone or experiment.flag("archived") else _STATES[status]
    exposure = _traffic(experiment) if state == "on" else NOBODY
    tags, title = experiment.texts("tags"), experiment.text_or_none("name") or ""
    key = experiment.text_or_none("trackingKey") or experiment.text("id")
    words = [experiment.text_or_none("hypothesis"), experiment.text_or_none("description")]
    data = RolloutChanged(
        rollout=key,
        state=state,
        project=experiment.text_or_none("project"),
        title=title,
        exposure=exposure.share,
        variants=exposure.variants,
        tags=tags,
        refs=refs_of(key, title, labels=tags, body="\n".join(word for word in words if word)),
        url=f"{base}/experiment/{experiment.text('id')}",
    )
    return tell(base, data, at)


def _traffic(experiment: Node) -> Exposure:
    """Return the split of the last phase; its first variation is the control."""
    phases = experiment.items("phases")
    variations = experiment.items("variations")
    if not phases or not variations:
        return UNKNOWN
    phase = phases[-1]
    coverage = share_at(phase.at("coverage"), 1) if phase.has("coverage") else 1.0
    names = {
        each.key_or_none("variationId") or each.key_or_none("id") or str(index): each.key_or_none("key") or str(index)
        for index, each in enumerate(variations)
    }
    parts = [
        (names.get(each.key("variationId"), each.key("variationId")), share_at(each.at("weight"), 1) * coverage)
        for each in phase.items("trafficSplit")
    ]
    aimed = phase.at("targetingCondition").value not in (None, "", "{}")
    return served(_whole(parts), next(iter(names.values())), others=aimed) if parts else UNKNOWN
