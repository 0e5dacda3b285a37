"""GitLab's webhooks and REST pages -> canonical events."""

from __future__ import annotations

from connectors.gitlab import pages
from connectors.gitlab.kinds import LEFT_OUT, WEBHOOKS, kind_of
from connectors.gitlab.project import of_webhook
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

_REST = "rest."


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, which says itself what it is, or a page of the kinds in `pages.PAGES`.

    Pure and total: raises nothing but `Quarantined`.
    """
    outcome = _read(delivery, context)
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind in pages.PAGES:
        return pages.page(kind, root, delivery.headers, context)
    if kind.startswith(_REST):
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no page of GitLab's that is read")
    body = root.child()
    told = kind_of(body)
    if told in WEBHOOKS:
        return WEBHOOKS[told](body, of_webhook(body, delivery.headers), context)
    if told in LEFT_OUT:
        return told
    if told is None:
        raise Quarantined("missing_field", "object_kind and event_name are absent: which event is it?")
    raise Quarantined("unknown_kind", f"object_kind is {told[:80]!r}; GitLab's webhooks have none such")
