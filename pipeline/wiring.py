"""Wiring: the only place that names concrete connectors, logs and stores, reads the clock and draws randomness."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

import connectors
from connectors.git.options import ReadOptions
from connectors.git.read import read as read_git
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.delivery import Connector, Context, Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Poller
from pipeline.exporter.model import Build
from pipeline.facts.rows import FACTS, Fact
from pipeline.ingest.polling import Polling, Report
from pipeline.ingest.schedule import Job, PollLoop
from pipeline.ingest.translate import CURSOR as TRANSLATE_CURSOR
from pipeline.ingest.translate import Translator
from pipeline.log.protocol import DELIVERIES, EVENTS
from pipeline.log.sqlite import SqliteLog
from pipeline.log.sqlite_file import SCHEMA_VERSION
from pipeline.metrics.catalogue import MetricPoint
from pipeline.metrics.windows import read_metrics as metrics_of
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from pipeline.api.services import Services

_T = TypeVar("_T")


class OnDemand(Mapping[str, _T]):
    """Parts by name, each imported when it is first asked for: no verb needs all of them."""

    def __init__(self, names: Iterable[str], find: Callable[[str], _T]) -> None:
        self._names = dict.fromkeys(sorted(names))
        self._find = cache(find)

    def __getitem__(self, name: str) -> _T:
        if name not in self._names:
            raise KeyError(name)
        return self._find(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _connector(name: str) -> Connector:
    found: Connector = import_module(f"connectors.{name}").CONNECTOR
    return found


def _poller(name: str) -> Poller:
    found: Poller = import_module(f"connectors.{name}.poll").POLLER
    return found


_FOLDERS = [Path(path) / name for path in connectors.__path__ for _, name, _ in iter_modules([path])]
#: Every folder under `connectors/`.
CONNECTORS: Mapping[str, Connector] = OnDemand((folder.name for folder in _FOLDERS), _connector)
#: Those of them that have a `poll.py`.
POLLERS: Mapping[str, Poller] = OnDemand(
    (folder.name for folder in _FOLDERS if (folder / "poll.py").is_file()), _poller
)


def clock() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class Wiring:
    """One configured Leadline: opens what the verbs and the server need, each once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        _check_connectors(settings)
        self._log: SqliteLog | None = None
        self._store: SqliteStore | None = None
        self._engine: Engine | None = None
        self._actor_key: bytes | None = None

    def existing(self) -> Wiring:
        """Return this, for a verb that only reads. Raises `ConfigError` where there is no database to read."""
        if not self.settings.database.exists():
            raise ConfigError(
                f"{self.settings.database}: there is no database yet; `leadline ingest` or `leadline demo` makes one, "
                "--config FILE names another"
            )
        return self

    def log(self) -> SqliteLog:
        """Open the log, creating its file if there is none."""
        if self._log is None:
            self.settings.database.parent.mkdir(parents=True, exist_ok=True)
            self._log = SqliteLog(self.settings.database, partitions=self.settings.partitions)
        return self._log

    def engine(self) -> Engine:
        """Open the engine over the log and the state in the same file."""
        if self._engine is None:
            self._engine = Engine(self.log(), self.store())
        return self._engine

    def store(self) -> SqliteStore:
        """Open the store of derived state."""
        if self._store is None:
            self.log()
            self._store = SqliteStore(self.settings.database)
        return self._store

    def translator(self) -> Translator:
        """Return the translator over the log with all connectors."""
        return Translator(self.log(), CONNECTORS, self.context)

    def context(self, connector: str) -> Context:
        """Return what the translation of a connector's deliveries may know."""
        return Context(actor_key=self.actor_key(), settings=self.settings.connector(connector).settings)

    def actor_key(self) -> bytes:
        """Return the pseudonymisation key: from the settings, else a file beside the database, made on first use."""
        if self._actor_key is None:
            self._actor_key = self._find_actor_key()
        return self._actor_key

    def secrets(self, connector: str) -> list[bytes]:
        """Return the hook secrets of a connector."""
        return [secret.get_secret_value().encode() for secret in self.settings.connector(connector).secrets]

    def polling(self, connector: str, *, dry_run: bool = False) -> Polling:
        """Return what asks a source, to be used as a context manager. Raises `ConfigError` naming what is not set."""
        poller = POLLERS.get(connector)
        if poller is None:
            raise ConfigError(f"connectors.{connector}: cannot be polled; what can is {', '.join(sorted(POLLERS))}")
        given = self.settings.connector(connector)
        token = None if given.token is None else given.token.get_secret_value()
        if token is not None and not token.isprintable():
            # An HTTP client would put such a token into its error message.
            raise ConfigError(
                f"connectors.{connector}.token holds a line break or another control character; write one line"
            )
        access = Access(url=given.url, token=token)
        missing = [name for name in poller.needs if not getattr(access, name)]
        if missing:
            raise ConfigError(
                f"connectors.{connector}.{missing[0]} is not set; set it in the settings file or as "
                f"LEADLINE_CONNECTORS__{connector.upper()}__{missing[0].upper()}"
            )
        try:
            client = poller.client(access)
        except UnicodeEncodeError as error:
            raise ConfigError(f"connectors.{connector}.token holds a character that is not ASCII; check it") from error
        return Polling(self.log(), poller, client, clock, dry_run=dry_run)

    @contextmanager
    def poll_loop(self, tell: Callable[[Job, Report], None]) -> Iterator[PollLoop]:
        """Yield the loop over everything whose settings have `poll`; `tell` is called after each job."""
        with ExitStack() as stack:
            jobs = self.jobs()
            names = dict.fromkeys(job.connector for job in jobs)
            pollings = {name: stack.enter_context(self.polling(name)) for name in names}
            yield PollLoop(jobs, pollings, clock, tell)

    def jobs(self) -> list[Job]:
        """Return everything whose settings have `poll`. Raises `ConfigError` for one that names no scope."""
        jobs = []
        for name, given in self.settings.connectors.items():
            if given.poll is None:
                continue
            default = POLLERS[name].default_scope if name in POLLERS else ""
            scopes = given.poll.scopes or ([] if default is None else [default])
            if not scopes:
                raise ConfigError(f"connectors.{name}.poll.scopes is empty; name each {POLLERS[name].scope}")
            jobs += [Job(connector=name, scope=each, every=given.poll.every, since=given.poll.since) for each in scopes]
        return jobs

    def read_git(
        self, path: Path, *, repo: str | None, exclude: Sequence[str], paths: bool, rule: Mapping[str, str]
    ) -> Iterator[Delivery]:
        """Yield the deliveries of a repository or a recorded history; see `connectors.git.options.ReadOptions`."""
        options = ReadOptions(
            actor_key=self.actor_key(), received_at=clock(), repo=repo, exclude=exclude, paths=paths, rule=rule
        )
        return read_git(path, options)

    def read_samples(self, path: Path, refused: Callable[[str], None]) -> Iterator[Delivery]:
        """Yield the deliveries of files of samples; `refused` is told of each row that cannot be used.

        See `connectors.samples.read.read`.
        """
        from connectors.samples.read import ReadOptions as SampleOptions
        from connectors.samples.read import read as read_samples
        from connectors.samples.translate import zoneless_utc

        utc = zoneless_utc(self.settings.connector("samples").settings.get("utc", ""))
        return read_samples(path, SampleOptions(received_at=clock(), utc=utc, refused=refused))

    def facts(self, kind: str) -> Iterable[Fact]:
        """Yield the facts of a kind as last committed."""
        return (fact for _, fact in self.engine().state.table(f"fact_{kind}", FACTS[kind]).items())

    def metrics(self, as_of: datetime | None = None) -> list[MetricPoint]:
        """Return all metrics as of an instant; None: as of the latest event. Empty before the first event."""
        engine = self.engine()
        latest = engine.as_of()
        moment = as_of if as_of is not None else latest
        return [] if moment is None else metrics_of(engine.state, moment, latest=latest)

    def takes_unsigned(self, connector: str) -> bool:
        """Tell whether deliveries of a connector are taken on anybody's word."""
        return self.settings.connector(connector).allow_unsigned and not self.secrets(connector)

    def serving(self, *, follow: bool = True, metrics_here: bool = True) -> AbstractContextManager[Services]:
        """Return the services of a server, running within its block; see `pipeline.api.serving.serving`."""
        from pipeline.api.doors import doors
        from pipeline.api.serving import Parts, serving

        def discard_engine() -> None:
            self._engine = None

        parts = Parts(
            log=self.log(),
            connectors=doors(CONNECTORS, self.secrets, self.takes_unsigned),
            secrets=self.secrets,
            translator=self.translator(),
            engine=self.engine,
            discard_engine=discard_engine,
            open_read_store=lambda: SqliteStore(self.settings.database, read_only=True),
            clock=clock,
            new_id=lambda: secrets.token_hex(8),
            build=Build(version=version("leadline"), schema=SCHEMA_VERSION),
            max_body=self.settings.http.max_body_bytes,
            snapshots=self.settings.snapshots,
            window=lambda name: self.settings.connector(name).replay_window,
        )
        return serving(parts, follow=follow, metrics_here=metrics_here)

    def behind(self) -> bool:
        """Whether the log holds deliveries that are not translated, or events that are not folded."""
        log = self.log()
        return log.end(DELIVERIES) > log.cursor(TRANSLATE_CURSOR) or log.end(EVENTS) > self.engine().position

    def close(self) -> None:
        """Release the database."""
        if self._store is not None:
            self._store.close()
        if self._log is not None:
            self._log.close()

    def _find_actor_key(self) -> bytes:
        if self.settings.actor_key is not None:
            return self.settings.actor_key.get_secret_value().encode()
        path = self.settings.actor_key_file or self.settings.database.with_suffix(".actor-key")
        try:
            return path.read_bytes().strip()
        except FileNotFoundError:
            if self.settings.actor_key_file is not None:
                raise ConfigError(f"actor_key_file {path}: no such file") from None
            return _make_key(path)


def wire(config: Path | None = None) -> Wiring:
    """Return the wiring for a settings file (None: `leadline.yaml` if there is one, else the defaults)."""
    return Wiring(load_settings(config))


def _check_connectors(settings: Settings) -> None:
    for name in settings.connectors:
        if name not in CONNECTORS:
            near = get_close_matches(name, CONNECTORS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(CONNECTORS)}"
            raise ConfigError(f"connectors.{name}: no such connector; {hint}")


def _make_key(path: Path) -> bytes:
    """Make a key and keep it, readable by its owner alone."""
    key = secrets.token_hex(32).encode()
    path.touch(mode=0o600)
    path.write_bytes(key)
    return key


def open_log() -> SqliteLog:
    """Open the log of the configured database."""
    return wire().log()
