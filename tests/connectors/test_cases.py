"""The one test that every connector passes; what it demands is written in `connectors/README.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import REASONS
from tests.connectors.casebook import (
    ROOT,
    Case,
    all_cases,
    cases,
    connector,
    connector_names,
    events_of,
    groups,
    observations_of,
    outcome,
    translate,
    written,
)
from tests.connectors.mutations import damaged_bytes, damaged_json

ADDRESS = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,})\b")
PSEUDONYM = re.compile(r"(?:[0-9a-f]{16})?")
SECTIONS = ["What it reads", "Settings", "Set it up", "What it cannot see"]

each_connector = pytest.mark.parametrize("name", connector_names())
each_case = pytest.mark.parametrize("case", all_cases(), ids=lambda case: f"{case.connector}/{case.name}")
# A body has many nodes; the profiles of the suite set a lower bound only.
fuzz = settings(max_examples=max(300, settings().max_examples))


@each_case
def test_outcome_is_the_reviewed_one(case: Case) -> None:
    assert case.outcome() == case.expected()


@each_case
def test_expected_quarantine_reasons_are_of_the_closed_set(case: Case) -> None:
    assert case.expected().get("quarantined", "bad_json") in REASONS


@each_case
def test_translation_is_deterministic(case: Case) -> None:
    assert [encode(event) for event in events_of(case)] == [encode(event) for event in events_of(case)]
    told = [written(observation) for observation in observations_of(case)]
    assert [written(observation) for observation in observations_of(case)] == told


@each_case
def test_events_survive_the_codec(case: Case) -> None:
    for event in events_of(case):
        assert decode(encode(event)) == event
        assert all((event.id, event.source, event.subject, event.partitionkey))
        assert event.time.utcoffset() is not None


@each_case
def test_observations_are_complete_and_name_nobody(case: Case) -> None:
    observations = observations_of(case)
    _check_observations(observations)
    for observation in observations:
        said = [observation.id, *(text for text in observation.properties.values() if isinstance(text, str))]
        assert not [text for text in said if ADDRESS.search(text)], f"{observation.name} holds an e-mail address"


@each_case
def test_redelivery_is_translated_alike(case: Case) -> None:
    again = msgspec.structs.replace(case.delivery, id="another-delivery", received_at=case.delivery.received_at.min)
    assert outcome(case.connector, again, case.context) == case.outcome()


@each_connector
def test_there_are_cases_and_each_is_complete(name: str) -> None:
    found = cases(name)
    assert found, f"connectors/{name}/cases is empty"
    assert any({"events", "observations"} & case.expected().keys() for case in found)
    assert any("quarantined" in case.expected() for case in found)


@each_connector
def test_one_id_means_one_content(name: str) -> None:
    """Cases with settings of their own are compared among themselves: settings may shape content."""
    seen: dict[tuple[str, str, str], tuple[bytes, str]] = {}
    for case in cases(name):
        shaped_by = json.dumps(dict(case.context.settings), sort_keys=True)
        for event in events_of(case):
            content = encode(event)
            first, where = seen.setdefault((shaped_by, event.source, event.id), (content, case.name))
            assert content == first, f"{event.type} {event.id} differs between {where} and {case.name}"
        for observation in observations_of(case):
            content = written(observation)
            first, where = seen.setdefault((shaped_by, "", observation.id), (content, case.name))
            assert content == first, f"{observation.name} {observation.id} differs between {where} and {case.name}"


@each_connector
def test_all_ways_of_telling_a_change_give_the_same_events(name: str) -> None:
    for change, kinds, ways in groups(name):
        assert len(ways) > 1, f"{change}: one way only"
        assert kinds, f"{change}: same.json lists neither event types nor names of observations"
        for kind in kinds:
            told = [_told(way, kind) for way in ways]
            shared = min(told, key=len)
            assert shared, f"{change}: a way yields no {kind}"
            for way, found in zip(ways, told, strict=True):
                assert shared <= found, f"{change}/{way.name}: {kind} differs"


def _told(case: Case, kind: str) -> set[bytes]:
    """Return the events of a type, or the observations of a name."""
    events = {encode(event) for event in events_of(case) if event.type == kind}
    return events | {written(observation) for observation in observations_of(case) if observation.name == kind}


@each_connector
def test_readme_has_its_sections_and_names_every_setting(name: str) -> None:
    readme = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert [title for title in re.findall(r"^## (.+)$", readme, re.MULTILINE) if title in SECTIONS] == SECTIONS
    sample = yaml.safe_load((ROOT / name / "sample.yaml").read_text(encoding="utf-8"))
    assert list(sample) == [name]
    for setting, value in (sample[name] or {}).items():
        assert isinstance(value, str), f"{setting}: settings are strings"
        assert f"`{setting}`" in readme, f"setting {setting} is missing in connectors/{name}/README.md"


@each_connector
def test_nothing_is_accepted_without_a_secret(name: str) -> None:
    for case in cases(name):
        for secrets in ([], [b""], [b"wrong-secret"]):
            with pytest.raises(Rejected):
                connector(name).verify(case.delivery.headers, case.delivery.body, secrets)


@each_connector
def test_describe_is_deterministic(name: str) -> None:
    for case in cases(name):
        described = connector(name).describe(case.delivery.headers, case.delivery.body)
        assert all(described), "kind and id must not be empty"
        assert connector(name).describe(case.delivery.headers, case.delivery.body) == described


@pytest.mark.parametrize("damage", [damaged_json, damaged_bytes])
@each_connector
@fuzz
@given(data=st.data())
def test_damage_is_translated_or_quarantined(
    name: str, damage: Callable[[bytes], st.SearchStrategy[bytes]], data: st.DataObject
) -> None:
    case = data.draw(st.sampled_from(cases(name)))
    body = data.draw(damage(case.delivery.body))
    delivery = msgspec.structs.replace(case.delivery, body=body)
    _check_total(name, delivery, case.context)
    try:
        kind, delivery_id = connector(name).describe(case.delivery.headers, body)
    except Rejected:
        return
    assert all((kind, delivery_id)), "kind and id must not be empty"


def _check_total(name: str, delivery: Delivery, context: Context) -> None:
    try:
        translation = translate(name, delivery, context)
    except Quarantined as error:
        reason, detail = error.reason, error.detail
    else:
        again = _encoded(translate(name, delivery, context))
        events, observations = _encoded(translation)
        assert again == (events, observations)
        assert [decode(raw) for raw in events] == list(translation.events)
        _check_observations(translation.observations)
        return
    assert reason in REASONS
    assert detail, "a quarantine names the field and the value"


def _encoded(translation: Translation) -> tuple[list[bytes], list[bytes]]:
    return [encode(event) for event in translation.events], [written(each) for each in translation.observations]


def _check_observations(observations: Sequence[Observation]) -> None:
    assert len({observation.id for observation in observations}) == len(observations), "an id is told twice"
    for observation in observations:
        assert msgspec.json.decode(written(observation), type=Observation) == observation
        assert all((observation.id, observation.name))
        assert PSEUDONYM.fullmatch(observation.unit), "a unit is a pseudonym, or empty"
        assert observation.at.utcoffset() is not None


@each_connector
@fuzz
@given(kind=st.text(max_size=20), data=st.data())
def test_unknown_kinds_and_headers_are_translated_or_quarantined(name: str, kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(name)))
    kinds = sorted({other.delivery.kind for other in cases(name)})
    headers = data.draw(st.sampled_from([{}, {"repo": ""}, {"content-type": kind}, dict(case.delivery.headers)]))
    delivery = msgspec.structs.replace(case.delivery, kind=data.draw(st.sampled_from([kind, *kinds])), headers=headers)
    _check_total(name, delivery, case.context)


@each_connector
def test_cases_hold_no_address_of_a_person(name: str) -> None:
    """Recorded deliveries are published with the project; `example` domains are the ones that nobody owns."""
    for path in sorted((ROOT / name / "cases").glob("**/*.json")):
        assert _addresses(path) == [], f"{path.relative_to(ROOT)} holds an e-mail address"


def _addresses(path: Path) -> list[str]:
    found = ADDRESS.findall(path.read_text(encoding="utf-8"))
    nobodys = re.compile(r"(?:^|\.)(?:example|invalid|test)(?:\.(?:com|org|net))?$")
    return [domain for domain in found if not nobodys.search(domain)]
