"""What is wrong with a mapping: every mistake at once, each with its line and the nearest name."""

from __future__ import annotations

import pytest
import yaml

from connectors.mapping import CONNECTOR
from connectors.mapping.load import load
from connectors.mapping.vocabulary import EVENT_TYPES
from pipeline.events.delivery import Context, Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.vocabulary import TYPES
from tests.connectors.casebook import RECEIVED_AT, ROOT

GOOD = """\
source: https://deploys.example.com
kind: event
mappings:
  - kind: done
    type: service.deployed
    time: at
    fields:
      deployment: id
      environment: env
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load({"mapping": text, "mapping_file": "m.yaml"})
    return str(caught.value).splitlines()


def test_the_good_mapping_is_good() -> None:
    assert load({"mapping": GOOD}).kinds == ["done"]


#: (line as it should be, as it is written, where the mistake is told, how)
MISTAKES = [
    ("type: service.deployed", "tipe: service.deployed", "5: mappings[0].tipe", "unknown key; did you mean 'type'?"),
    (
        "type: service.deployed",
        "type: service.deploid",
        "5: mappings[0].type",
        "'service.deploid' is no event type; did you mean 'service.deployed'?",
    ),
    (
        "environment: env",
        "enviroment: env",
        "9: mappings[0].fields.enviroment",
        "service.deployed has no such field; did you mean 'environment'?",
    ),
    (
        "environment: env",
        "sha: env",
        "7: mappings[0].fields",
        "service.deployed needs 'environment'; give it here or under `constants`",
    ),
    (
        "time: at",
        "time: at..",
        "6: mappings[0].time",
        "'at..' is no JMESPath expression: unexpected '.' at character 4",
    ),
    ("kind: event", "kind: event[", "2: kind", "'event[' is no JMESPath expression: it ends too early"),
    ("kind: event", "kind: a ~ b", "2: kind", "'a ~ b' is no JMESPath expression: unexpected '~' at character 3"),
    (
        "time: at",
        "time: to_strng(at)",
        "6: mappings[0].time",
        "'to_strng(at)' calls to_strng(), which JMESPath does not have; did you mean 'to_string'?",
    ),
    (
        "source: https://deploys.example.com",
        "source: ''",
        "1: source",
        "is empty; write its value or leave the key out",
    ),
    (
        "deployment: id",
        "deployment: [id]",
        "8: mappings[0].fields.deployment",
        "expected text, found a list; write exactly one",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "place", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_the_nearest_name(right: str, wrong: str, place: str, message: str) -> None:
    assert mistakes(GOOD.replace(right, wrong)) == [f"m.yaml:{place}: {message}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    told = mistakes(
        GOOD.replace("kind: event", "ignore: [done]").replace("time: at", "time: a b")
        + "    constants: {environment: prod, service: [a], version: 1.5}\n"
        + "    values: {repo: {a: b}, outcome: {x: y}}\n"
    )
    assert [line.split(": ")[0] for line in told] == ["m.yaml:2", "m.yaml:6", *["m.yaml:10"] * 3, *["m.yaml:11"] * 2]
    assert told[0].endswith("ignore[0]: 'done' is mapped, too; keep one of the two")
    assert told[2].endswith("constants.environment: stands under `fields`, too; keep one of the two")
    assert told[3].endswith("constants.service: service is ['a']; expected a text")
    assert told[5].endswith("values.repo: has no expression under `fields`; add one")


def test_a_meaning_must_be_one_that_the_field_can_have() -> None:
    review = GOOD.replace("service.deployed", "change.reviewed").replace("deployment: id", "repo: id")
    review = review.replace("environment: env", "change: id\n      verdict: vote")
    (told,) = mistakes(review + "    values: {verdict: {up: aproved}}\n")
    assert "values.verdict.up: verdict is 'aproved'; expected one of approved, changes_requested" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "m.yaml:1: not YAML"),
        ("a: 1\na: 2", "m.yaml:2: a: duplicate key"),
        ("a: 1\n---\nb: 2", "m.yaml: expected one YAML document, found 2"),
        ("[]", "m.yaml:1: expected a mapping, found a list"),
        ("source: x\nmappings: []", "m.yaml:2: mappings: is empty"),
    ],
)
def test_what_is_no_mapping_at_all(text: str, expected: str) -> None:
    assert mistakes(text)[0].startswith(expected)


def test_without_a_mapping_the_setting_is_named() -> None:
    delivery = Delivery(connector="mapping", id="d", kind="body", received_at=RECEIVED_AT, body=b"{}")
    with pytest.raises(ConfigError, match=r"`mapping` is empty; write the mapping there, or name `mapping_file`"):
        CONNECTOR.translate(delivery, Context(actor_key=b"key"))
    with pytest.raises(ConfigError, match=r"setting `mapping`:1: a: unknown key"):
        load({"mapping": "a: 1"})


def test_every_type_but_the_contract_can_be_mapped_to_and_is_in_the_readme() -> None:
    assert sorted([*(each.name for each in EVENT_TYPES.values())]) == sorted(
        name for name in TYPES if "leadline-contract" not in name
    )
    readme = (ROOT / "mapping" / "README.md").read_text(encoding="utf-8")
    assert [name for name in EVENT_TYPES if f"`{name}`" not in readme] == []


def test_the_sample_and_the_example_of_the_readme_can_be_used() -> None:
    sample = yaml.safe_load((ROOT / "mapping" / "sample.yaml").read_text(encoding="utf-8"))
    assert load(sample["mapping"]).kinds == ["release_finished"]
    readme = (ROOT / "mapping" / "README.md").read_text(encoding="utf-8")
    example = readme[readme.index("    source:") : readme.index("| key |")]
    assert load({"mapping": example}).rules[0].constants == {"repo": "acme/shop"}
