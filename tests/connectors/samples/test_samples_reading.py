"""Files of samples: parts that lose nothing, hold little back, and tell the same as the whole file would."""

import csv
import gzip
import io
import json
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.samples import CONNECTOR
from connectors.samples.read import MAX_BYTES, MAX_ROWS, ReadOptions, read
from pipeline.events.coordination import OutcomeSampled
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HEADER = "metric,period,n,total\n"


def parts(path: Path, *, utc: bool = False) -> tuple[list[Delivery], list[str]]:
    refused: list[str] = []
    return list(read(path, ReadOptions(received_at=NOW, utc=utc, refused=refused.append))), refused


def events(deliveries: Iterable[Delivery], settings: dict[str, str] | None = None) -> tuple[list[Event], list[str]]:
    """The events of all deliveries, and why the others are quarantined."""
    told: list[Event] = []
    refused: list[str] = []
    for delivery in deliveries:
        try:
            told += CONNECTOR.translate(delivery, Context(actor_key=b"k", settings=settings or {})).events
        except Quarantined as error:
            refused.append(str(error))
    return told, refused


def samples(found: Iterable[Event]) -> list[OutcomeSampled]:
    return [event.data for event in found if isinstance(event.data, OutcomeSampled)]


def written(path: Path, text: str | bytes, at: datetime = NOW - timedelta(days=1)) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def days(count: int) -> list[str]:
    return [f"m,{date(2020, 1, 1) + timedelta(days=day)},{day + 1},1" for day in range(count)]


def test_a_large_file_is_split_between_rows_and_loses_none(tmp_path: Path) -> None:
    found, refused = parts(written(tmp_path / "a.csv", HEADER + "\n".join(days(1_700))))
    told, quarantined = events(found)
    assert [delivery.body.count(b"\n") - 1 for delivery in found] == [
        MAX_ROWS,
        MAX_ROWS,
        MAX_ROWS,
        1_700 - 3 * MAX_ROWS,
    ]
    assert [data.n for data in samples(told)] == list(range(1, 1_701))
    assert refused == quarantined == []


def test_parts_are_bounded_in_bytes(tmp_path: Path) -> None:
    rows = [f"{row},{'x' * 1_000}" for row in days(600)]
    found, _ = parts(written(tmp_path / "a.csv", "metric,period,n,total,note\n" + "\n".join(rows)))
    assert max(len(delivery.body) for delivery in found) <= MAX_BYTES + 100
    assert len(samples(events(found)[0])) == 600


def test_a_bad_row_is_held_back_alone_and_named_by_its_line(tmp_path: Path) -> None:
    rows = days(40)
    rows[17] = "m,2020-01-18,-3,1"
    path = written(tmp_path / "daily.csv", HEADER + "\n" + "\n".join(rows))
    found, refused = parts(path)
    told, quarantined = events(found)
    assert len(told) == 39
    assert refused == ["daily.csv, line 20: n is '-3': expected 0 or more"]
    assert quarantined == ["bad_value: daily.csv, line 20: n is '-3': expected 0 or more"]


def test_lines_are_those_of_the_file_across_blank_lines_and_quoted_breaks(tmp_path: Path) -> None:
    text = 'metric,period,n,total\r\n"a\r\nb",2020-01-01,1,1\r\n\r\nm,2020-01-01,1,1\r\nm,2020-01-02,x,1\r\n'
    _, refused = parts(written(tmp_path / "a.csv", text))
    assert refused == ["a.csv, line 6: n is 'x': expected a number such as 12 or 0.5"]


def test_an_overlap_is_seen_across_parts(tmp_path: Path) -> None:
    rows = [*days(600), "m,2020-W02,5,1", "m,2020-01-03,99,1", "m,2020-01-03,3,1"]
    found, refused = parts(written(tmp_path / "a.csv", HEADER + "\n".join(rows)))
    told, quarantined = events(found)
    assert len({event.id for event in told}) == 600
    assert [place.partition(": ")[0] for place in refused] == ["a.csv, line 602", "a.csv, line 603"]
    assert "overlaps 2020-01-06T00:00:00+00:00/2020-01-07T00:00:00+00:00 of line 7" in quarantined[0]
    assert "told otherwise in line 4" in quarantined[1]


def test_a_row_that_contradicted_counts_once_the_file_is_corrected(tmp_path: Path) -> None:
    wrong, _ = parts(written(tmp_path / "a.csv", HEADER + "m,2020-W02,5,1\nm,2020-01-07,1,1\n"))
    right, refused = parts(written(tmp_path / "a.csv", HEADER + "m,2020-01-07,1,1\n"))
    assert refused == []
    assert not {delivery.id for delivery in wrong} & {delivery.id for delivery in right}


def test_the_same_file_again_is_the_same_deliveries_wherever_and_whenever_it_is_written(tmp_path: Path) -> None:
    first, _ = parts(written(tmp_path / "a.csv", HEADER + "\n".join(days(700)), NOW - timedelta(days=2)))
    again, _ = parts(written(tmp_path / "b.csv", HEADER + "\n".join(days(700)), NOW))
    assert [delivery.id for delivery in first] == [delivery.id for delivery in again]


def test_a_file_that_grows_keeps_its_full_parts(tmp_path: Path) -> None:
    first, _ = parts(written(tmp_path / "a.csv", HEADER + "\n".join(days(600))))
    longer, _ = parts(written(tmp_path / "a.csv", HEADER + "\n".join(days(900))))
    assert first[0].id == longer[0].id
    assert first[1].id != longer[1].id


def test_a_corrected_file_restates(tmp_path: Path) -> None:
    first, _ = parts(written(tmp_path / "a.csv", HEADER + "m,2020-01-01,10,4\n", NOW - timedelta(days=2)))
    later, _ = parts(written(tmp_path / "a.csv", HEADER + "m,2020-01-01,12,5\n", NOW - timedelta(days=1)))
    told = events([*later, *first])[0]
    held = max(told, key=lambda event: (samples([event])[0].revision, event.time, event.id))
    assert samples([held])[0].n == 12
    assert [event.time for event in told] == [NOW - timedelta(days=1), NOW - timedelta(days=2)]


def test_a_file_that_claims_to_be_of_the_future_is_as_of_its_reading(tmp_path: Path) -> None:
    found, _ = parts(written(tmp_path / "a.csv", HEADER + "m,2020-01-01,10,4\n", NOW + timedelta(days=9)))
    assert [event.time for event in events(found)[0]] == [NOW]


def test_the_forms_of_a_table_tell_the_same(tmp_path: Path) -> None:
    lines = days(30)
    objects = [dict(zip(("metric", "period", "n", "total"), line.split(","), strict=True)) for line in lines]
    drop = tmp_path / "drop"
    (drop / "deep").mkdir(parents=True)
    written(drop / "a.csv", "\ufeff" + HEADER + "\n".join(lines))
    written(drop / "b.tsv", (HEADER + "\r\n".join(lines)).replace(",", "\t"))
    written(drop / "c.csv.gz", gzip.compress((HEADER + "\n".join(lines)).replace(",", ";").encode()))
    written(drop / "deep" / "d.jsonl", "\n\n".join(json.dumps(each) for each in objects))
    periods, counts = [each["period"] for each in objects], [int(each["n"]) for each in objects]
    table = pa.table({"Metric": ["m"] * 30, "period": periods, "n": counts, "total": [1.0] * 30})
    pq.write_table(table, drop / "e.parquet")
    os.utime(drop / "e.parquet", ((NOW - timedelta(days=1)).timestamp(),) * 2)
    written(drop / "notes.txt", "not for us")
    found, refused = parts(drop)
    assert refused == []
    assert len(found) == 5
    told = events(found)[0]
    assert len(told) == 150
    assert len({event.id for event in told}) == 30


def test_parquet_types(tmp_path: Path) -> None:
    start = pa.array([datetime(2026, 1, 5, 1, tzinfo=UTC)] * 3, pa.timestamp("ns", "Europe/Berlin"))
    table = {
        "metric": pa.array(["m", "m2", "m3"]).dictionary_encode(),
        "start": start,
        "end": pa.array([datetime(2026, 1, 6, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
        "n": pa.array([3, 4, 5], pa.uint32()),
        "total": pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(9, 2)),
        "squares": pa.array([None, 9.5, float("nan")]),
        "payload": pa.array([b"\x00", b"\x01", b"\x02"]),
    }
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    found, refused = parts(tmp_path / "a.parquet")
    told = samples(events(found)[0])
    assert [(data.n, data.total, data.squares) for data in told] == [(3, 1.5, None), (4, 2.25, 9.5)]
    assert told[0].start == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert refused == [
        "a.parquet, line 3: squares is 'nan': expected a finite number; leave out the row if it is not known"
    ]


def test_parquet_times_without_a_zone_are_refused_unless_they_are_utc(tmp_path: Path) -> None:
    naive = [datetime(2026, 1, 5)]  # noqa: DTZ001 - a warehouse that keeps no zones
    table = {"metric": ["m"], "start": naive, "end": [date(2026, 1, 6)], "n": [3], "total": [1]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    found, refused = parts(tmp_path / "a.parquet")
    assert "it carries no zone; write a zone, such as 2026-01-31T00:00:00Z, or set utc to true" in refused[0]
    assert events(found)[0] == []
    found, refused = parts(tmp_path / "a.parquet", utc=True)
    assert refused == []
    assert samples(events(found, {"utc": "true"})[0])[0].end == datetime(2026, 1, 6, tzinfo=UTC)


def test_a_table_without_the_columns_is_quarantined_by_what_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"metrik": ["m"], "n": [1]}), tmp_path / "a.parquet")
    written(tmp_path / "b.csv", "name,n\nm,1\n" * 5_000)
    found, refused = parts(tmp_path)
    assert len(found) == 2
    assert "the column 'metrik' is not known; did you mean 'metric'?" in refused[0]
    assert "the column 'metric' is absent" in refused[1]
    assert len(events(found)[1]) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'"' + b"x" * 200_000 + b'",2020-01-02,1,1\n', "field larger than field limit"),
        (b"m\xff,2020-01-02,1,1\n", "not UTF-8"),
        (b"x" * 2_000_000 + b"\n", "field larger than field limit"),
    ],
)
def test_bytes_that_are_no_row_hold_nothing_else_back(tmp_path: Path, line: bytes, why: str) -> None:
    rows = HEADER.encode() + b"m,2020-01-01,1,1\n" + line + b"m,2020-01-03,3,1\n"
    found, refused = parts(written(tmp_path / "a.csv", rows))
    told, quarantined = events(found)
    assert [data.n for data in samples(told)] == [1, 3]
    assert why in refused[0]
    assert len(quarantined) == len(refused)


def test_what_is_no_table_is_a_configuration_error(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", "no parquet")
    written(tmp_path / "b.csv.gz", "no gzip")
    (tmp_path / "empty").mkdir()
    for name in ("a.parquet", "b.csv.gz", "empty", "nothing.csv"):
        with pytest.raises(ConfigError, match=name):
            parts(tmp_path / name)


def test_a_pushed_table_is_recognised_by_its_type_or_its_beginning() -> None:
    assert CONNECTOR.describe({"Content-Type": "text/csv; charset=utf-8"}, b"{")[0] == "csv"
    assert CONNECTOR.describe({"Content-Type": "application/x-ndjson"}, b"metric")[0] == "ndjson"
    assert CONNECTOR.describe({}, b"\xef\xbb\xbf \n{}")[0] == "ndjson"
    assert CONNECTOR.describe({"Content-Type": "application/octet-stream"}, b"metric,n")[0] == "csv"


def test_a_setting_that_is_no_truth_value_is_refused() -> None:
    delivery = Delivery(connector="samples", id="1", kind="csv", received_at=NOW, body=HEADER.encode())
    with pytest.raises(ConfigError, match="write true or false"):
        CONNECTOR.translate(delivery, Context(actor_key=b"k", settings={"utc": "yes"}))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
rows = st.lists(st.tuples(cells, st.integers(0, 400), st.integers(-2, 50), cells), max_size=10)


@given(table=rows, delimiter=st.sampled_from(",;\t|"))
def test_every_row_of_any_table_is_told_once_or_refused_once(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, int, int, str]], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["metric", "period", "n", "total", "note"])
    for metric, day, n, note in table:
        writer.writerow([metric, date(2020, 1, 1) + timedelta(days=day), n, 1, note])
    path = written(tmp_path_factory.mktemp("drop") / "a.csv", text.getvalue())
    found, refused = parts(path)
    told, quarantined = events(found)
    expected, lost = model(table)
    assert {(data.metric, (data.start.date() - date(2020, 1, 1)).days, data.n) for data in samples(told)} == expected
    assert len(quarantined) == len(refused) == lost


def model(table: list[tuple[str, int, int, str]]) -> tuple[set[tuple[str, int, int]], int]:
    """What such a table tells, and how many of its rows cannot be used."""
    first: dict[tuple[str, int], int] = {}
    told, lost = set(), 0
    for metric, day, n, _ in table:
        name = metric.strip()
        if name and n >= 0 and first.setdefault((name, day), n) == n:
            told.add((name, day, n))
        else:
            lost += 1
    return told, lost
