"""Jenkins' builds, stages and notifications -> canonical events."""

from __future__ import annotations

from connectors.jenkins import builds, plugins
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

UNKNOWN = "unknown"


def kind_of(body: bytes) -> str:
    """Return what kind of message a body is, by its shape; `unknown` for what Jenkins does not send. Never raises."""
    try:
        root = Node(parse_json(body))
    except Quarantined:
        return UNKNOWN
    value = root.value if isinstance(root.value, dict) else {}
    build = value.get("build")
    if isinstance(build, dict) and "phase" in build:
        return "notification"
    if str(value.get("type", "")).startswith("dev.cdevents."):
        return "cdevents_plugin"
    if "stages" in value or "startTimeMillis" in value:
        return "rest.stages"
    return "rest.builds" if {"builds", "allBuilds", "fullDisplayName"} & set(value) else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of one of the kinds that `kind_of` tells apart.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    root, named = Node(parse_json(delivery.body)), delivery.headers.get(builds.JOB_HEADER)
    match delivery.kind:
        case "notification":
            return plugins.notification(root.child(), context)
        case "cdevents_plugin":
            return plugins.cdevents(root.child(), context)
        case "rest.builds":
            items = _items(root)
            read = (builds.told(builds.polled(item, context, named), context) for item in items)
            return joined(read) if items else "rest.builds.empty"
        case "rest.stages":
            return builds.stages(root, context, named)
        case kind:
            raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a message of Jenkins' nor a page that is read")


def _items(root: Node) -> list[Node]:
    """A page is a job with its builds, a list, or a single build."""
    if isinstance(root.value, list):
        return root.items()
    field = next((name for name in ("allBuilds", "builds") if root.has(name)), None)
    return root.items(field) if field else [root.child()]
