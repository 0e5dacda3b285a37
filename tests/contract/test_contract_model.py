"""The five kinds: what they hold, the schema that editors use, the samples, and the reference page."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.contract.declare import body_of
from pipeline.contract.durations import format_duration, parse_duration
from pipeline.contract.fields import Name, ServiceName
from pipeline.contract.load import load
from pipeline.contract.model import KINDS, InitiativeSpec, gate
from pipeline.contract.schema import json_schema

ROOT = Path(__file__).parents[2]
SAMPLES = {"starter": ROOT / "pipeline/contract/starter", "sample": ROOT / "deploy/contract"}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1s", timedelta(seconds=1)),
        ("90m", timedelta(minutes=90)),
        ("72h", timedelta(days=3)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(days=14)),
    ],
)
def test_durations(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text", ["", "0h", "3", "d", "-3d", "1.5d", "3 d", "3D", "3d12h", "P3D", "٣d", "3d\n", "1234567d"]
)
def test_what_is_no_duration_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration; write a whole number and a unit \(s, m, h, d, w\)"):
        parse_duration(text)


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_a_formatted_duration_reads_as_itself(number: int, unit: str) -> None:
    span = parse_duration(f"{number}{unit}")
    written = format_duration(span)
    assert int(written[:-1]) <= number * (7 if unit == "w" else 1)
    assert parse_duration_of_any_length(written) == span


def parse_duration_of_any_length(text: str) -> timedelta:
    """Weeks come back as days, which may have a digit more than people may write."""
    return int(text[:-1]) * parse_duration(f"1{text[-1]}")


@pytest.mark.parametrize("name", ["a", "faster-activation", "acme/shop", "v1.2", "7", "a" * 253])
def test_names(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a_b", "ä", "a\n", "a" * 254])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_a_service_name_may_hold_an_underscore() -> None:
    assert TypeAdapter(ServiceName).validate_python("shop_api/v2.1") == "shop_api/v2.1"


def test_the_gate_names_what_is_missing() -> None:
    bare: dict[str, Any] = {"stage": "bet"}
    assert gate(InitiativeSpec.model_validate(bare)) == ["owner", "outcomes", "horizon", "decision"]
    full = bare | {
        "owner": "growth",
        "outcomes": [{"metric": "activation_rate", "target": 0.5, "direction": "up"}],
        "horizon": "2026-12-31",
        "decision": "ADR-1",
    }
    assert gate(InitiativeSpec.model_validate(full)) == []
    assert gate(InitiativeSpec.model_validate(full | {"outcomes": []})) == ["outcomes"]


@pytest.mark.parametrize("directory", SAMPLES.values(), ids=SAMPLES)
def test_the_samples_hold_every_kind_and_have_no_problem(directory: Path) -> None:
    loaded = load([directory])
    assert loaded.problems == []
    assert {each.kind for each in loaded.objects} == set(KINDS)


@pytest.mark.parametrize("directory", SAMPLES.values(), ids=SAMPLES)
def test_the_schema_accepts_the_samples_and_refuses_a_typo_in_each(directory: Path) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    documents = [each for file in sorted(directory.glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]
    assert len(documents) >= 5
    for document in documents:
        as_text = {key: _dates_as_text(value) for key, value in document.items()}
        validator.validate(as_text)
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(as_text | {"spec": {**as_text.get("spec", {}), "typo": 1}})


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_one_kind_is_valid_and_describes_its_fields(kind: str) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["kind"]["const"] == kind
    for name in _parts(KINDS[kind]):
        described = schema["$defs"].get(name, {}).get("properties", {})
        assert all(field.get("description") for field in described.values()), name


@pytest.mark.parametrize("directory", SAMPLES.values(), ids=SAMPLES)
def test_what_is_declared_is_what_was_written(directory: Path) -> None:
    """Declared bodies validate as objects again, to the same body: nothing is lost or added on the way."""
    for declared in load([directory]).require():
        spec, metadata = body_of(declared)
        again = type(declared).model_validate(
            {
                "apiVersion": "leadline/v1",
                "kind": declared.kind,
                "metadata": {"name": declared.metadata.name, **metadata},
                "spec": spec,
            }
        )
        assert body_of(again) == (spec, metadata)
        assert again == declared


def test_the_reference_names_every_kind_and_every_field() -> None:
    page = (ROOT / "docs/contract.md").read_text()
    for kind, model in KINDS.items():
        section = page.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        assert section, f"docs/contract.md has no section {kind}"
        for part, fields in _parts(model).items():
            if part not in {kind, "Metadata", "ServiceMetadata"}:
                missing = [field for field in fields if not re.search(rf"[`.]{field}`", section)]
                assert missing == [], f"docs/contract.md, section {kind}, does not explain {missing} of {part}"


def _parts(model: type[BaseModel]) -> dict[str, list[str]]:
    """Return the fields, as written, of a model and of all models within it."""
    definitions = {model.__name__: model.model_json_schema(), **model.model_json_schema().get("$defs", {})}
    return {name: list(each["properties"]) for name, each in definitions.items() if "properties" in each}
