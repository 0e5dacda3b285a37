"""Checks between objects: references that lead nowhere, names given twice, two objects that contradict each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from pipeline.contract.metric import Metric
from pipeline.contract.model import AnyObject, Initiative, Policy, Service, StatusMap, Team, Tracks, gate
from pipeline.contract.problems import FieldPath, Problem, did_you_mean, dotted
from pipeline.contract.source import Document

Names = Collection[tuple[str, str]]

_KNOWN_TRACKERS = tuple(Tracks.model_fields)


class Located(msgspec.Struct, frozen=True):
    """An object and the document that it was read from."""

    object: AnyObject
    document: Document

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.object.metadata.name

    def problem(self, path: FieldPath, message: str, severity: Literal["error", "finding"] = "error") -> Problem:
        """Return a problem at `path` of the object."""
        line, column = self.document.position(path)
        return Problem(
            file=self.document.file, line=line, column=column, path=dotted(path), message=message, severity=severity
        )

    def place(self, path: FieldPath) -> str:
        """Return `file:line` of `path`."""
        return f"{self.document.file}:{self.document.position(path).line}"


def check(objects: Sequence[Located], names: Names) -> list[Problem]:
    """Return the problems between objects. `names` are the (kind, name) of everything a reference may lead to."""
    return [
        *_named_twice(objects),
        *_references(objects, names),
        *_gates(objects),
        *_aliases(objects),
        *_shared_tracks(objects),
        *_tracker_words(objects),
        *_shared_repos(objects),
        *_environments(objects),
        *_circles(objects),
        *_shared_words(objects),
        *_shared_trackers(objects),
        *_policies(objects),
        *_sure_successes(objects),
    ]


def _named_twice(objects: Sequence[Located]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Located] = {}
    for each in objects:
        earlier = first.setdefault((each.object.kind, each.name), each)
        if earlier is not each:
            path = ("metadata", "name")
            place = earlier.place(path)
            yield each.problem(path, f"{each.object.kind} {each.name!r} is declared twice; first at {place}")


def _references(objects: Sequence[Located], names: Names) -> Iterator[Problem]:
    for each in objects:
        for path, kind, name in _referred(each.object):
            if (kind, name) not in names:
                hint = did_you_mean(name, [other for other_kind, other in names if other_kind == kind])
                yield each.problem(path, f"no {kind} {name!r} is declared{hint or '; declare it or correct the name'}")
            elif isinstance(each.object, Team) and name == each.name:
                yield each.problem(path, "a team has no interaction with itself; name the other team")


def _referred(declared: AnyObject) -> Iterator[tuple[FieldPath, str, str]]:
    match declared:
        case Initiative(spec=spec):
            if spec.owner:
                yield ("spec", "owner"), "Team", spec.owner
            for index, service in enumerate(spec.tracks.service):
                if "/" not in service:  # a repository that no Service claims is a service by its own name
                    yield ("spec", "tracks", "service", index), "Service", service
        case Service(spec=spec):
            yield ("spec", "owner"), "Team", spec.owner
            for index, service in enumerate(spec.depends_on):
                yield ("spec", "dependsOn", index), "Service", service
        case Team(spec=spec):
            for index, interaction in enumerate(spec.interactions):
                yield ("spec", "interactions", index, "with"), "Team", interaction.with_


def _gates(objects: Sequence[Located]) -> Iterator[Problem]:
    for each in objects:
        if isinstance(each.object, Initiative) and each.object.spec.stage in ("commit", "done"):
            spec, missing = each.object.spec, gate(each.object.spec)
            if missing and spec.exemption is not None:
                message = f"is exempt until {spec.exemption.until}, and lacks {', '.join(missing)}"
                yield each.problem(("spec", "exemption"), message, "finding")
            elif missing:
                message = f"{spec.stage!r} needs {', '.join(missing)}; add what is missing or go back to 'bet'"
                yield each.problem(("spec", "stage"), message)


def _aliases(objects: Sequence[Located]) -> Iterator[Problem]:
    holders = {each.name.lower(): each for each in objects if isinstance(each.object, Initiative)}
    for each in objects:
        if isinstance(each.object, Initiative):
            for index, alias in enumerate(each.object.spec.aliases):
                holder = holders.setdefault(alias.lower(), each)
                if holder is not each:
                    message = f"{alias!r} already names Initiative {holder.name!r}; one name, one initiative"
                    yield each.problem(("spec", "aliases", index), message)


def _tracks(objects: Iterable[Located]) -> Iterator[tuple[Located, FieldPath, str, str]]:
    """Yield every thing that an initiative tracks: (initiative, path, how it is called, value)."""
    for each in objects:
        if isinstance(each.object, Initiative):
            tracks = each.object.spec.tracks.model_dump(exclude_unset=True, exclude={"trailer", "service"})
            for tracker, entries in tracks.items():
                for index, entry in enumerate(entries):
                    for key, value in entry.items():
                        kind = "label" if key == "label" else "ticket"
                        yield each, ("spec", "tracks", tracker, index, key), kind, value


def _shared_tracks(objects: Sequence[Located]) -> Iterator[Problem]:
    first: dict[tuple[str, str], tuple[Located, FieldPath]] = {}
    for each, path, kind, value in _tracks(objects):
        holder, held_at = first.setdefault((kind, value), (each, path))
        if holder.name != each.name:
            message = (
                f"semantic conflict: {kind} {value!r} is tracked by Initiative {each.name!r} and by Initiative "
                f"{holder.name!r} ({holder.place(held_at)}); its work will be ambiguous"
            )
            yield each.problem(path, message, "finding")


def _tracker_words(objects: Sequence[Located]) -> Iterator[Problem]:
    for each in objects:
        if isinstance(each.object, Initiative):
            for tracker in each.object.spec.tracks.model_extra or {}:
                if hint := did_you_mean(tracker, _KNOWN_TRACKERS):
                    yield each.problem(("spec", "tracks", tracker), f"unusual tracker{hint}", "finding")


def _shared_repos(objects: Sequence[Located]) -> Iterator[Problem]:
    claims: dict[str, list[tuple[Located, int]]] = defaultdict(list)
    for each in objects:
        if isinstance(each.object, Service):
            for index, repo in enumerate(each.object.spec.repos):
                claims[repo].append((each, index))
    for repo, claimants in claims.items():
        for each, index in claimants:
            others = sorted({other.name for other, _ in claimants} - {each.name})
            if others and isinstance(each.object, Service) and not each.object.spec.paths:
                message = (
                    f"repository {repo!r} is claimed by Service {', '.join(map(repr, others))} as well and this one "
                    "has no paths, so their changes cannot be told apart; add spec.paths"
                )
                yield each.problem(("spec", "repos", index), message, "finding")


def _environments(objects: Sequence[Located]) -> Iterator[Problem]:
    for each in objects:
        environments = each.object.spec.environments if isinstance(each.object, Service) else None
        if environments is None or not environments.model_fields_set:
            continue
        if not environments.production:
            message = "declares no production, so no deployment of this service will count; add its name"
            yield each.problem(("spec", "environments"), message, "finding")
        first: dict[str, str] = {}
        for purpose in type(environments).model_fields:
            for index, name in enumerate(getattr(environments, purpose)):
                earlier = first.setdefault(name.lower(), purpose)
                if earlier != purpose:
                    message = f"{name!r} is listed under {earlier!r} too; an environment has one purpose"
                    yield each.problem(("spec", "environments", purpose, index), message)


def _circles(objects: Sequence[Located]) -> Iterator[Problem]:
    needs = {each.name: each.object.spec.depends_on for each in objects if isinstance(each.object, Service)}
    reported: set[frozenset[str]] = set()
    for each in objects:
        circle = _circle_from(each.name, needs) if isinstance(each.object, Service) else None
        if circle and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            message = f"circular: {' -> '.join([*circle, circle[0]])}; none of these can be changed alone"
            yield each.problem(("spec", "dependsOn"), message, "finding")


def _circle_from(start: str, needs: dict[str, list[str]]) -> list[str] | None:
    """Return the shortest way from `start` back to itself, or None."""
    came_from: dict[str, str] = {}
    queue = [start]
    for name in queue:
        for needed in needs.get(name, ()):
            if needed == start:
                way = [name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if needed not in came_from:
                came_from[needed] = name
                queue.append(needed)
    return None


def _shared_words(objects: Sequence[Located]) -> Iterator[Problem]:
    """Yield the statuses and types of one tracker that two maps translate differently."""
    first: dict[tuple[str, str, str], tuple[Located, str]] = {}
    for each in objects:
        if not isinstance(each.object, StatusMap):
            continue
        spec = each.object.spec
        words = [("map", *item) for item in spec.map.items()] + [("types", *item) for item in spec.types.items()]
        for field, native, canonical in words:
            holder, meant = first.setdefault((spec.tracker.casefold(), field, native.casefold()), (each, canonical))
            if meant != canonical:
                message = (
                    f"semantic conflict: {native!r} means {canonical!r} here and {meant!r} in StatusMap "
                    f"{holder.name!r} ({holder.document.file}); one tracker, one meaning"
                )
                yield each.problem(("spec", field, native), message, "finding")


def _shared_trackers(objects: Sequence[Located]) -> Iterator[Problem]:
    """Yield the maps that are never looked at: of several for one tracker the first by name is used."""
    used: dict[str, Located] = {}
    for each in sorted(objects, key=lambda located: located.name):
        if not isinstance(each.object, StatusMap):
            continue
        holder = used.setdefault(each.object.spec.tracker.casefold(), each)
        if holder.name != each.name:
            message = (
                f"StatusMap {holder.name!r} ({holder.document.file}) is for this tracker as well and goes first, so "
                "that this one is never used; put all words into one"
            )
            yield each.problem(("spec", "tracker"), message, "finding")


def _policies(objects: Sequence[Located]) -> Iterator[Problem]:
    policies = [each for each in objects if isinstance(each.object, Policy)]
    for each in policies[1:]:
        if each.name != policies[0].name:
            place = policies[0].place(("metadata", "name"))
            yield each.problem(("metadata", "name"), f"a contract has one Policy; {policies[0].name!r} is at {place}")


def _sure_successes(objects: Sequence[Located]) -> Iterator[Problem]:
    for each in objects:
        if isinstance(each.object, Metric) and (entry := each.object.spec.denominator):
            success = each.object.spec.numerator
            if success and (set(success.event), success.where) == (set(entry.event), entry.where):
                message = "selects the same events as the denominator, so every unit succeeds; narrow it"
                yield each.problem(("spec", "numerator"), message, "finding")
