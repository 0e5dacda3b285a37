"""What the cases do not show: kinds, identity, values of every sort, and expressions over odd bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.mapping import CONNECTOR
from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.types import PipelineRun, TicketUpdated
from tests.connectors.casebook import RECEIVED_AT

TICKET = """\
source: https://desk.example.com
mappings:
  - kind: ticket
    type: ticket.updated
    time: at
    id: [serial]
    fields: {ticket: key, title: title, labels: tags, flagged: stuck, closed: done, assignee: who}
    constants: {tracker: desk, project: DESK}
"""
RUN = """\
source: https://ci.example.com
kind: what
ignore: [ping]
mappings:
  - kind: run
    type: pipelinerun.finished
    when: over
    time: at
    fields: {run: id, pipeline: name, attempt: try, outcome: result}
    values: {outcome: {"true": success, "0": failure}}
"""
BODY = {"key": "DESK-1", "at": "2026-11-20T10:00:00Z"}


def translated(mapping: str, body: Any, kind: str = "body") -> Translation:
    raw = json.dumps(body).encode()
    delivery = Delivery(connector="mapping", id="d", kind=kind, received_at=RECEIVED_AT, body=raw)
    return CONNECTOR.translate(delivery, Context(actor_key=b"key", settings={"mapping": mapping}))


def ticket(**fields: Any) -> TicketUpdated:
    (event,) = translated(TICKET, {**BODY, **fields}).events
    assert decode(encode(event)) == event
    assert isinstance(event.data, TicketUpdated)
    return event.data


def refused(mapping: str, body: Any, kind: str = "body") -> str:
    with pytest.raises(Quarantined) as caught:
        translated(mapping, body, kind)
    return str(caught.value)


def test_the_kind_is_the_header_else_the_body_else_the_only_one() -> None:
    run = {"what": "run", "over": True, "at": 1_763_000_000, "id": 1, "name": "build"}
    assert len(translated(RUN, run).events) == 1
    assert len(translated(RUN, {**run, "what": "ping"}, "run").events) == 1
    assert translated(RUN, {**run, "what": "ping"}).ignored == "ping"
    assert len(translated(TICKET, BODY, "ticket").events) == 1
    assert "unknown_kind: 'nap' has no mapping in setting `mapping`; mapped are run" in refused(
        RUN, {**run, "what": "nap"}
    )
    assert refused(RUN, {**run, "what": ""}) == "missing_field: kind: 'what' finds nothing in the body"
    assert "unknown_kind: 'other'" in refused(TICKET, BODY, "other")


def test_a_body_for_which_no_mapping_holds_is_left_out_under_its_kind() -> None:
    empty: tuple[object, ...] = (False, None, "", [], {})
    for over in empty:
        assert translated(RUN, {"what": "run", "over": over}).ignored == "run"


@pytest.mark.parametrize(("result", "outcome"), [(True, "success"), (0, "failure"), ("error", "error"), (None, None)])
def test_values_mean_what_the_mapping_says(result: Any, outcome: str | None) -> None:
    run = {"what": "run", "over": 0, "at": "2026-11-20T10:00:00Z", "id": 1, "name": "build", "try": 2, "result": result}
    (event,) = translated(RUN, run).events
    assert event.data == PipelineRun(run="1", pipeline="build", attempt=2, outcome=outcome)  # type: ignore[arg-type]


def test_fields_are_read_as_what_they_hold() -> None:
    assert ticket().labels == []
    assert ticket(tags="one").labels == ["one"]
    assert ticket(tags=["a", 2, None, ""]).labels == ["a", "2"]
    assert (ticket(stuck=True).flagged, ticket(done=False).closed, ticket().closed) == (True, False, None)
    assert ticket(title="a\x00b").title == "ab"
    assert ticket(who="Ada").assignee == ticket(who=" ada ").assignee not in {None, "Ada"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"key": ""}, "missing_field: ticket: 'key' finds nothing"),
        ({"key": {"id": 1}}, "bad_type: ticket is {'id': 1}; expected a text"),
        ({"key": True}, "bad_type: ticket is True; expected a text"),
        ({"at": None}, "missing_field: mappings[0].time: 'at' finds no time"),
        ({"at": "2026-11-20T10:00:00"}, "bad_time: mappings[0].time is '2026-11-20T10:00:00': it carries no zone"),
        ({"tags": [{}]}, "bad_type: labels is {}; expected a text"),
        ({"stuck": "yes"}, "bad_type: flagged is 'yes'; expected true or false"),
        ({"who": ["Ada"]}, "bad_type: assignee is ['Ada']; expected a text"),
    ],
)
def test_what_does_not_fit_names_the_field_and_the_value(fields: dict[str, Any], expected: str) -> None:
    assert refused(TICKET, {**BODY, **fields}) == expected


def test_numbers_and_choices_are_bounded() -> None:
    run = {"what": "run", "over": 1, "at": 1_763_000_000, "id": 1, "name": "build"}
    assert "bad_value: attempt is -1; expected 0 to 2147483647" in refused(RUN, {**run, "try": -1})
    assert "bad_type: attempt is '2'; expected an integer" in refused(RUN, {**run, "try": "2"})
    assert "bad_value: outcome is 'odd'; expected one of cancel, error, failure, success" in refused(
        RUN, {**run, "result": "odd"}
    )


def test_an_expression_that_does_not_apply_is_a_quarantine() -> None:
    mapping = TICKET.replace("ticket: key", "ticket: \"join('-', key)\"")
    assert ticket().ticket == "DESK-1"
    told = refused(mapping, BODY)
    assert told.startswith(
        "bad_type: mappings[0].fields.ticket: \"join('-', key)\" cannot be applied: In function join()"
    )


def test_an_id_covers_what_the_event_says_and_what_the_mapping_adds() -> None:
    def identity(**fields: Any) -> str:
        return translated(TICKET, {**BODY, **fields}).events[0].id

    assert identity() == identity(unread="x")
    assert len({identity(), identity(title="t"), identity(serial=1), identity(serial="2"), identity(serial=[1])}) == 5
    assert identity(serial=1) == identity(serial="1")


def test_a_list_of_events_tells_each_once() -> None:
    mapping = TICKET.replace("    time: at", "    each: items\n    time: at")
    assert len(translated(mapping, {"items": [BODY, BODY, {**BODY, "key": "DESK-2"}]}).events) == 2
    assert translated(mapping, {"items": []}).ignored == "ticket"
    assert translated(mapping, []).ignored == "ticket"
    assert refused(mapping, {"items": "no"}) == "bad_type: mappings[0].each: 'items' finds no list"


def test_the_door_takes_a_token_and_the_kind() -> None:
    CONNECTOR.verify({"X-Leadline-Token": "t"}, b"", [b"s", b"t"])
    CONNECTOR.verify({"Authorization": "Bearer t"}, b"", [b"t"])
    for headers in ({}, {"X-Leadline-Token": "x"}, {"Authorization": "Bearer "}):
        with pytest.raises(Rejected):
            CONNECTOR.verify(headers, b"", [b"t"])
    kind, identity = CONNECTOR.describe({"X-Leadline-Kind": "run"}, b"{}")
    assert (kind, len(identity)) == ("run", 32)
    assert CONNECTOR.describe({}, b"oops")[0] == "body"
