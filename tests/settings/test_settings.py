"""Settings: defaults < file < environment; errors name the place and the fix; secrets do not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.events.errors import ConfigError
from pipeline.settings import load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("leadline.yaml")
    path.write_text(text)
    return path


def test_defaults_listen_on_loopback_only() -> None:
    settings = load_settings()
    assert settings.http.host == "127.0.0.1"
    assert settings.connector("github").secrets == []
    assert settings.connector("github").allow_unsigned is False


def test_the_file_beats_the_defaults_and_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written("database: from-file.db\nhttp: {port: 9000}\n")
    assert load_settings().database == Path("from-file.db")
    assert load_settings().http.port == 9000
    monkeypatch.setenv("LEADLINE_HTTP__PORT", "9001")
    monkeypatch.setenv("LEADLINE_DATABASE", "from-environment.db")
    assert load_settings().http.port == 9001
    assert load_settings().database == Path("from-environment.db")


def test_the_environment_may_name_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.yaml").write_text("partitions: 4\n")
    monkeypatch.setenv("LEADLINE_CONFIG", "other.yaml")
    assert load_settings().partitions == 4


def test_several_secrets_come_from_a_file_and_none_is_shown(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("first-secret\nsecond-secret\n")
    written(f"connectors: {{github: {{secrets_file: {tmp_path / 'hook'}}}}}\n")
    settings = load_settings()
    assert [secret.get_secret_value() for secret in settings.connector("github").secrets] == [
        "first-secret",
        "second-secret",
    ]
    assert "first-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("databse: x\n", r"leadline\.yaml: databse: unknown setting; .*database"),
        ("http: {port: 99999}\n", r"http\.port: .*65535"),
        ("http: {prot: 1}\n", r"http\.prot: unknown setting"),
        ("partitions: many\n", r"LEADLINE_PARTITIONS: partitions: .*integer"),
        ("- a list\n", r"leadline\.yaml: expected settings .* found list"),
        ("a: b: c\n", r"leadline\.yaml: not YAML"),
        ("connectors: {github: {secrets_file: /no/such/file}}\n", r"/no/such/file: No such file"),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str) -> None:
    written(text)
    with pytest.raises(ConfigError, match=told):
        load_settings()


def test_a_named_file_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file.*--config"):
        load_settings(Path("nowhere.yaml"))


def test_paths_in_a_file_are_beside_it(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "leadline.yaml").write_text("database: leadline.db\nsnapshots: /elsewhere\n")
    settings = load_settings(Path("demo/leadline.yaml"))
    assert settings.database == Path("demo/leadline.db")
    assert settings.snapshots == Path("/elsewhere")


def test_a_variable_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CONNECTORS", "{")
    with pytest.raises(ConfigError, match="connectors"):
        load_settings()
