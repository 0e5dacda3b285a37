import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.cdevents import CONNECTOR
from connectors.cdevents.foreign import IGNORED, MAPPED
from connectors.cdevents.purl import Artifact, read_purl
from pipeline.events.codec import encode
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined, Rejected
from pipeline.events.types import ArtifactPublished, ChangeMerged, CommitRecorded, TicketUpdated
from pipeline.events.vocabulary import TYPES

CONTEXT = Context(actor_key=b"key")
SHA = "1eb7644349cb07139d6a3c1ad1986979647cac99"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def cdevent(event_type: str, **changes: Any) -> dict[str, Any]:
    told = {"id": "e-1", "source": "/ci", "timestamp": "2026-11-23T12:00:00Z"} | changes
    subject = {"id": told.pop("subject", "s-1"), "content": told.pop("content", {})}
    return {"context": {"specversion": "0.5.1", "type": event_type, **told}, "subject": subject}


def translate(body: object, context: Context = CONTEXT, kind: str = "event") -> Translation:
    delivery = Delivery(connector="cdevents", id="d", kind=kind, received_at=NOON, body=json.dumps(body).encode())
    return CONNECTOR.translate(delivery, context)


@pytest.mark.parametrize("name", sorted(IGNORED))
@pytest.mark.parametrize("version", ["0.1.0", "0.3.0-draft"])
def test_what_is_left_out_is_named(name: str, version: str) -> None:
    assert translate(cdevent(f"dev.cdevents.{name}.{version}")).ignored == name


def test_mapped_and_ignored_types_do_not_overlap() -> None:
    assert not IGNORED & MAPPED.keys()


CONTENT = {"environment": {"id": "production"}, "repository": {"id": "acme/shop"}, "uri": "x", "description": "d"}


@pytest.mark.parametrize("name", sorted(MAPPED))
def test_every_mapped_type_yields_known_events(name: str) -> None:
    subject = "pkg:github/acme/shop@1.2.3"
    found = translate(cdevent(f"dev.cdevents.{name}.0.3.0", subject=subject, content=CONTENT)).events
    assert found
    for event in found:
        assert isinstance(event.data, TYPES[event.type])
        assert (event.source, event.time, event.subject) == ("/ci", NOON, subject)


@pytest.mark.parametrize(
    "change", [{"id": "e-2"}, {"source": "/other"}, {"timestamp": "2026-11-23T12:00:01Z"}, {"subject": "s-2"}]
)
def test_one_id_is_not_identity_alone(change: dict[str, str]) -> None:
    (first,) = translate(cdevent("dev.cdevents.change.merged.0.3.0")).events
    (second,) = translate(cdevent("dev.cdevents.change.merged.0.3.0", **change)).events
    (of_another_type,) = translate(cdevent("dev.cdevents.change.abandoned.0.3.0")).events
    assert len({first.id, second.id, of_another_type.id}) == 3


def test_what_an_update_does_not_tell_is_not_erased() -> None:
    assert translate(cdevent("dev.cdevents.change.updated.0.3.0")).events == []
    closed = translate(cdevent("dev.cdevents.ticket.closed.0.2.0", content={"uri": "x", "resolution": "done"})).events
    assert [event.type for event in closed] == ["dev.cdevents.ticket.closed.0.2.0"]


def test_people_are_pseudonymised() -> None:
    content = {"uri": "x", "creator": "Ann Doe", "assignees": ["Bob Roe"], "summary": "s"}
    for event in translate(cdevent("dev.cdevents.ticket.created.0.2.0", content=content)).events:
        assert b"Ann" not in encode(event)
        assert b"Bob" not in encode(event)
        if isinstance(event.data, TicketUpdated):
            assert event.data.assignee == CONTEXT.actor("Bob Roe")


def own() -> Event:
    return Event(
        id="own-1",
        source="urn:acme",
        type="dev.cdeventsx.leadline-commit.recorded.1.0.0",
        time=NOON,
        subject="s",
        partitionkey="acme/shop",
        data=CommitRecorded(repo="acme/shop", sha=SHA, authored_at=NOON, committed_at=NOON, author="00112233445566aa"),
    )


def test_our_own_event_stays_as_it_was() -> None:
    assert translate(json.loads(encode(own()))).events == [own()]


def test_our_own_standard_event_stays_as_it_was() -> None:
    merged = Event(
        id="own-2",
        source="urn:acme",
        type="dev.cdevents.change.merged.0.3.0",
        time=NOON,
        subject="acme/shop#7",
        partitionkey="acme/shop",
        data=ChangeMerged(repo="acme/shop", change="7", merge_sha=SHA),
    )
    assert translate(json.loads(encode(merged))).events == [merged]


def test_our_own_event_with_a_name_in_clear_is_pseudonymised() -> None:
    document = json.loads(encode(own()))
    document["data"]["subject"]["content"]["author"] = "Ann Doe"
    (event,) = translate(document).events
    assert isinstance(event.data, CommitRecorded)
    assert event.data.author == CONTEXT.actor("Ann Doe")


def test_binary_mode_reads_percent_encoded_headers() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/c%20i",
        "ce-type": "dev.cdevents.change.merged.0.3.0",
    }
    document = cdevent("dev.cdevents.change.merged.0.3.0")
    body = json.dumps(document).encode()
    kind, _ = CONNECTOR.describe(headers, body)
    delivery = Delivery(connector="cdevents", id="d", kind=kind, received_at=NOON, body=body, headers=headers)
    assert CONNECTOR.translate(delivery, CONTEXT).events == translate(document).events


def test_deliveries_that_differ_in_headers_alone_are_two() -> None:
    first, second = ({"CE-Type": "t", "Ce-Id": number} for number in ("1", "2"))
    assert CONNECTOR.describe(first, b"{}") == CONNECTOR.describe(dict(reversed(first.items())), b"{}")
    assert CONNECTOR.describe(first, b"{}") != CONNECTOR.describe(second, b"{}")
    assert CONNECTOR.describe({"x-request-id": "1"}, b"{}") == CONNECTOR.describe({"x-request-id": "2"}, b"{}")


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer s3cret"}, {"authorization": "bearer  s3cret "}, {"X-Leadline-Token": "s3cret"}],
)
def test_a_known_token_is_accepted(headers: dict[str, str]) -> None:
    CONNECTOR.verify(headers, b"{}", [b"older", b"s3cret"])


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, [b"s3cret"]),
        ({"authorization": "Bearer"}, [b""]),
        ({"authorization": "Bearer other"}, [b"s3cret"]),
        ({"authorization": "Basic s3cret"}, [b"s3cret"]),
        ({"authorization": "Bearer s3cret"}, []),
        ({"x-leadline-token": ""}, [b""]),
        ({"x-leadline-token": "é\udc80"}, [b"s3cret"]),
    ],
)
def test_any_other_token_is_rejected(headers: dict[str, str], secrets: list[bytes]) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, b"{}", secrets)
    assert caught.value.status == 401
    assert "s3cret" not in str(caught.value)


def test_types_are_left_out_by_setting() -> None:
    context = Context(actor_key=b"key", settings={"ignore": r"com\.example\..*"})
    message = {"specversion": "1.0", "id": "1", "source": "/x", "type": "com.example.ping", "data": None}
    assert translate(message, context).ignored == "setting"
    with pytest.raises(Quarantined, match="unknown_type"):
        translate(message)
    with pytest.raises(ConfigError, match="setting ignore"):
        translate(message, Context(actor_key=b"key", settings={"ignore": "("}))


def test_our_own_event_with_a_field_of_another_type_is_quarantined() -> None:
    document = json.loads(encode(own()))
    document["data"]["subject"]["content"]["title"] = 10**25
    with pytest.raises(Quarantined, match=r"bad_event: .*title"):
        translate(document)


@pytest.mark.parametrize(
    ("purl", "artifact"),
    [
        (None, Artifact()),
        ("shop", Artifact()),
        ("pkg:oci/shop@sha256%3Aabc", Artifact("shop", "sha256:abc")),
        (f"pkg:github/acme/shop@{SHA}", Artifact("acme/shop", None, "acme/shop", SHA)),
        ("pkg:github/acme/shop@v1.2", Artifact("acme/shop", "v1.2", "acme/shop")),
        ("pkg:generic/shop@not-told", Artifact("shop", None, "shop")),
        ("pkg:npm/%40acme/shop@1.0#lib", Artifact("@acme/shop", "1.0")),
        ("pkg:npm/@acme/shop@1.0", Artifact("@acme/shop", "1.0")),
        (
            f"pkg:oci/shop@1?arch=x&vcs_url=git%2Bhttps%3A%2F%2Fgithub.com%2Facme%2Fshop.git%40{SHA}",
            Artifact("shop", "1", "acme/shop", SHA),
        ),
        ("pkg:oci/shop@1?vcs_url=https://example.com/acme/shop", Artifact("shop", "1", "acme/shop")),
        ("pkg:oci/shop@1?vcs_url=nonsense", Artifact("shop", "1")),
    ],
)
def test_package_urls(purl: str | None, artifact: Artifact) -> None:
    assert read_purl(purl) == artifact


def test_a_published_artifact_names_its_repository() -> None:
    (event,) = translate(cdevent("dev.cdevents.artifact.published.0.3.0", subject=f"pkg:github/acme/shop@{SHA}")).events
    assert event.data == ArtifactPublished(repo="acme/shop", tag=SHA, sha=SHA)
