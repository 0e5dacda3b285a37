"""Flags of LaunchDarkly: what one is like in each environment, as its API and the entries of its audit log show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from pipeline.events.coordination import RolloutChanged
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import Node
from pipeline.events.rollouts import NOBODY, UNKNOWN, Exposure, refs_of, served, share_at, tell

ANYWHERE = "https://app.launchdarkly.com"
#: Weights are thousandths of a percent.
WHOLE = 100_000

State = Literal["on", "off", "archived"]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Which flag is spoken of, by whom and with what comment."""

    base: str
    project: str | None
    key: str
    title: str = ""
    tags: list[str] = []
    fields: str = ""
    body: str = ""
    actor: str | None = None

    def event(self, environment: str | None, state: State, exposure: Exposure, at: datetime) -> Event:
        """Return the event that the flag is so in an environment; None: in all of them."""
        place = "~" if environment is None else environment
        return tell(
            f"{self.base}/{self.project}" if self.project else self.base,
            RolloutChanged(
                rollout=self.key,
                state=state,
                environment=environment,
                project=self.project,
                title=self.title,
                exposure=exposure.share,
                variants=exposure.variants,
                tags=self.tags,
                refs=refs_of(self.key, self.title, labels=self.tags, fields=self.fields, body=self.body),
                actor=self.actor,
                url=f"{self.base}/{self.project}/{place}/features/{self.key}" if self.project else None,
            ),
            at,
        )


def base_of(root: Node, settings: Mapping[str, str]) -> str:
    """Return the address of the instance: as set, else as told, else that of LaunchDarkly itself."""
    return base_url(settings) or (root.text_or_none("baseURL") or "").rstrip("/") or ANYWHERE


def project_of(root: Node) -> str | None:
    """Return the project in a link such as `/api/v2/flags/<project>/<flag>`, or None."""
    for link in ("canonical", "self"):
        path = root.text_or_none("_links", link, "href") or ""
        _, found, rest = path.partition("/api/v2/flags/")
        if found and rest.partition("/")[0]:
            return rest.partition("/")[0]
    return None


def properties(flag: Node) -> str:
    """Return the values of a flag's custom properties, where integrations keep the keys of tickets."""
    own = flag.child_or_none("customProperties")
    if own is None or not isinstance(own.value, dict):
        return ""
    return " ".join(text for name in own.value for text in own.child(name).texts("values"))


def environments(flag: Node) -> list[str]:
    """Return the keys of the environments that a flag tells of, sorted."""
    found = flag.child_or_none("environments")
    return sorted(found.value) if found is not None and isinstance(found.value, dict) else []


def state_in(flag: Node, environment: Node) -> tuple[State, Exposure]:
    """Return what a flag is like in an environment."""
    if flag.flag("archived") or environment.flag("archived"):
        return "archived", NOBODY
    if not environment.has("on"):
        raise Quarantined("missing_field", f"{environment.path}.on is absent or null")
    if not environment.flag("on"):
        return "off", NOBODY
    return "on", _exposure(flag, environment)


def _exposure(flag: Node, environment: Node) -> Exposure:
    """Return who gets what of a flag that is on, by its default rule; rules aim at how many, nobody tells."""
    rule = environment.child_or_none("fallthrough")
    if rule is None:
        return UNKNOWN
    off = environment.integer_or_none("offVariation")
    split = _split(rule)
    if not split:
        return UNKNOWN
    names = [(_variation(flag, index), share) for index, share in split]
    default = None if off is None else _variation(flag, off)
    return served(names, default, others=_aims(environment, off))


def _split(rule: Node) -> list[tuple[int, float]]:
    rollout = rule.child_or_none("rollout")
    if rollout is not None:
        return [(each.integer("variation"), share_at(each.at("weight"), WHOLE)) for each in rollout.items("variations")]
    fixed = rule.integer_or_none("variation")
    return [] if fixed is None else [(fixed, 1.0)]


def _aims(environment: Node, off: int | None) -> bool:
    """Tell whether rules or targets give some units another variation than the one for *off*."""
    rules = [index for rule in environment.items("rules") for index, share in _split(rule) if share > 0]
    targets = [
        target.integer_or_none("variation")
        for name in ("targets", "contextTargets")
        for target in environment.items(name)
        if target.items("values")
    ]
    return any(index is not None and index != off for index in [*rules, *targets])


def _variation(flag: Node, index: int) -> str:
    """Return the name of a variation, else its value, else its number."""
    variations = flag.items("variations")
    if not 0 <= index < len(variations):
        return str(index)
    name = variations[index].text_or_none("name")
    value = variations[index].at("value").value
    return name or (str(index) if value is None else msgspec.json.encode(value).decode().strip('"'))
