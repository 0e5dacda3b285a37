"""Unleash's events -> canonical events."""

from __future__ import annotations

from typing import Literal

import msgspec

from pipeline.events.coordination import RolloutChanged
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import Node, parse_json
from pipeline.events.rollouts import NOBODY, UNKNOWN, Exposure, distinct, refs_of, served, share_at, tell

ANYWHERE = "urn:leadline:unleash"

State = Literal["on", "off", "archived"]
#: Event -> the state that a flag has after it.
STATES: dict[str, State] = {
    "feature-environment-enabled": "on",
    "feature-environment-disabled": "off",
    "feature-archived": "archived",
    "feature-deleted": "archived",
    "feature-revived": "off",
    "feature-created": "off",
}
#: Events of releases before environments: the whole flag, with whether it is enabled.
WHOLE = frozenset({"feature-created", "feature-updated", "feature-import"})
STRATEGIES = frozenset({"feature-strategy-add", "feature-strategy-update"})
VARIANTS = frozenset({"feature-variants-updated", "feature-environment-variants-updated"})
#: Events about flags by which it is not told that anybody is served anything else.
OTHER_FEATURES = frozenset(
    (
        "feature-completed", "feature-dependencies-removed", "feature-dependency-added", "feature-dependency-removed",
        "feature-favorited", "feature-link-added", "feature-link-removed", "feature-link-updated",
        "feature-metadata-updated", "feature-potentially-stale-on", "feature-project-change", "feature-stale-off",
        "feature-stale-on", "feature-strategy-remove", "feature-tag-import", "feature-tagged", "feature-type-updated",
        "feature-uncompleted", "feature-unfavorited", "feature-untagged",
    )
)  # fmt: skip
#: Families of events that are about no flag: what they begin with.
FAMILIES = (
    "actions-", "addon-config-", "api-token-", "application-", "banner-", "cdn-token-", "change-", "client-",
    "context-field-", "db-pool-", "default-strategy-", "drop-", "environment-", "features-", "group-", "pat-",
    "project-", "public-signup-token-", "release-plan-", "role-", "safeguard-", "scim-", "segment-",
    "service-account-", "setting-", "signal-endpoint-", "strategy-", "tag-", "unknown-flag-", "user-",
)  # fmt: skip

_PERCENT = 100
_PER_MILLE = 1_000
#: Built-in strategies -> the parameter that holds their percentage; None: for everybody.
_ROLLOUTS: dict[str, str | None] = {
    "default": None,
    "flexibleRollout": "rollout",
    "gradualRolloutRandom": "percentage",
    "gradualRolloutSessionId": "percentage",
    "gradualRolloutUserId": "percentage",
}


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        return root.text_or_none("type") or ("events" if root.has("events") else "unknown")
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate an event, or a page of the event log. Raises nothing but `Quarantined`, and `ConfigError`."""
    root = Node(parse_json(delivery.body)).child()
    if not root.has("events"):
        return _one(root, context)
    parts = [_one(each.child(), context) for each in root.items("events")]
    events = distinct(event for part in parts for event in part.events)
    left_out = next((part.ignored for part in parts if part.ignored), "empty_list")
    return Translation(events=events) if events else Translation(ignored=left_out)


def _one(root: Node, context: Context) -> Translation:
    kind = root.text("type")
    data = root.child_or_none("data") if isinstance(root.at("data").value, dict) else None
    if kind in WHOLE and data is not None and data.has("enabled"):
        state: State = "on" if data.flag("enabled") else "off"
        exposure = _of_strategies(data.items("strategies")) if state == "on" else NOBODY
        return Translation(events=[_event(root, state, exposure, context)])
    if kind in STATES:
        state = STATES[kind]
        return Translation(events=[_event(root, state, UNKNOWN if state == "on" else NOBODY, context)])
    if kind in STRATEGIES | VARIANTS:
        return _targeting(root, kind, context)
    if kind in OTHER_FEATURES or kind in WHOLE:
        return Translation(ignored=kind)
    family = next((each for each in FAMILIES if kind.startswith(each)), None)
    if family is None:
        raise Quarantined("unknown_kind", f"type is {kind[:80]!r}, which Unleash does not document")
    return Translation(ignored=family.rstrip("-"))


def _targeting(root: Node, kind: str, context: Context) -> Translation:
    """Tell whom a strategy serves, or with what: Unleash does not tell along whether the environment is enabled."""
    wanted = context.settings.get("strategies", "").strip() or "on"
    if wanted not in ("on", "ignore"):
        raise ConfigError(f"connectors.unleash.strategies is {wanted!r}; write on or ignore")
    if wanted == "ignore":
        return Translation(ignored=kind)
    if kind in STRATEGIES:
        strategy = root.child("data")
        if strategy.flag("disabled"):
            return Translation(ignored="disabled_strategy")
        exposure = _of_strategies([strategy])
        return Translation(events=[_event(root, "on", exposure, context)])
    shares = _variants(root.at("data"))
    return Translation(events=[_event(root, "on", Exposure(variants=shares), context)])


def _of_strategies(strategies: list[Node]) -> Exposure:
    """Return whom strategies serve together: any of them is enough, and one alone can be counted."""
    if not strategies:
        return served([("on", 1.0)], None)
    if len(strategies) > 1:
        return UNKNOWN
    (strategy,) = strategies
    name = strategy.text("name")
    aimed = any(strategy.at(each).value not in (None, [], {}) for each in ("constraints", "segments"))
    if name not in _ROLLOUTS or aimed:
        return Exposure(variants=_variants(strategy))
    parameter = _ROLLOUTS[name]
    share = 1.0 if parameter is None else share_at(strategy.at("parameters", parameter), _PERCENT)
    told = served([("on", share)], None)
    inner = {variant: round(part * share, 6) for variant, part in _variants(strategy).items() if share}
    return msgspec.structs.replace(told, variants=inner)


def _variants(node: Node) -> dict[str, float]:
    """Return the variants of a flag or a strategy with their shares of those that are served."""
    found = node.items() if isinstance(node.value, list) else node.items("variants")
    parts = [(each.text("name"), share_at(each.at("weight"), _PER_MILLE)) for each in found if each.has("weight")]
    return served(parts, None).variants


def _event(root: Node, state: State, exposure: Exposure, context: Context) -> Event:
    told = root.child_or_none("data") if isinstance(root.at("data").value, dict) else None
    key = root.text_or_none("featureName") or (None if told is None else told.text_or_none("name"))
    if key is None:
        raise Quarantined("missing_field", "featureName is absent or empty")
    base, project = base_url(context.settings), root.text_or_none("project")
    tags = [_tag(each) for each in root.items("tags")]
    description = None if told is None else told.text_or_none("description")
    person = root.text_or_none("createdBy") or root.key_or_none("createdByUserId")
    environment = root.text_or_none("environment")
    data = RolloutChanged(
        rollout=key,
        state=state,
        environment=environment,
        project=project,
        exposure=exposure.share,
        variants=exposure.variants,
        tags=tags,
        refs=refs_of(key, None, labels=tags, fields=" ".join(tags), body=description or ""),
        actor=context.actor(person),
        url=f"{base}/projects/{project}/features/{key}" if base and project else None,
    )
    return tell(base or ANYWHERE, data, root.moment("createdAt"))


def _tag(tag: Node) -> str:
    """Return a tag as it is read: the value of a simple one, `type:value` of any other."""
    if isinstance(tag.value, str):
        return tag.value
    kind, value = tag.text_or_none("type") or "simple", tag.text("value")
    return value if kind == "simple" else f"{kind}:{value}"
