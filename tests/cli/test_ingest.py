import gzip
import itertools
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.ingest import app
from pipeline.events.errors import ConfigError
from pipeline.ingest.deliveries import from_stored
from pipeline.log.protocol import DELIVERIES
from pipeline.wiring import open_log

LINE = '{"sha": "%s", "parents": [], "author_date": "2026-01-01T00:00:00Z", "commit_date": "2026-01-01T00:00:00Z"}\n'


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_DATABASE", str(tmp_path / "leadline.db"))


def ingest(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def said(result: Result) -> str:
    """What was said, without the line breaks of a narrow terminal."""
    return " ".join(result.stderr.split())


def stored() -> list[tuple[str, str, str, bytes]]:
    log = open_log()
    found = [from_stored(record) for batch in log.iterate(DELIVERIES) for record in batch]
    log.close()
    return [(delivery.connector, delivery.kind, delivery.headers.get("repo", ""), delivery.body) for delivery in found]


def test_a_repository_is_read_and_reading_again_adds_nothing() -> None:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", "init", "--quiet", "shop"], check=True)
    subprocess.run(["git", "-C", "shop", *identity, "commit", "--quiet", "--allow-empty", "-m", "One"], check=True)
    subprocess.run(["git", "-C", "shop", "tag", "v1.0.0"], check=True)

    first, again = ingest("git", "shop", "--repo", "acme/shop"), ingest("git", "shop", "--repo", "acme/shop")

    assert "shop: read 1 commit, 1 tag; 2 new" in said(first)
    assert "shop: read 1 commit, 1 tag; 0 new" in said(again)
    assert [(kind, repo) for _, kind, repo, _ in stored()] == [("commit", "acme/shop"), ("tag", "acme/shop")]


def test_a_history_is_read_in_full_with_its_bad_line(tmp_path: Path) -> None:
    lines = [LINE % f"{number:040x}" for number in range(2_500)]
    (tmp_path / "acme__shop.commits.jsonl.gz").write_bytes(gzip.compress("".join([*lines, "{bad\n"]).encode()))
    assert "read 2,501 commit; 2,501 new" in said(ingest("git", tmp_path))
    assert len(stored()) == 2_501


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "acme__shop.commits.jsonl").write_text(LINE % ("a" * 40))
    assert "read 1 commit; nothing stored (dry run)" in said(ingest("git", tmp_path, "--dry-run"))
    assert stored() == []


def test_what_cannot_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    for arguments in (["git", tmp_path / "nothing"], ["git", tmp_path, "--deployments", "("], ["git", tmp_path]):
        assert isinstance(ingest(*arguments).exception, ConfigError)
    assert isinstance(ingest("file", "--connector", "cdevents", tmp_path / "nothing.json").exception, ConfigError)


def test_recorded_bodies_one_a_file_and_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"a": 1}, indent=2))
    (tmp_path / "many.ndjson").write_text('{"b": 1}\n\n{"b": 2}\n{"b": 2}\n')
    found = ingest("file", "--connector", "cdevents", tmp_path / "one.json", tmp_path / "many.ndjson")
    assert "one.json: read 1 event; 1 new" in said(found)
    assert [body for *_, body in stored()] == [b'{\n  "a": 1\n}', b'{"b": 1}', b'{"b": 2}']


def test_recorded_bodies_from_stdin_with_kind_and_headers() -> None:
    body = LINE % ("a" * 40)
    ingest("file", "--connector", "git", "--kind", "commit", "--header", "Repo=acme/shop", "-", stdin=body.encode())
    assert stored() == [("git", "commit", "acme/shop", body.encode())]


def test_samples_of_a_folder_are_read_in_parts_and_bad_rows_apart(tmp_path: Path) -> None:
    rows = [f"activation,2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(1_201)]
    table = [f"{start},{end.partition(',')[2]},3,1" for start, end in itertools.pairwise(rows)]
    table[700] = "activation,2026-01-01T00:00:00,2026-01-01T00:00:01,-3,1"
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "seconds.csv").write_text("\n".join(["metric,start,end,n,total", *table]))
    (tmp_path / "drop" / "days.ndjson").write_text('{"metric": "m", "period": "2026-01-05", "n": 1, "total": 1}\n')
    (tmp_path / "drop" / "notes.txt").write_text("not for us")

    first, again = ingest("samples", tmp_path / "drop"), ingest("samples", tmp_path / "drop")

    assert "drop: read 4 csv, 1 ndjson; 5 new" in said(first)
    assert "seconds.csv, line 702: start is '2026-01-01T00:00:00': it carries no zone" in said(first)
    assert "rows that cannot be used: 1;" in said(first)
    assert "; 0 new" in said(again)
    assert sum(body.count(b"activation") for *_, body in stored()) == 1_200


def test_samples_that_are_none_are_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not for us")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    for path in (tmp_path / "nothing.csv", tmp_path / "notes.txt", tmp_path / "broken.parquet"):
        assert isinstance(ingest("samples", path).exception, ConfigError)


@pytest.mark.parametrize(
    "arguments",
    [
        ["samples"],
        ["file", "--connector", "nobody", "x.json"],
        ["file", "--connector", "git", "--header", "nothing", "x.json"],
        ["file", "--connector", "git", "--header", "Authorization=Bearer x", "x.json"],
        ["file", "x.json"],
        ["git"],
    ],
)
def test_usage_errors_exit_with_2(arguments: list[str]) -> None:
    assert ingest(*arguments).exit_code == 2
