"""PostHog's feature flags, as its REST API lists them -> `rollout.changed`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pipeline.events.coordination import RolloutChanged
from pipeline.events.delivery import Context, Translation
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.rollouts import NOBODY, Exposure, distinct, refs_of, served, share_at, tell

DEFAULT_BASE_URL = "https://us.posthog.com"
#: The project whose flags a list holds, since the list does not say.
PROJECT_HEADER = "x-leadline-project"
#: The variant that experiments compare with; it must be called so.
CONTROL = "control"
_WHOLE = 100


def translate(told: Iterable[Node], headers: Mapping[str, str], context: Context) -> Translation:
    """Return what each flag of a list is now."""
    source = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_BASE_URL
    project = headers.get(PROJECT_HEADER) or None
    return Translation(events=distinct(_event(flag, source, project, context) for flag in told))


def _event(flag: Node, source: str, project: str | None, context: Context) -> Event:
    number, key, state = flag.key("id"), flag.text("key"), _state(flag)
    title, tags = flag.text_or_none("name"), flag.texts("tags")
    exposure = _exposure(flag) if state == "on" else NOBODY
    by = flag.child_or_none("last_modified_by") or flag.child_or_none("created_by")
    data = RolloutChanged(
        rollout=key,
        state=state,
        project=project,
        title=title or "",
        exposure=exposure.share,
        variants=exposure.variants,
        tags=tags,
        refs=refs_of(key, title, labels=tags),
        actor=None if by is None else context.actor(by.text_or_none("email")),
        url=None if project is None else f"{source}/project/{project}/feature_flags/{number}",
    )
    return tell(source, data, flag.moment_or_none("updated_at") or flag.moment("created_at"))


def _state(flag: Node) -> Literal["on", "off", "archived"]:
    if flag.flag("deleted") or flag.flag("archived"):
        return "archived"
    return "on" if flag.flag("active") else "off"


def _exposure(flag: Node) -> Exposure:
    """Return who gets what: conditions are tried one after another, and a null percentage lets everybody in."""
    groups = flag.items("filters", "groups")
    open_to_all = [group for group in groups if not group.items("properties")]
    reached = max((_share(group) for group in open_to_all), default=0.0)
    multivariate = flag.child_or_none("filters", "multivariate")
    variants = [] if multivariate is None else multivariate.items("variants")
    split = [(variant.text("key"), reached * _share(variant)) for variant in variants] or [("true", reached)]
    return served(split, CONTROL if variants else None, others=len(open_to_all) < len(groups))


def _share(node: Node) -> float:
    told = node.at("rollout_percentage")
    return 1.0 if told.value is None else share_at(told, _WHOLE)
