"""S1: words that tickets have and no StatusMap knows fail a validation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.office import Office
from tests.simulation.story import ticket_seen

_MAP = """apiVersion: leadline/v1
kind: StatusMap
metadata: {name: tracker}
spec: {tracker: tracker, map: {Done: done}, types: {Story: story}}
"""


def test_s1_unmapped_words_are_listed_counted_and_fail_the_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path, monkeypatch)
    file = tmp_path / "statuses.yaml"
    file.write_text(_MAP)
    assert office.run("contract", "validate", str(file)).exit_code == 0
    assert not (tmp_path / "leadline.db").exists()
    office.tell(
        ticket_seen("01 09:00", "GROW-1", status="done", kind="Story"),
        ticket_seen("01 09:00", "GROW-2", status="Parked", kind="Story"),
        ticket_seen("01 09:00", "GROW-3", status="Parked", kind="Spike"),
    )
    done = office.run("contract", "validate", str(file))
    assert done.exit_code == 1
    assert "status 'Parked' of 2 tickets is in no StatusMap" in done.stdout
    assert "type 'Spike' of 1 tickets is in no StatusMap" in done.stdout
    assert "1 valid objects, 0 errors, 2 findings" in done.stderr
    assert office.run("contract", "validate", "--no-database", str(file)).exit_code == 0
    file.write_text(
        _MAP.replace("Done: done", "Done: done, Parked: blocked").replace("Story: story", "Story: story, Spike: task")
    )
    assert office.run("contract", "validate", str(file)).exit_code == 0
