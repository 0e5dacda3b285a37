"""ServiceNow's change requests -> deployments."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.servicenow.fields import choices, moment, site, text, texts
from pipeline.events.deploying import Ending, Source
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url, clean, listed, place
from pipeline.events.reading import Node
from pipeline.events.types import DeploymentEvent

#: A change request is a deployment to what users have, unless it says otherwise.
ENVIRONMENT = "production"
_ENDINGS: Mapping[str, Ending] = {
    "successful": "success",
    "successful_issues": "success",
    "successful with issues": "success",
    "unsuccessful": "failure",
}
_STATES = frozenset({"-5", "-4", "-3", "-2", "-1", "0", "3", "4", "new", "assess", "authorize", "scheduled",
                     "implement", "review", "closed", "canceled", "cancelled"})  # fmt: skip
_CANCELLED = frozenset({"4", "canceled", "cancelled"})


def tell(record: Node, settings: Mapping[str, str], anywhere: str) -> list[Event] | str:
    """Tell a change request as the deployment of its number, or return under which name it is left out.

    It began when work began, and ended when work ended, as its close code says. One that nobody worked on was none.
    """
    categories = listed(settings.get("change_categories", ""))
    if categories and not choices(record, "category") & set(categories):
        return "change_categories"
    states = choices(record, "state")
    if states and not states & _STATES:
        shown = min(states)[:80]
        raise Quarantined("bad_value", f"state is {shown!r}; expected one of ServiceNow's own states of changes")
    started_at = moment(record, "work_start")
    if started_at is None:
        return "change_request.no_work"
    ended_at = moment(record, "work_end") or moment(record, "closed_at")
    ending: Ending | None = "cancelled" if states & _CANCELLED else None
    ending = ending or next((_ENDINGS[code] for code in choices(record, "close_code") if code in _ENDINGS), None)
    found = place(texts(record), settings)
    key = text(record, "sys_id") or record.text("sys_id")
    host = base_url(settings) or site(record)
    data = DeploymentEvent(
        deployment=clean(text(record, "number")) or key,
        environment=clean(found.environment) or ENVIRONMENT,
        service=clean(found.service),
        started_at=started_at,
        url=f"{host}/change_request.do?sys_id={key}" if host else None,
    )
    where = Source(host or anywhere, data.deployment)
    return where.deployment(data, finished_at=ended_at if ending else None, ending=ending)
