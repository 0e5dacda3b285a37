"""What Leadline emits is valid CDEvents 0.5.1, by the schemas that the CDEvents project publishes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from pipeline.events.cdevents import SPEC_VERSION
from pipeline.events.codec import encode
from pipeline.events.envelope import Event
from pipeline.events.vocabulary import TYPES
from tests.events.samples import golden_path, sample
from tests.events.strategies import events

SCHEMAS = Path(__file__).parent / "cdevents_schemas"
STANDARD = sorted(name for name in TYPES if name.startswith("dev.cdevents."))
OWN = sorted(name for name in TYPES if name.startswith("dev.cdeventsx."))


@cache
def _schemas() -> dict[str, Any]:
    """Schema by event type; the custom one under ""."""
    return {
        schema["properties"]["context"]["properties"]["type"].get("enum", [""])[0]: schema
        for schema in (json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json"))
    }


@cache
def _validator(event_type: str) -> Draft202012Validator:
    links = (json.loads(path.read_text("utf-8")) for path in (SCHEMAS / "links").glob("*.json"))
    registry: Registry[Any] = Registry().with_resources((link["$id"], Resource.from_contents(link)) for link in links)
    schema = _schemas()["" if event_type in OWN else event_type]
    return Draft202012Validator(schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schemas_are_of_the_release_that_the_codec_names() -> None:
    assert (SCHEMAS / "version.txt").read_text("utf-8").strip() == SPEC_VERSION
    assert all(schema["$id"].startswith(f"https://cdevents.dev/{SPEC_VERSION}/") for schema in _schemas().values())


@pytest.mark.parametrize("event_type", STANDARD + OWN)
def test_golden_documents_are_valid(event_type: str) -> None:
    _validator(event_type).validate(json.loads(golden_path(event_type).read_bytes())["data"])


@pytest.mark.parametrize("event_type", STANDARD)
def test_the_validator_bites(event_type: str) -> None:
    document = json.loads(golden_path(event_type).read_bytes())["data"]
    document["subject"]["content"]["somethingElse"] = 1
    with pytest.raises(ValidationError, match="somethingElse"):
        _validator(event_type).validate(document)


@given(events(STANDARD))
def test_documents_of_any_event_have_valid_content(event: Event) -> None:
    # The source is the emitter's business; its form is checked on the golden documents.
    named = Event(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"source": "https://acme.example"}
    )
    _validator(event.type).validate(json.loads(encode(named))["data"])


@pytest.mark.parametrize("event_type", OWN)
def test_own_types_follow_the_naming_rule_for_custom_events(event_type: str) -> None:
    assert event_type.startswith("dev.cdeventsx.leadline-")
    assert "customData" not in json.loads(encode(sample(event_type)))["data"]
