"""A few events among many: in the snapshot, beyond it, and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.events.codec import encode
from pipeline.events.types import ChangeCreated, ChangeReviewed, TicketUpdated
from pipeline.log.protocol import EVENTS, Record
from pipeline.snapshots.archive import archive
from tests.simulation.story import SHOP, moment, opened, reviewed, ticket_seen, us
from tests.snapshots.desk import Desk

_TOLD = (
    opened("02 10:00", 1),
    reviewed("02 11:00", 1),
    opened("02 10:00", 2),
    ticket_seen("02 09:00", 'GROW-"1"', title=f"mentions {SHOP}#1"),
)
_LATER = (reviewed("03 11:00", 1, "p-cat"), opened("03 10:00", 3))


@pytest.mark.parametrize("snapped", [False, True])
def test_events_are_found_in_the_snapshot_and_after_it_or_without_one(tmp_path: Path, snapped: bool) -> None:
    desk = Desk(tmp_path)
    desk.tell(*_TOLD)
    if snapped:
        desk.snap()
    desk.tell(*_LATER)
    with archive(tmp_path, desk.log) as events:
        assert events.after == (len(_TOLD) if snapped else 0)
        of_change = events.find({*ChangeCreated.TYPES, *ChangeReviewed.TYPES}, [f"{SHOP}#1"])
        assert [each.id for each in of_change] == [_TOLD[0].id, _TOLD[1].id, _LATER[0].id]
        assert [each.at for each in of_change] == [us("02 10:00"), us("02 11:00"), us("03 11:00")]
        assert [each.data for each in of_change] == [_TOLD[0].data, _TOLD[1].data, _LATER[0].data]
        assert [each.id for each in events.find(ChangeReviewed.TYPES)] == [_TOLD[1].id, _LATER[0].id]
        assert [each.id for each in events.find(TicketUpdated.TYPES, ['GROW-"1"'])] == [_TOLD[3].id]
        assert events.find((), ["x"]) == events.find(ChangeCreated.TYPES, []) == []


def test_a_snapshot_of_another_log_is_not_believed(tmp_path: Path) -> None:
    desk, other = Desk(tmp_path / "here"), Desk(tmp_path / "there")
    desk.tell(*_TOLD)
    desk.snap()
    other.tell(_TOLD[0])
    with archive(tmp_path / "here", other.log) as events:
        assert events.after == 0
        assert [each.id for each in events.find(ChangeCreated.TYPES)] == [_TOLD[0].id]


def test_an_event_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    broken = encode(_TOLD[0]).replace(b'"created_at":"', b'"created_at":"?')
    desk.log.append(
        EVENTS, [Record(source="s", id="1", key="k", time=moment("02 10:00"), value=broken)], moment("02 10:00")
    )
    with archive(tmp_path, desk.log) as events:
        assert events.find(ChangeCreated.TYPES, [f"{SHOP}#1"]) == []
