r"""Settings: defaults < YAML file < `LEADLINE_*` environment < flags. Secrets come from `*_FILE` or the environment.

database: leadline.db
snapshots: snapshots
http: {host: 127.0.0.1, port: 8080}
connectors:
  github: {secrets_file: /run/secrets/github}          # one secret a line; several while one is rotated
  jira:   {secrets: ["..."], settings: {base_url: "https://acme.atlassian.net"}}
  git:    {settings: {deployments: 'v\d+\.\d+\.\d+'}}

A source that is asked rather than tells: where and with what token, how often, and for what.

connectors:
  github: {token_file: /run/secrets/github-token, poll: {every: 10m, scopes: [acme/shop, acme/web]}}
  jira:   {url: "https://acme.atlassian.net", token_file: /run/secrets/jira-token, poll: {every: 15m}}
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pipeline.contract.durations import parse_duration
from pipeline.events.errors import ConfigError

DEFAULT_FILE = Path("leadline.yaml")
#: Settings whose values are paths, at the top and of a connector.
_PATHS = frozenset({"database", "snapshots", "contract", "actor_key_file", "secrets_file", "token_file"})


class HttpSettings(BaseModel):
    """Where `leadline serve` listens. Loopback unless told otherwise."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    #: A port of its own for `/metrics`; None: the same one.
    metrics_port: int | None = Field(None, ge=0, le=65_535)
    max_body_bytes: int = Field(5 * 1024 * 1024, ge=1)


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _secret_lines(field: str, path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{field} {path}: {getattr(error, 'strerror', None) or 'is no text'}") from error


class PollSettings(BaseModel):
    """That `leadline run` and `leadline serve` ask a source by themselves."""

    model_config = ConfigDict(extra="forbid")

    #: A duration such as `10m`.
    every: Annotated[timedelta, BeforeValidator(_duration)]
    #: What is asked for, in the words of the connector: repositories, queries. Empty: everything, if that can be asked.
    scopes: list[str] = []
    #: Where the first time begins; None: with the beginning of the source.
    since: AwareDatetime | None = None


class ConnectorSettings(BaseModel):
    """One connector: the secrets of its hook, the access to its API, and the settings that its README lists."""

    model_config = ConfigDict(extra="forbid")

    secrets: list[SecretStr] = []
    #: A file with one secret a line.
    secrets_file: Path | None = None
    #: Accept pushed deliveries without a secret; only for a listener that nobody else reaches.
    allow_unsigned: bool = False
    #: How far from now the time may be at which a message was signed, such as `15m`; None: as the connector says.
    replay_window: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    #: The address of the API that is polled, and the token shown to it; `token_file` holds nothing else.
    url: str | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    poll: PollSettings | None = None
    settings: dict[str, str] = {}

    @model_validator(mode="after")
    def _read_mapping(self) -> ConnectorSettings:
        """Translation does no I/O: the file that the mapping connector's settings name is read here."""
        named = self.settings.get("mapping_file", "").strip()
        if named and not self.settings.get("mapping", "").strip():
            try:
                text = Path(named).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"mapping_file {named}: {getattr(error, 'strerror', None) or 'is no text'}") from error
            self.settings = {**self.settings, "mapping": text}
        return self

    @model_validator(mode="after")
    def _read_secrets(self) -> ConnectorSettings:
        if self.secrets_file is not None:
            lines = _secret_lines("secrets_file", self.secrets_file)
            self.secrets = [*self.secrets, *(SecretStr(line) for line in lines)]
        if self.token_file is not None:
            lines = _secret_lines("token_file", self.token_file)
            if self.token is not None or len(lines) != 1:
                raise ValueError(
                    f"token_file {self.token_file}: holds {len(lines)} lines; one token, and no `token` beside"
                )
            self.token = SecretStr(lines[0])
        return self


class Settings(BaseSettings):
    """Everything that a person can set. `LEADLINE_HTTP__PORT=9000` sets `http.port`."""

    model_config = SettingsConfigDict(env_prefix="LEADLINE_", env_nested_delimiter="__", extra="forbid")

    database: Path = Path("leadline.db")
    snapshots: Path = Path("snapshots")
    contract: Path = Path("contract")
    partitions: int = Field(1, ge=1, le=1024)
    #: The key with which people are pseudonymised. Unset: made once and kept beside the database.
    actor_key: SecretStr | None = None
    actor_key_file: Path | None = None
    http: HttpSettings = HttpSettings()
    connectors: dict[str, ConnectorSettings] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file: what is passed in here is the file's content."""
        return env_settings, init_settings

    def connector(self, name: str) -> ConnectorSettings:
        """Return the settings of a connector; the defaults for one that is not mentioned."""
        return self.connectors.get(name, ConnectorSettings())


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings. `path` None: the file that `LEADLINE_CONFIG` names, else `leadline.yaml` here if there is one.

    Raises `ConfigError` naming file (or variable), field, value and the fix.
    """
    named = path if path is not None else _named_by_environment()
    source = named if named is not None else DEFAULT_FILE
    content: dict[str, Any] = {}
    if named is not None or source.exists():
        content = _beside(source.parent, _read(source))
    try:
        return Settings(**content)
    except SettingsError as error:
        raise ConfigError(f"a LEADLINE_ variable cannot be read: {error}; write JSON, or a single value") from error
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(source, problem) for problem in error.errors())) from error


def _named_by_environment() -> Path | None:
    name = os.environ.get("LEADLINE_CONFIG")
    return Path(name) if name else None


def _beside(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Take relative paths in a settings file as beside that file, wherever the command is run."""
    connectors = content.get("connectors")
    found = {
        name: str(folder / value) if name in _PATHS and isinstance(value, str) else value
        for name, value in content.items()
    }
    if isinstance(connectors, dict):
        found["connectors"] = {
            name: _beside(folder, settings) if isinstance(settings, dict) else settings
            for name, settings in connectors.items()
        }
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; pass --config FILE or create it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{path}: expected settings as `name: value` lines, found {type(content).__name__}")
    return content


def _explain(source: Path, problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"{source}: {field}: unknown setting; known at the top are {known}"
    variable = "LEADLINE_" + field.upper().replace(".", "__")
    return f"{source} or {variable}: {field}: {problem['msg']}"
