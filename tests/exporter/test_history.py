"""History for Prometheus: every day's end, series by series, and the verb that writes it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families

from pipeline.events.times import day_of, to_us
from pipeline.exporter.history import DAY, LEFT_OUT, Days, write_history
from pipeline.metrics.catalogue import BY_NAME, MetricPoint
from pipeline.settings import load_settings
from pipeline.wiring import Wiring
from tests.api.running import HISTORY
from tests.cli.office import Office
from tests.exporter.figures import everything, point

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)
LATEST = datetime(2026, 3, 4, 6, tzinfo=UTC)
MIDNIGHT = 1_772_409_600  # after FIRST


def samples(text: str) -> list[Any]:
    families = open_families(text)  # type: ignore[no-untyped-call]
    return [sample for family in families for sample in family.samples]


def written(read: Any, **changes: Any) -> tuple[list[Any], Any]:
    out = io.StringIO()
    days = Days(**{"since": FIRST, "until": LAST, **{k: changes.pop(k) for k in ("step",) if k in changes}})
    found = write_history(out, read, days, LATEST, **changes)
    return samples(out.getvalue()), found


def rising(as_of: datetime) -> list[MetricPoint]:
    """The day of the month as the value of everything."""
    return [msgspec.structs.replace(each, value=float(as_of.day), n=as_of.day) for each in everything()]


def test_each_day_has_its_end_at_the_midnight_after_it() -> None:
    found, told = written(rising)
    days = [(each.value, float(each.timestamp)) for each in found if each.name == "leadline_change_fail_rate_ratio"]
    assert days == [(1.0, MIDNIGHT), (2.0, MIDNIGHT + 86_400), (3.0, MIDNIGHT + 2 * 86_400)]
    assert (told.days, told.samples, told.dropped) == (3, len(found), 0)
    assert told.series == len({(each.name, tuple(each.labels.items())) for each in found}) == told.samples / 3


def test_days_are_asked_for_as_they_were_to_their_end() -> None:
    asked: list[datetime] = []

    def read(as_of: datetime) -> list[MetricPoint]:
        asked.append(as_of)
        return []

    written(read)
    assert [day_of(to_us(each)) - day_of(to_us(each + timedelta(microseconds=1))) for each in asked] == [-1] * 3
    assert [each.date() for each in asked] == [FIRST, date(2026, 3, 2), LAST]


def test_what_was_open_is_left_out() -> None:
    found, _ = written(rising)
    names = {each.name for each in found}
    assert not [metric for metric in LEFT_OUT for name in names if name.startswith(f"leadline_{metric}_")]
    assert len(names) == 2 * (len(BY_NAME) - len(LEFT_OUT))
    assert "dependency_wait" in LEFT_OUT


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (timedelta(hours=12), [1, 1, 2, 2, 3]),
        (DAY, [1, 2, 3]),
        (timedelta(days=2), [1, 3]),
        (timedelta(days=7), [1]),
    ],
)
def test_between_two_ends_the_last_one_holds_until_the_latest_event(step: timedelta, expected: list[int]) -> None:
    found, _ = written(rising, step=step)
    told = [(each.value, float(each.timestamp)) for each in found if each.name == "leadline_change_fail_rate_ratio"]
    assert [value for value, _ in told] == expected
    assert max(at for _, at in told) <= LATEST.timestamp()
    spans = {after - before for (_, before), (_, after) in pairwise(told)}
    assert spans <= {step.total_seconds()}


def test_scopes_beyond_the_limit_are_left_out_of_every_day() -> None:
    def read(as_of: datetime) -> list[MetricPoint]:
        # which of the two has more observations changes from day to day; over all days it is b
        sizes = {"a": as_of.day, "b": 5}
        return [point("change_fail_rate", scope=("team", team), n=n) for team, n in sizes.items()]

    found, told = written(read, max_scopes=1)
    assert ({each.labels["scope"] for each in found}, told.dropped, told.days) == ({"b"}, 1, 3)


def test_labels_with_anything_in_them_arrive() -> None:
    nasty = 'two\nlines, "quoted" \\ '
    found, _ = written(lambda _: [point("change_fail_rate", scope=("team", nasty))], labels={"job": nasty})
    assert {(each.labels["scope"], each.labels["job"]) for each in found} == {(nasty, nasty)}


def test_nothing_is_a_file_that_ends() -> None:
    out = io.StringIO()
    told = write_history(out, lambda _: [], Days(since=FIRST, until=LAST), LATEST)
    assert (out.getvalue(), told.days, told.samples) == ("# EOF\n", 0, 0)


# --- the verb -------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    found = Office(tmp_path, monkeypatch)
    found.tell(*HISTORY)
    return found


def test_the_verb_writes_what_metrics_show_tells(office: Office) -> None:
    done = office.run("export", "openmetrics", "--label", "job=leadline", "--out", "history.om")
    assert (done.exit_code, done.stdout) == (0, "")
    found = samples((office.folder / "history.om").read_text())
    wiring = Wiring(load_settings())
    expected = {
        (each.metric, each.scope_kind, each.scope, each.window_days, each.stat): each.value
        for each in wiring.metrics(datetime(2026, 3, 3, 23, 59, tzinfo=UTC))
    }
    wiring.close()
    values = {
        (each.labels["scope_kind"], each.labels["scope"], each.labels["window"], each.labels.get("stat")): each.value
        for each in found
        if (each.name, float(each.timestamp)) == ("leadline_change_lead_time_seconds", MIDNIGHT + 2 * 86_400)
    }
    assert values == {
        (kind, scope, f"{window}d", stat): value
        for (metric, kind, scope, window, stat), value in expected.items()
        if metric == "change_lead_time"
    }
    assert values
    assert {each.labels["job"] for each in found} == {"leadline"}
    assert "2026-03-01 to 2026-03-03, 3 days with data" in done.stderr
    assert "open_changes" in done.stderr


def test_it_goes_to_standard_output_and_only_for_the_days_that_are_asked_for(office: Office) -> None:
    done = office.run("export", "openmetrics", "--since", "2026-03-02", "--until", "2026-03-02")
    assert {float(each.timestamp) for each in samples(done.stdout)} == {MIDNIGHT + 86_400}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--until", "2026-03-04"), "give 2026-03-03 or earlier"),
        (("--since", "yesterday"), "is no ISO 8601 date"),
        (("--step", "5h"), "neither divides a day nor is of whole days"),
        (("--step", "1"), "is not a duration"),
        (("--label", "job"), "write name=value"),
        (("--label", "scope=x"), "a label 'scope' of their own"),
    ],
)
def test_what_cannot_be_exported_is_said(office: Office, options: tuple[str, str], words: str) -> None:
    done = office.run("export", "openmetrics", *options)
    assert (done.exit_code, words in " ".join(done.output.replace("│", " ").split())) == (2, True), done.output


def test_without_a_day_that_is_over_nothing_is_written(office: Office) -> None:
    done = office.run("export", "openmetrics", "--since", "2026-03-04")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing to export" in done.stderr
