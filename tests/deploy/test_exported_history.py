"""What `leadline export openmetrics` writes becomes blocks of a real Prometheus, with the values that were written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families

from tests.api.running import HISTORY
from tests.cli.office import Office
from tests.deploy.binaries import Program
from tests.simulation.story import deployed, service

_LINE = re.compile(r'^\{__name__="(\w+)", (.*)\} (\S+) (\d+)$')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Sample = tuple[str, tuple[tuple[str, str], ...], int]


def dumped(text: str) -> dict[Sample, float]:
    """Read what `promtool tsdb dump` prints."""
    found: dict[Sample, float] = {}
    for name, labels, value, at in (line.groups() for line in map(_LINE.match, text.splitlines()) if line):
        plain = sorted((label, _plain(quoted)) for label, quoted in _LABEL.findall(labels))
        found[name, tuple(plain), int(at)] = float(value)
    return found


def _plain(value: str) -> str:
    """Undo the quoting of Go."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)


def exported(text: str) -> dict[Sample, float]:
    families = open_families(text)  # type: ignore[no-untyped-call]
    return {
        (sample.name, tuple(sorted(sample.labels.items())), int(float(sample.timestamp) * 1000)): sample.value
        for family in families
        for sample in family.samples
    }


def test_blocks_hold_what_was_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Program) -> None:
    office = Office(tmp_path, monkeypatch)
    quoted = 'the "old" shop\\\nof 1999'
    office.tell(
        *HISTORY, service(quoted, repos=["acme/old"]), deployed("02 10:00", "x0", repo="acme/old", service=quoted)
    )
    assert office.run("export", "openmetrics", "--out", "history.om").exit_code == 0
    written = exported((tmp_path / "history.om").read_text())
    made = promtool("tsdb", "create-blocks-from", "openmetrics", tmp_path / "history.om", tmp_path / "data")
    assert made.returncode == 0, made.stderr
    blocks = [path for path in (tmp_path / "data").iterdir() if (path / "meta.json").is_file()]
    # promtool opens a database only where there is a log as well, be it an empty one
    (tmp_path / "data" / "wal").mkdir()
    told = promtool("tsdb", "dump", tmp_path / "data")
    assert told.returncode == 0, told.stderr
    assert dumped(told.stdout) == written
    assert len(blocks) == 3
    assert quoted in {dict(labels)["scope"] for _, labels, _ in written}
