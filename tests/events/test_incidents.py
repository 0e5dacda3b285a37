from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.events.alerts import fingerprint_of
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import (
    DETECTED,
    LABEL_SETTINGS,
    MAX_TEXT,
    REPORTED,
    RESOLVED,
    Place,
    clean,
    labels_of,
    place,
    site_of,
    tags_of,
    tell,
)
from pipeline.events.reading import Node
from pipeline.events.types import IncidentEvent

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
NOWHERE = Place(service=None, environment=None, deployment=None, severity=None)


def test_labels_are_found_whatever_their_case_and_punctuation() -> None:
    labels = {"App.kubernetes.io/Name": "checkout", "ENV": "prod", "deployment-id": "42", "Priority": "P1"}
    assert place(labels, {}) == Place(service="checkout", environment="prod", deployment="42", severity="P1")


def test_the_first_listed_label_counts_and_an_empty_one_does_not() -> None:
    assert place({"app": "b", "service": "a"}, {}).service == "a"
    assert place({"app": "b", "service": ""}, {}).service == "b"


def test_settings_replace_the_defaults_and_blank_ones_do_not() -> None:
    assert place({"team": "x", "service": "a"}, {"service_labels": "team"}).service == "x"
    assert place({"service": "a"}, {"service_labels": " "}).service == "a"
    assert place({}, {"default_environment": "production"}).environment == "production"
    assert place({}, {}) == NOWHERE


def test_only_plain_members_are_labels() -> None:
    node = Node({"a": "x", "b": 3, "c": True, "d": None, "e": {"f": 1}, "g": ["h"], "i": 0.5})
    assert labels_of(node) == {"a": "x", "b": "3", "i": "0.5"}
    assert labels_of(None) == labels_of(Node(["a"])) == {}


def test_tags_are_split_at_the_first_separator() -> None:
    tags = ["env:prod", "service=web", "url:http://x", "bare", "env:staging", "empty:", " spaced : out "]
    assert tags_of(tags) == {"env": "prod", "service": "web", "url": "http://x", "spaced": "out"}


@pytest.mark.parametrize(("text", "expected"), [(None, None), ("", None), (" \x00 ", None), ("a\x00b", "ab")])
def test_texts_are_cleaned(text: str | None, expected: str | None) -> None:
    assert clean(text) == expected


def test_long_texts_are_cut() -> None:
    assert clean("x" * (MAX_TEXT + 1)) == "x" * MAX_TEXT


@pytest.mark.parametrize(
    ("link", "site"),
    [
        ("https://acme.pagerduty.com/incidents/1", "https://acme.pagerduty.com"),
        ("https://user:secret@Host:8443/x", "https://host:8443"),
        ("ftp://host/x", None),
        ("http://[::1", None),
        ("text", None),
        (None, None),
    ],
)
def test_the_site_of_a_link(link: str | None, site: str | None) -> None:
    assert site_of(link) == site


def test_each_known_time_is_told_once() -> None:
    data = IncidentEvent(incident="7", title="Slow")
    events = tell("https://x", data, (DETECTED, NOON), (DETECTED, NOON), (REPORTED, NOON), (RESOLVED, None))
    assert [(event.type, event.time) for event in events] == [(DETECTED, NOON)]
    assert (events[0].subject, events[0].partitionkey, events[0].source) == ("7", "7", "https://x")


def test_the_id_covers_time_and_content() -> None:
    first = tell("https://x", IncidentEvent(incident="7", title="Slow"), (DETECTED, NOON))
    again = tell("https://x", IncidentEvent(incident="7", title=" Slow "), (DETECTED, NOON))
    renamed = tell("https://x", IncidentEvent(incident="7", title="Slower"), (DETECTED, NOON))
    later = tell("https://x", IncidentEvent(incident="7", title="Slow"), (DETECTED, LATER))
    assert first == again
    assert len({first[0].id, renamed[0].id, later[0].id}) == 3


@pytest.mark.parametrize("key", ["", "\x00", "x" * (MAX_TEXT + 1)])
def test_an_unusable_id_is_quarantined(key: str) -> None:
    with pytest.raises(Quarantined, match="bad_value"):
        tell("https://x", IncidentEvent(incident=key), (DETECTED, NOON))


def test_an_incident_without_a_time_is_quarantined() -> None:
    with pytest.raises(Quarantined, match="missing_field"):
        tell("https://x", IncidentEvent(incident="7"), (DETECTED, None))


def test_fingerprints_are_those_of_prometheus() -> None:
    """The vectors of the signature tests of github.com/prometheus/common/model."""
    assert int(fingerprint_of({}), 16) == 14695981039346656037
    assert int(fingerprint_of({"name": "garland, briggs", "fear": "love is not enough"}), 16) == 5799056148416392346


def test_every_setting_has_a_default() -> None:
    assert set(LABEL_SETTINGS) == {
        "service_labels",
        "environment_labels",
        "deployment_labels",
        "severity_labels",
        "default_environment",
    }
