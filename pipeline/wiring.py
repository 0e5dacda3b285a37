"""Wiring: the only place that names concrete connectors, logs and stores, reads the clock and draws randomness."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.alertmanager import CONNECTOR as ALERTMANAGER
from connectors.argo_cd import CONNECTOR as ARGO_CD
from connectors.argo_rollouts import CONNECTOR as ARGO_ROLLOUTS
from connectors.azure_devops import CONNECTOR as AZURE_DEVOPS
from connectors.bitbucket_cloud import CONNECTOR as BITBUCKET_CLOUD
from connectors.bitbucket_server import CONNECTOR as BITBUCKET_SERVER
from connectors.buildkite import CONNECTOR as BUILDKITE
from connectors.cdevents import CONNECTOR as CDEVENTS
from connectors.circleci import CONNECTOR as CIRCLECI
from connectors.datadog import CONNECTOR as DATADOG
from connectors.firehydrant import CONNECTOR as FIREHYDRANT
from connectors.flagger import CONNECTOR as FLAGGER
from connectors.flux import CONNECTOR as FLUX
from connectors.git import CONNECTOR as GIT
from connectors.git.options import ReadOptions
from connectors.git.read import read as read_git
from connectors.gitea import CONNECTOR as GITEA
from connectors.github import CONNECTOR as GITHUB
from connectors.github.poll import POLLER as GITHUB_POLLER
from connectors.gitlab import CONNECTOR as GITLAB
from connectors.grafana_alerting import CONNECTOR as GRAFANA_ALERTING
from connectors.incident_io import CONNECTOR as INCIDENT_IO
from connectors.jenkins import CONNECTOR as JENKINS
from connectors.jira import CONNECTOR as JIRA
from connectors.jira.poll import POLLER as JIRA_POLLER
from connectors.linear import CONNECTOR as LINEAR
from connectors.mapping import CONNECTOR as MAPPING
from connectors.newrelic import CONNECTOR as NEWRELIC
from connectors.opsgenie import CONNECTOR as OPSGENIE
from connectors.pagerduty import CONNECTOR as PAGERDUTY
from connectors.rootly import CONNECTOR as ROOTLY
from connectors.sentry import CONNECTOR as SENTRY
from connectors.servicenow import CONNECTOR as SERVICENOW
from connectors.spinnaker import CONNECTOR as SPINNAKER
from connectors.statuspage import CONNECTOR as STATUSPAGE
from connectors.tekton import CONNECTOR as TEKTON
from connectors.trello import CONNECTOR as TRELLO
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

CONNECTORS: Mapping[str, Connector] = {
    connector.name: connector
    for connector in (
        ALERTMANAGER,
        ARGO_CD,
        ARGO_ROLLOUTS,
        AZURE_DEVOPS,
        BITBUCKET_CLOUD,
        BITBUCKET_SERVER,
        BUILDKITE,
        CDEVENTS,
        CIRCLECI,
        DATADOG,
        FIREHYDRANT,
        FLAGGER,
        FLUX,
        GIT,
        GITEA,
        GITHUB,
        GITLAB,
        GRAFANA_ALERTING,
        INCIDENT_IO,
        JENKINS,
        JIRA,
        LINEAR,
        MAPPING,
        NEWRELIC,
        OPSGENIE,
        PAGERDUTY,
        ROOTLY,
        SENTRY,
        SERVICENOW,
        SPINNAKER,
        STATUSPAGE,
        TEKTON,
        TRELLO,
    )
}

POLLERS: Mapping[str, Poller] = {poller.name: poller for poller in (GITHUB_POLLER, JIRA_POLLER)}


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
        access = Access(url=given.url, token=token)
        missing = [name for name in poller.needs if not getattr(access, name)]
        if missing:
            raise ConfigError(
                f"connectors.{connector}.{missing[0]} is not set; set it in the settings file or as "
                f"LEADLINE_CONNECTORS__{connector.upper()}__{missing[0].upper()}"
            )
        return Polling(self.log(), poller, poller.client(access), clock, dry_run=dry_run)

    @contextmanager
    def poll_loop(self, tell: Callable[[Job, Report], None]) -> Iterator[PollLoop]:
        """Yield the loop over everything whose settings have `poll`; `tell` is called after each job."""
        with ExitStack() as stack:
            jobs = self._jobs()
            names = dict.fromkeys(job.connector for job in jobs)
            pollings = {name: stack.enter_context(self.polling(name)) for name in names}
            yield PollLoop(jobs, pollings, clock, tell)

    def _jobs(self) -> list[Job]:
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
