"""The members of a number: the facts that it counts, and those that it leaves out with the reasons."""

from __future__ import annotations

from collections import Counter

import msgspec

from pipeline.events.times import day_of
from pipeline.facts.rows import ArtifactFact, ChangeFact, DeploymentFact, Fact, TicketFact, WaitFact
from pipeline.governance.judging import JUDGES
from pipeline.governance.known import Known
from pipeline.identity.attribution import DETERMINISTIC
from pipeline.metrics.catalogue import BY_NAME
from pipeline.metrics.cells import ORG, Scope


class Member(msgspec.Struct, frozen=True):
    """A fact that is counted: as so many observations, with this value."""

    fact: Fact
    value: float | None
    at: int | None
    weight: int = 1


class Members(msgspec.Struct, frozen=True):
    """What a number is made of. `left_out`: reason -> how many facts."""

    counted: list[Member]
    left_out: dict[str, int]

    @property
    def n(self) -> int:
        """How many observations there are: the n of the metric."""
        return sum(member.weight for member in self.counted)


def members(known: Known, metric: str, scope: Scope, window_days: int | None, as_of: int) -> Members:
    """Return what a metric of a scope is made of, in the UTC days that end with that of `as_of`; the greatest first.

    Raises KeyError for a metric that is not in the catalogue.
    """
    kind, judge = JUDGES[metric]
    counted: list[Member] = []
    left_out: Counter[str] = Counter()
    for fact in known.of(kind):
        if scope != ORG and scope not in scopes_of(fact):
            continue
        judged = judge(fact, as_of)
        if judged is None or not _inside(judged.at, window_days, as_of):
            continue
        if judged.left_out is not None:
            left_out[judged.left_out] += 1
        else:
            counted.append(Member(fact, judged.value, judged.at, judged.weight))
    counted.sort(key=lambda member: (-(member.value or 0), -(member.at or 0), _id(member.fact)))
    return Members(counted, dict(left_out.most_common()))


def scopes_of(fact: Fact) -> set[Scope]:
    """Return the scopes that a fact counts for."""
    found: dict[str, str | None] = {}
    if isinstance(fact, DeploymentFact):
        return {
            ORG,
            *_known(service=fact.service, team=fact.team),
            *(("initiative", each) for each in fact.initiatives),
        }
    if isinstance(fact, ChangeFact):
        sure = fact.initiative if fact.confidence in DETERMINISTIC else None
        found = {"service": fact.service, "team": fact.team, "initiative": sure}
    elif isinstance(fact, WaitFact):
        found = {"team": fact.consumer, "initiative": fact.initiative}
        if fact.cross_team:
            found |= {"pair": f"{fact.consumer} > {fact.provider}", "mode": fact.mode or ""}
    elif isinstance(fact, TicketFact):
        found = {"team": fact.team, "initiative": fact.initiative}
    elif isinstance(fact, ArtifactFact):
        found = {"initiative": fact.initiative}
    return {ORG, *_known(**found)}


def is_windowed(metric: str) -> bool:
    """Tell whether a metric looks at a window, rather than at all that is open."""
    return BY_NAME[metric].windowed


def _known(**named: str | None) -> set[Scope]:
    return {(kind, name) for kind, name in named.items() if name is not None}


def _inside(at: int | None, window_days: int | None, as_of: int) -> bool:
    today = day_of(as_of)
    return at is None or window_days is None or today - window_days < day_of(at) <= today


def _id(fact: Fact) -> str:
    found: str = fact.id  # type: ignore[attr-defined]  # every kind of fact has one
    return found
