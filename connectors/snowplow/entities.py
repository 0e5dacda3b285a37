"""Self-describing data inside an enriched event: what the event itself says, and the entities attached to it.

The raw columns `unstruct_event`, `contexts` and `derived_contexts` hold it under its schemas. The analytics SDKs and
the loaders make a column of each schema instead, such as `contexts_com_acme_user_1`. Both are told alike here.
"""

from __future__ import annotations

import re

from pipeline.events.batches import embedded
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.tracked import Scalar, flatten

CLIENT_SESSION = "contexts_com_snowplowanalytics_snowplow_client_session_1"
_SPIDERS = "contexts_com_iab_snowplow_spiders_and_robots_1.0.spiderOrRobot"
_DEVICE_CLASS = "contexts_nl_basjes_yauaa_context_1.0.deviceClass"

_EVENT, _ENTITY = "unstruct_event_", "contexts_"
_SCHEMA = re.compile(r"iglu:([\w.-]+)/([\w.-]+)/[\w-]+/(\d+)-\d+-\d+")
_camel = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def of_event(row: Node) -> dict[str, Scalar]:
    """Return the properties of the event by their names, and those of each entity as `<column>.<index>.<name>`."""
    found: dict[str, Scalar] = {}
    entities: dict[str, list[object]] = {}
    for name, value in sorted(row.value.items() if isinstance(row.value, dict) else ()):
        if name.startswith(_EVENT) and name != "unstruct_event" and isinstance(value, dict):
            found |= flatten(value)
        elif name.startswith(_ENTITY) and isinstance(value, list):
            entities.setdefault(name, []).extend(value)
    if told := embedded(row, "unstruct_event"):
        found |= flatten(told.child("data").child_or_none("data"))
    for column in ("contexts", "derived_contexts"):
        if told := embedded(row, column):
            for entity in told.items("data"):
                entities.setdefault(column_of(entity.text("schema")), []).append(entity.at("data").value)
    return found | flatten(entities)


def column_of(schema: str) -> str:
    """Return the column that the SDKs make of an entity's schema; raises `Quarantined` for what is no schema."""
    parts = _SCHEMA.fullmatch(schema)
    if parts is None:
        raise Quarantined("bad_value", f"{schema[:80]!r} is no schema; expected iglu:VENDOR/NAME/FORMAT/VERSION")
    vendor, name, model = parts.groups()
    told = f"{vendor}_{_camel.sub('_', name)}_{model}"
    return _ENTITY + re.sub(r"[.-]", "_", told).lower()


def is_robot(found: dict[str, Scalar]) -> bool:
    """Return whether one of the enrichments that know robots says that this is one."""
    return found.get(_SPIDERS) is True or str(found.get(_DEVICE_CLASS, "")).startswith("Robot")
