from pathlib import Path

import pytest
import yaml

from connectors.git.releases import DEFAULTS, MAX_TAG, Release, rules
from connectors.git.translate import DEFAULT_DECISION
from pipeline.events.errors import ConfigError

FINAL = [
    ("1.2.3", None, "1.2.3"),
    ("v0.4.6", None, "0.4.6"),
    ("3.9", None, "3.9"),
    ("0.10.0.0", None, "0.10.0.0"),
    ("2026.11.23", None, "2026.11.23"),
    ("release-1.2.3", None, "1.2.3"),
    ("tags/0.8.1", None, "0.8.1"),
    ("1.2.3+build.5", None, "1.2.3+build.5"),
    ("5.3.0.Final", None, "5.3.0.Final"),
    ("calcite-1.36.0", "calcite", "1.36.0"),
    ("calcite-1.0.0-incubating", "calcite", "1.0.0-incubating"),
    ("rel/avatica-1.10.0", "avatica", "1.10.0"),
    ("optiq-parent-0.4.12.1", "optiq-parent", "0.4.12.1"),
    ("log4j-2.17.0", "log4j", "2.17.0"),
    ("pre-commit-1.0.0", "pre-commit", "1.0.0"),
    ("@scope/pkg@1.2.3", "@scope/pkg", "1.2.3"),
    ("sdk/go/v1.2.3", "sdk/go", "1.2.3"),
    ("my-app-v2.0.0", "my-app", "2.0.0"),
]
PRERELEASES = [
    *(
        "1.2.3-rc1",
        "3.8.0-rc3",
        "1.0.0rc1",
        "1.0.0a1",
        "1.0.0b2",
        "1.0.0.dev3",
        "0.8.2-beta",
        "3.0.0-alpha",
        "2.0.0-M1",
    ),
    *("1.0-SNAPSHOT", "8.0.0-preview.1", "kafka-0.7.0-incubating-candidate-9", "0.8.2.0-cp", "0.10.2.0-KAFKA-5526"),
    *("nightly-2026.11.23", "foo-rc-1.0", "v1.23.0-rc1", "tags/0.8.0-beta1-candidate1", "1.2.3-hotfix.1"),
]
OTHERS = ["fetch", "show", "v1", "latest", "build-1234", "web-2026-11-23", "", "1.", "v", "x" * 1_000]


@pytest.mark.parametrize(("tag", "service", "version"), FINAL)
def test_final_releases_go_to_production(tag: str, service: str | None, version: str) -> None:
    assert rules({}).read(tag, "acme/shop") == Release(version, service, production=True)


@pytest.mark.parametrize("tag", PRERELEASES)
def test_candidates_do_not(tag: str) -> None:
    release = rules({}).read(tag, "acme/shop")
    assert release.prerelease
    assert not release.production


@pytest.mark.parametrize("tag", OTHERS)
def test_other_tags_are_no_releases(tag: str) -> None:
    assert rules({}).read(tag, "acme/shop") == Release()


def test_a_setting_for_one_repository_goes_first() -> None:
    settings = {"deployments": r"prod-(?P<version>\d+)", "deployments.acme/shop": r"live-(?P<version>\d+)"}
    assert rules(settings, "acme/shop").read("live-7", "acme/shop").production
    assert not rules(settings, "acme/shop").read("prod-7", "acme/shop").production
    assert rules(settings, "acme/web").read("prod-7", "acme/web").version == "7"


def test_the_service_is_a_template() -> None:
    assert rules({"service": "{name}"}).read("v1.0", "acme/shop").service == "shop"
    assert rules({"service": "{repo}:{product}"}).read("api-v1.0", "acme/shop").service == "acme/shop:api"


def test_a_rule_without_groups_takes_the_tag_as_version() -> None:
    assert rules({"deployments": "prod-.*"}).read("prod-x", "acme/shop") == Release("prod-x", None, production=True)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"deployments": "("}, "deployments"),
        ({"releases": "[z-a]"}, "releases"),
        ({"service": "{team}"}, "service"),
        ({"service": "{"}, "service"),
        ({"service": "{product.__class__.nothing}"}, "service"),
        ({"environment": " "}, "environment"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=f"connector git, setting {named}"):
        rules(settings)


@pytest.mark.parametrize("unit", ["a-", "1.", "rel/", "rc-", "a.", "1-", "v", "-", "a1-", "@a/", "rel-rc-"])
def test_default_expressions_do_not_explode(unit: str) -> None:
    """Backtracking would take longer than the universe has; a wrong answer would be found here as well."""
    assert rules({}).read((unit * MAX_TAG)[: MAX_TAG - 1] + "!", "acme/shop") == Release()


def test_sample_holds_the_defaults() -> None:
    sample = Path(__file__).parents[2] / "connectors" / "git" / "sample.yaml"
    assert yaml.safe_load(sample.read_text(encoding="utf-8")) == {"git": {**DEFAULTS, "decision": DEFAULT_DECISION}}
