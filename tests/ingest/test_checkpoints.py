"""Checkpoints over the log: durable, of one query each, and quiet when there is nothing new."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from pipeline.events.errors import Corrupt
from pipeline.events.polling import Checkpoint
from pipeline.ingest.checkpoints import POLLS, Checkpoints, Run
from pipeline.log.protocol import EventLog, Record
from tests.ingest.sources import NOW

RUN = Run(begun=NOW, since=NOW - timedelta(days=1))
WHOLE = Run(begun=NOW)


def test_a_cursor_belongs_to_its_query_and_memory_to_the_scope(log: EventLog) -> None:
    Checkpoints(log).note("jira", "a", RUN, "page-2", {"etag": "1"}, NOW)
    again = Checkpoints(log)
    assert again.under_way("jira", "a") == RUN
    assert again.checkpoint("jira", "a", RUN) == Checkpoint(cursor="page-2", memory={"etag": "1"})
    assert again.checkpoint("jira", "a", WHOLE) == Checkpoint(memory={"etag": "1"})
    assert again.checkpoint("jira", "b", RUN) == again.checkpoint("github", "a", RUN) == Checkpoint()


def test_a_run_that_ended_leaves_its_memory_only(log: EventLog) -> None:
    noted = Checkpoints(log)
    noted.note("jira", "a", RUN, "page-2", {"etag": "1"}, NOW)
    noted.note("jira", "a", RUN, "page-3", {"etag": "2", "item": "x"}, NOW)
    noted.note("jira", "a", RUN, "", {}, NOW)
    assert Checkpoints(log).under_way("jira", "a") is None
    assert Checkpoints(log).checkpoint("jira", "a", RUN) == Checkpoint(memory={"etag": "2", "item": "x"})


def test_what_is_known_is_not_written_again(log: EventLog) -> None:
    noted = Checkpoints(log)
    noted.note("github", "a", RUN, "", {"etag": "1"}, NOW)
    noted.note("github", "a", RUN, "", {"etag": "1"}, NOW)
    noted.note("github", "a", RUN, "", {}, NOW)
    assert log.stat(POLLS).records == 1
    noted.note("github", "a", RUN, "", {"etag": "2"}, NOW)
    noted.note("github", "a", RUN, "", {"etag": "1"}, NOW)
    assert Checkpoints(log).checkpoint("github", "a", RUN).memory == {"etag": "1"}, "a value may come back"


def test_what_another_process_notes_is_seen(log: EventLog) -> None:
    mine, theirs = Checkpoints(log), Checkpoints(log)
    mine.note("jira", "a", RUN, "page-2", {}, NOW)
    assert theirs.under_way("jira", "a") == RUN
    theirs.note("jira", "a", RUN, "page-3", {}, NOW)
    assert mine.checkpoint("jira", "a", RUN).cursor == "page-3"


def test_a_mark_is_kept_to_the_microsecond(log: EventLog) -> None:
    moment = NOW + timedelta(microseconds=1)
    assert Checkpoints(log).mark("jira", "a") is None
    Checkpoints(log).set_mark("jira", "a", moment)
    assert (Checkpoints(log).mark("jira", "a"), Checkpoints(log).mark("jira", "b")) == (moment, None)


def test_bytes_that_are_no_checkpoint_are_named(log: EventLog) -> None:
    value = msgspec.json.encode({"run": 7})
    log.append(POLLS, [Record(source="poll:jira", id="x", key="a", time=NOW, value=value)], NOW)
    with pytest.raises(Corrupt, match="polls is no checkpoint"):
        Checkpoints(log).under_way("jira", "a")
