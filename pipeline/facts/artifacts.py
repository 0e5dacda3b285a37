"""What assistants proposed and did: does it refer to the canonical initiative, and was it allowed?"""

from __future__ import annotations

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import AgentActed, ArtifactProposed, LinkDeclared
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.facts.rows import ActFact, ArtifactFact
from pipeline.facts.state import State
from pipeline.facts.told import Told

#: Different approvals that an act needs, by the list of the policy that names it.
_NEEDED = {"human": 1, "crossFunctional": 2}


class Artifact(msgspec.Struct, array_like=True):
    """The earliest proposal of an artifact, and the latest link that a person declared for it."""

    proposed: Told[ArtifactProposed] | None = None
    link: Told[str] | None = None


class Artifacts:
    """Keeps what assistants proposed. `touched` are those to settle."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._artifacts = state.table("artifact", Artifact)
        self._contract = contract
        self.touched: set[str] = set()

    def proposed(self, event: Event, data: ArtifactProposed) -> None:
        artifact = self._artifacts.get(data.artifact) or Artifact()
        known, at = artifact.proposed, to_us(event.time)
        if known is None or (at, event.id) < (known.at, known.event):
            artifact.proposed = Told(at, event.id, data)
            self._put(data.artifact, artifact)

    def linked(self, event: Event, data: LinkDeclared) -> None:
        """Take in that a person linked an artifact, known or not yet, to an initiative."""
        artifact = self._artifacts.get(data.subject_id) or Artifact()
        known, at = artifact.link, to_us(event.time)
        if known is None or (at, event.id) > (known.at, known.event):
            artifact.link = Told(at, event.id, data.initiative)
            self._put(data.subject_id, artifact)

    def settle(self, key: str) -> ArtifactFact | None:
        """Return the fact of an artifact as it now stands; None: it was only linked, never proposed."""
        artifact = self._artifacts.get(key)
        if artifact is None or artifact.proposed is None:
            return None
        told, link = artifact.proposed.value, artifact.link
        named = told.initiative if link is None else link.value
        status, initiative = self._status(named, artifact.proposed.at if link is None else link.at)
        return ArtifactFact(
            id=key,
            kind=told.kind,
            title=told.title,
            proposed_at=artifact.proposed.at,
            status=status,
            agent=told.agent,
            context=told.context,
            named=named,
            initiative=initiative,
            relinked_at=None if link is None else link.at,
            repo=told.repo,
            change=told.change,
            ticket=told.ticket,
            url=told.url,
        )

    def _status(self, named: str | None, at: int) -> tuple[str, str | None]:
        if named is None:
            return "missing", None
        meant = self._contract.initiatives_named(named)
        if len(meant) != 1:
            return "unknown", None
        (initiative,) = meant
        return ("closed", None) if self._contract.coordination.is_closed(initiative, at) else ("linked", initiative)

    def _put(self, key: str, artifact: Artifact) -> None:
        self._artifacts.put(key, artifact)
        self.touched.add(key)


class Acts:
    """Keeps what software agents did by themselves. `touched` are those to settle."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._acts = state.table("act", Told[AgentActed])
        self._contract = contract
        self.touched: set[str] = set()

    def acted(self, event: Event, data: AgentActed) -> None:
        known, at = self._acts.get(data.act), to_us(event.time)
        if known is None or (at, event.id) < (known.at, known.event):
            self._acts.put(data.act, Told(at, event.id, data))
            self.touched.add(data.act)

    def settle(self, key: str) -> ActFact | None:
        """Return the fact of an act as it now stands."""
        found = self._acts.get(key)
        if found is None:
            return None
        told = found.value
        rule = self._contract.coordination.act_rule(told.action, found.at)
        meant = self._contract.initiatives_named(told.initiative) if told.initiative else ()
        return ActFact(
            id=key,
            agent=told.agent,
            action=told.action,
            acted_at=found.at,
            rule=rule,
            approvals=sorted(set(told.approvals)),
            violation=rule == "undeclared"
            or len({name.lower() for name in told.approvals}) < _NEEDED.get(rule or "", 0),
            on=told.on,
            initiative=next(iter(meant)) if len(meant) == 1 else None,
            url=told.url,
        )
