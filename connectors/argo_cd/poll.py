"""Reads applications with their history of syncs from the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from connectors.argo_cd.translate import APPLICATION
from pipeline.events.asking import Api, Item, moment
from pipeline.events.delivery import Delivery
from pipeline.events.errors import Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

LIST = "/api/v1/applications"
#: What is asked for of each application in the list; the rest is asked for where something happened.
_FIELDS = (
    "metadata.resourceVersion", "items.metadata.name", "items.metadata.namespace", "items.metadata.creationTimestamp",
    "items.spec.project", "items.status.operationState.startedAt", "items.status.operationState.finishedAt",
)  # fmt: skip
#: An application that was deleted meanwhile; Argo CD says of one that it does not know that it is forbidden.
_GONE = frozenset({httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN})
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
#: What is kept of an application. Its sources may hold values and parameters, its status the whole cluster.
_OF_SOURCE = ("repoURL", "path", "chart", "targetRevision", "ref")
_OF_SYNC = ("id", "revision", "revisions", "deployedAt", "deployStartedAt", "dryRun", "autoHealAttemptsCount")
_OF_STATE = ("phase", "message", "startedAt", "finishedAt")


class _Applications(msgspec.Struct):
    """The list, which is null where there are none; the metadata is what shows that Argo CD answers."""

    metadata: dict[str, Any]
    items: list[Item] | None = None


class _Application(msgspec.Struct):
    metadata: dict[str, Any]
    spec: dict[str, Any]
    status: dict[str, Any] = {}


class ArgoCDPoller:
    """Reads the applications of a project, or all that the account may see."""

    name = "argo_cd"
    scope = "name of a project; empty: all projects"
    default_scope: str | None = ""
    needs: Sequence[str] = ("url", "token")

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or ""), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The list has no pages: it is read at once, and applications are told by their names.

        The cursor is the name of the last one. What is synced meanwhile has a later time, with which the next poll
        finds it; an application tells its history with each sync.
        """
        yield from _Reading(client, query).everything(checkpoint.cursor)
        yield Page()


POLLER: Poller = ArgoCDPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query) -> None:
        check = (
            "connectors.argo_cd.url: the address of the server, and connectors.argo_cd.token: has it expired, and may "
            "its account get applications of the project"
        )
        self._api = Api("argo_cd", client, query.now, check)
        self._query = query

    def everything(self, cursor: str) -> Iterator[Page]:
        params: dict[str, str | int] = {"fields": ",".join(_FIELDS)}
        if self._query.scope.strip():
            params["projects"] = self._query.scope.strip()
        found = self._api.read(self._api.get(LIST, params), _Applications).items or []
        applications = {_name(application): application for application in found}
        if "" in applications:
            raise Retryable("argo_cd: the list has an application without a name")
        wanted = [name for name, each in sorted(applications.items()) if name > cursor and self._is_wanted(each)]
        for name in wanted:
            yield Page(deliveries=self._told(applications[name]), cursor=name, expected=len(wanted))

    def _told(self, listed: Item) -> list[Delivery]:
        where = {
            "appNamespace": _at(listed, "metadata", "namespace"),
            "project": _at(listed, "spec", "project"),
        }
        params: dict[str, str | int] = {name: str(value) for name, value in where.items() if value}
        answer = self._api.get(f"{LIST}/{_at(listed, 'metadata', 'name')}", params, absent=_GONE)
        if not answer.is_success:
            return []
        application = self._api.read(answer, _Application)
        return [self._api.delivery(APPLICATION, {"app": _kept(application)})]

    def _is_wanted(self, application: Item) -> bool:
        """Tell whether an application was there before the end, and its last operation was after the beginning."""
        created = moment(_at(application, "metadata", "creationTimestamp"))
        if self._query.until is not None and created is not None and created >= self._query.until:
            return False
        times = [moment(_at(application, "status", "operationState", name)) for name in ("startedAt", "finishedAt")]
        last = max((at for at in times if at is not None), default=None)
        return self._query.since is None or (last is not None and last >= self._query.since)


def _name(application: Item) -> str:
    """Return `namespace/name`, by which applications are told; "" without a name."""
    name, namespace = _at(application, "metadata", "name"), _at(application, "metadata", "namespace")
    return f"{namespace or 'default'}/{name}" if name else ""


def _at(item: Mapping[str, Any], *names: str) -> Any:
    value: Any = item
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _kept(application: _Application) -> Item:
    metadata, spec, status = application.metadata, application.spec, application.status
    notes = metadata.get("annotations")
    told = _part(metadata, "name", "namespace", "labels")
    if isinstance(notes, Mapping):
        told["annotations"] = {name: value for name, value in notes.items() if name != _APPLIED}
    kept = {"metadata": told, "spec": {**_sources(spec), **_part(spec, "destination", "project")}}
    history, state = status.get("history"), status.get("operationState")
    known = [_sync(entry) for entry in history if isinstance(entry, Mapping)] if isinstance(history, list) else []
    last = {"operationState": _state(state)} if isinstance(state, Mapping) else {}
    return {**kept, "status": {"history": known, **last}}


def _state(state: Mapping[str, Any]) -> Item:
    """Return the last operation. What a sync of single resources synced is not kept, but that it was one."""
    kept = _part(state, *_OF_STATE)
    sync = _at(state, "operation", "sync")
    automated = bool(_at(state, "operation", "initiatedBy", "automated"))
    kept["operation"] = {"initiatedBy": {"automated": automated}}
    if isinstance(sync, Mapping):
        kept["operation"]["sync"] = {**_sync(sync), "resources": [{} for _ in sync.get("resources") or ()]}
    if isinstance(result := state.get("syncResult"), Mapping):
        kept["syncResult"] = _sync(result)
    return kept


def _sync(told: Mapping[str, Any]) -> Item:
    automated = bool(_at(told, "initiatedBy", "automated"))
    return {**_part(told, *_OF_SYNC), **_sources(told), "initiatedBy": {"automated": automated}}


def _sources(told: Mapping[str, Any]) -> Item:
    kept: Item = {}
    if isinstance(source := told.get("source"), Mapping):
        kept["source"] = _part(source, *_OF_SOURCE)
    if isinstance(sources := told.get("sources"), list):
        kept["sources"] = [_part(source, *_OF_SOURCE) for source in sources if isinstance(source, Mapping)]
    return kept


def _part(told: Mapping[str, Any], *names: str) -> Item:
    return {name: told[name] for name in names if name in told}
