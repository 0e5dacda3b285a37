"""The CloudEvents SDK reads what Leadline writes, and Leadline reads what the SDK writes."""

import json
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from pipeline.events.codec import decode, encode
from pipeline.events.vocabulary import TYPES
from tests.events.samples import sample

STRUCTURED = {"content-type": "application/cloudevents+json"}


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_the_sdk_reads_our_bytes(event_type: str) -> None:
    event = sample(event_type)
    read = from_structured(HTTPMessage(STRUCTURED, encode(event)), JSONFormat())
    assert isinstance(read, CloudEvent)
    assert (read.get_specversion(), read.get_datacontenttype()) == ("1.0", "application/json")
    assert (read.get_id(), read.get_source(), read.get_type()) == (event.id, event.source, event.type)
    assert (read.get_time(), read.get_subject()) == (event.time, event.subject)
    assert read.get_extension("partitionkey") == event.partitionkey
    data = read.get_data()
    assert isinstance(data, dict)
    assert data["context"]["id"] == event.id


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_we_read_the_bytes_of_the_sdk(event_type: str) -> None:
    event = sample(event_type)
    document: dict[str, Any] = json.loads(encode(event))["data"]
    attributes = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "partitionkey": event.partitionkey,
        "recordedtime": "2026-03-02T12:00:01Z",
    }
    message = to_structured(CloudEvent(attributes, document), JSONFormat())
    assert message.headers == STRUCTURED
    assert decode(message.body) == event


def test_an_event_passes_through_the_sdk_unchanged() -> None:
    event = sample("dev.cdevents.service.deployed.0.3.0")
    read = from_structured(HTTPMessage(STRUCTURED, encode(event)), JSONFormat())
    assert decode(to_structured(read, JSONFormat()).body) == event
