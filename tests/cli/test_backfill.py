"""`leadline backfill` and the polling of `leadline run`, as a person calls them; some of them die on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
import stamina
from typer.testing import CliRunner, Result

from pipeline.cli import app, main
from pipeline.events.codec import decode
from pipeline.events.errors import ConfigError
from pipeline.ingest.deliveries import from_stored
from pipeline.log.protocol import DELIVERIES, EVENTS
from pipeline.log.sqlite import SqliteLog
from pipeline.wiring import POLLERS, clock
from tests.api.process import served
from tests.architecture.sources import ROOT
from tests.ingest.asking import TOKEN, held, ids
from tests.ingest.fakes import CONTEXT
from tests.ingest.sources import REPO, Answer, Hub, Site, Source, serving

COMMANDS = {"github": ["backfill", "github", REPO], "jira": ["backfill", "jira", "--project", "EE"]}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_DATABASE", str(tmp_path / "leadline.db"))
    monkeypatch.setenv("LEADLINE_ACTOR_KEY", CONTEXT.actor_key.decode())
    with stamina.set_testing(testing=True, attempts=5, cap=True):
        yield
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.fixture(params=["github", "jira"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """Each source, and the settings that lead to it."""
    monkeypatch.setenv(f"LEADLINE_CONNECTORS__{request.param.upper()}__TOKEN", TOKEN)
    with serving(Hub() if request.param == "github" else Site()) as found:
        monkeypatch.setenv(f"LEADLINE_CONNECTORS__{request.param.upper()}__URL", found.url)
        yield found


def name_of(source: Source) -> str:
    return "github" if isinstance(source, Hub) else "jira"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def told() -> set[tuple[str, str]]:
    """Return the events after a run."""
    result = call("run", "--once")
    assert result.exit_code == 0, result.output
    log = SqliteLog("leadline.db")
    try:
        return ids([decode(stored.value) for batch in log.iterate(EVENTS) for stored in batch])
    finally:
        log.close()


def delivered() -> list[str]:
    log = SqliteLog("leadline.db")
    try:
        return [from_stored(stored).id for batch in log.iterate(DELIVERIES) for stored in batch]
    finally:
        log.close()


@pytest.mark.parametrize("number", [4, 7, 12])
def test_a_kill_loses_nothing_and_doubles_nothing(source: Source, number: int, tmp_path: Path) -> None:
    if number > 7 and isinstance(source, Site):
        number = 6
    started, killed = Event(), Event()
    process: list[subprocess.Popen[bytes]] = []

    def kill(asked: int, _: str) -> None:
        if asked == number:
            assert started.wait(20)
            process[0].send_signal(signal.SIGKILL)
            process[0].wait()
            killed.set()

    source.before = kill
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *COMMANDS[name_of(source)]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL))
    started.set()
    assert killed.wait(30)
    assert process[0].returncode == -signal.SIGKILL
    before = delivered()
    source.before = lambda *_: None
    asked = len(source.asked)
    result = call(*COMMANDS[name_of(source)])
    assert result.exit_code == 0, result.output
    assert told() == held(source)
    after = delivered()
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) > len(before)
    if isinstance(source, Hub) and number == 12:
        again = [path for path in source.paths()[asked:] if path.endswith("/reviews")]
        first = [path for path in source.paths()[:asked] if path.endswith("/reviews")]
        assert len(set(again) & set(first)) <= 1, "what was stored is not asked for again"


def test_it_tells_what_it_read(source: Source) -> None:
    result = call(*COMMANDS[name_of(source)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{len(delivered())} new" in said(result)
    assert TOKEN not in result.output
    assert "0 new" in said(call(*COMMANDS[name_of(source)]))


def test_a_dry_run_stores_nothing(source: Source) -> None:
    result = call(*COMMANDS[name_of(source)], "--dry-run")
    assert result.exit_code == 0
    assert "nothing stored (dry run)" in said(result)
    assert delivered() == []


def test_an_expired_token_is_a_matter_of_configuration(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source.faults = dict.fromkeys(range(4, 99), Answer(401, {}, {}))
    monkeypatch.setattr(sys, "argv", ["leadline", *COMMANDS[name_of(source)]])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 3
    assert f"connectors.{name_of(source)}.token" in shown
    assert "the same command goes on from here" in shown


def test_a_source_that_stays_away_has_an_exit_code_of_its_own(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source.faults = dict.fromkeys(range(3, 99), Answer(500, {}, {}))
    monkeypatch.setattr(sys, "argv", ["leadline", *COMMANDS[name_of(source)]])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    assert "500" in capsys.readouterr().err


def test_a_setting_that_is_missing_is_named() -> None:
    result = call("backfill", "jira", "--jql", "labels = growth")
    assert isinstance(result.exception, ConfigError)
    assert "connectors.jira.url is not set" in str(result.exception)
    assert "LEADLINE_CONNECTORS__JIRA__URL" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["githup", REPO], "did you mean 'github'?"),
        (["cdevents"], "cdevents cannot be asked for its past"),
        (["gitlab"], "name what to read: GROUP/PROJECT"),
        (["gitlab", "acme/shop", "--project", "SHOP"], "--project and --jql are Jira's"),
    ],
)
def test_what_cannot_be_asked_for_is_named(arguments: list[str], words: str) -> None:
    result = call("backfill", *arguments)
    assert result.exit_code == 2
    assert words in said(result).replace(" │ │ ", " ")


def test_what_the_settings_poll_is_read_where_nothing_is_named(source: Source) -> None:
    name = name_of(source)
    scopes = "" if name == "jira" else f", scopes: [{REPO}]"
    Path("leadline.yaml").write_text(f"connectors: {{{name}: {{poll: {{every: 10m{scopes}}}}}}}\n")
    result = call("backfill", name)
    assert result.exit_code == 0, result.output
    assert told() == held(source)


def test_every_poller_can_be_backfilled() -> None:
    assert {"azure_devops", "bitbucket_cloud", "github", "gitlab", "jenkins", "jira", "linear"} <= set(POLLERS)
    for name, poller in POLLERS.items():
        assert poller.name == name
        assert poller.scope


def test_the_docs_list_every_poller() -> None:
    docs = (ROOT / "docs" / "backfill.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\| \[(\w+)\]\(\.\./connectors/\1/README\.md\) \| (.+?) \| (yes)? ?\| (.*?) ?\|$", docs, re.MULTILINE
    )
    assert listed == [
        (
            name,
            poller.scope,
            "" if poller.default_scope is None else "yes",
            ", ".join(f"`{need}`" for need in poller.needs),
        )
        for name, poller in sorted(POLLERS.items())
    ]


@pytest.mark.parametrize("url", ["acme.atlassian.net", "ftp://acme", "https://", "http://[::1"])
def test_an_address_that_is_none_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__URL", url)
    monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__TOKEN", TOKEN)
    result = call("backfill", "jira")
    assert isinstance(result.exception, ConfigError)
    assert "connectors.jira.url" in str(result.exception)


@pytest.mark.parametrize("token", ["hunter2\nhunter3", "hunter2\r", "hüter2"])
def test_a_token_that_no_header_can_hold_is_named_and_not_shown(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CONNECTORS__PAGERDUTY__TOKEN", token)
    result = call("backfill", "pagerduty")
    assert isinstance(result.exception, ConfigError)
    assert "connectors.pagerduty.token" in str(result.exception)
    assert "ter2" not in str(result.exception)


def test_a_password_in_an_address_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__URL", "https://ann:hunter2@jira.acme.example")
    monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__TOKEN", TOKEN)
    result = call("backfill", "jira")
    assert isinstance(result.exception, ConfigError)
    assert "connectors.jira.url" in str(result.exception)
    assert "hunter2" not in str(result.exception)


def test_bounds_in_the_wrong_order_are_refused() -> None:
    result = call("backfill", "github", REPO, "--since", "2026-02-01", "--until", "2026-01-01")
    assert result.exit_code == 2
    assert "is not before" in said(result)


def test_projects_and_a_query_narrow_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__TOKEN", "me@example.com:secret")
    with serving(Site()) as source:
        monkeypatch.setenv("LEADLINE_CONNECTORS__JIRA__URL", source.url)
        result = call("backfill", "jira", "--project", 'A"B', "--jql", "labels = x", "--since", "2026-01-01")
        assert result.exit_code == 0, result.output
        first, *_ = [target for target in source.asked if "/search" in target]
        assert "project+%3D+%22A%5C%22B%22+AND+%28labels+%3D+x%29" in first
        assert "2025-12-31+23%3A00" in first
        assert source.tokens == {"Basic bWVAZXhhbXBsZS5jb206c2VjcmV0"}


def test_run_polls_what_the_settings_say(source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = name_of(source)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.delenv(f"LEADLINE_CONNECTORS__{name.upper()}__TOKEN")
    source.clock = clock()
    scopes = "" if name == "jira" else f", scopes: [{REPO}]"
    Path("leadline.yaml").write_text(f"connectors: {{{name}: {{token_file: token, poll: {{every: 10m{scopes}}}}}}}\n")
    result = call("run", "--once")
    assert result.exit_code == 0, result.output
    assert f"{len(delivered())} new deliveries" in said(result)
    assert source.tokens == {f"Bearer {TOKEN}"}
    asked = len(source.asked)
    assert told() == held(source)
    assert len(source.asked) == asked, "ten minutes are not over"


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("{github: {poll: {every: 10m}}}", "connectors.github.poll.scopes is empty"),
        ("{github: {poll: {every: soon, scopes: [a/b]}}}", "'soon' is not a duration"),
        ("{git: {poll: {every: 10m}}}", "connectors.git: cannot be polled"),
        ("{jira: {poll: {every: 10m}}}", "connectors.jira.url is not set"),
        ("{jira: {token_file: nowhere}}", "token_file nowhere: No such file"),
        ("{jira: {token: x, token_file: leadline.yaml}}", "one token"),
    ],
)
def test_settings_that_cannot_be_used_are_named(yaml: str, words: str) -> None:
    Path("leadline.yaml").write_text(f"connectors: {yaml}\n")
    result = call("run", "--once")
    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)


def test_a_poll_that_fails_does_not_stop_the_run(source: Source) -> None:
    name = name_of(source)
    source.faults = dict.fromkeys(range(1, 99), Answer(429, {"retry-after": "60"}, {}))
    scopes = "" if name == "jira" else f", scopes: [{REPO}]"
    Path("leadline.yaml").write_text(f"connectors: {{{name}: {{poll: {{every: 10m{scopes}}}}}}}\n")
    result = call("run", "--once")
    assert result.exit_code == 0
    assert "429" in said(result) or "rate limit" in said(result)


def test_serve_polls_what_the_settings_say(source: Source, tmp_path: Path) -> None:
    name = name_of(source)
    scopes = "" if name == "jira" else f", scopes: [{REPO}]"
    Path("leadline.yaml").write_text(f"connectors: {{{name}: {{poll: {{every: 10m{scopes}}}}}}}\n")
    with served(tmp_path) as server:
        line = server.line("polled")
        assert server.end(signal.SIGTERM) == 0
    assert (line["connector"], line["new"]) == (name, len(delivered()))
    assert TOKEN not in str(server.lines)
    assert told() == held(source)
