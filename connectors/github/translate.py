"""GitHub's webhooks, REST pages and public events -> canonical events."""

from __future__ import annotations

from urllib.parse import parse_qs

from connectors.github import events_api, pages
from connectors.github.kinds import LEFT_OUT, WEBHOOKS
from connectors.github.repository import of_webhook
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

_FORM = b"payload="


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an `X-GitHub-Event`, one of `pages.PAGES`, or `events_api`.

    Pure and total: raises nothing but `Quarantined`.
    """
    outcome = _read(delivery, context)
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, headers = delivery.kind, delivery.headers
    if kind in WEBHOOKS:
        root = _body(delivery.body).child()
        return WEBHOOKS[kind](root, of_webhook(root, headers), context)
    if kind in LEFT_OUT:
        _body(delivery.body).child()
        return kind
    if kind in pages.PAGES:
        return pages.page(kind, _body(delivery.body), headers, context)
    if kind == "events_api":
        return joined(events_api.item(item, headers, context) for item in pages.items(_body(delivery.body)))
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of GitHub's nor a page that is read")


def _body(body: bytes) -> Node:
    """Return the JSON of a body, also of a hook whose content type was left at `application/x-www-form-urlencoded`."""
    if body.startswith(_FORM):
        try:
            (body,) = (value.encode() for value in parse_qs(body.decode("ascii"), strict_parsing=True)["payload"])
        except (ValueError, KeyError) as error:
            raise Quarantined("bad_json", f"the form holds no single payload: {error}") from error
    return Node(parse_json(body))
