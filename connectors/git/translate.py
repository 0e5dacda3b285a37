"""Commits and tags of a git repository as canonical events. Pure: one delivery in, its events out."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import msgspec

from connectors.git.adr import RecordBody, record_events
from connectors.git.releases import DEFAULTS, Release, Rules, rules
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import parse_time
from pipeline.events.references import assistant_in, in_text
from pipeline.events.types import ArtifactPublished, CommitRecorded, DeploymentEvent

REPO_HEADER = "repo"
MAX_TITLE = 500
MAX_PARENTS = 1_000
MAX_PATHS = 300
MAX_PATH = 1_000

#: The id of a decision record, made of {repo}, {number} and {name} of its file.
DEFAULT_DECISION = "{repo}/ADR-{number}"

COMMIT_RECORDED = "dev.cdeventsx.leadline-commit.recorded.1.0.0"
ARTIFACT_PUBLISHED = "dev.cdevents.artifact.published.0.3.0"
SERVICE_DEPLOYED = "dev.cdevents.service.deployed.0.3.0"

_is_sha = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?").fullmatch


class CommitBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Body of a delivery of kind `commit`. Dates: ISO 8601 with an offset, or seconds since 1970.

    `parents` None: not known (the edge of a shallow clone). `author`: a pseudonym.
    """

    sha: str
    author_date: str | int
    commit_date: str | int
    parents: list[str] | None = None
    subject: str = ""
    body: str = ""
    author: str | None = None
    paths: list[str] | None = None
    #: The coding assistant that made or helped to make it, read before people were taken out of the message.
    assistant: str | None = None


class TagBody(msgspec.Struct, kw_only=True):
    """Body of a delivery of kind `tag`.

    `object_type` and `tag_object` describe what the tag points at: a tag object (annotated) or something else
    (lightweight). `commit` None: it leads to no commit. `creator_date`: the date of the tag, or of the commit.
    """

    tag: str
    creator_date: str | int | None
    object_type: str = "commit"
    tag_object: str | None = None
    commit: str | None = None
    tagger_date: str | int | None = None


_Body = TypeVar("_Body", CommitBody, TagBody, RecordBody)
_commit_decoder = msgspec.json.Decoder(CommitBody)
_tag_decoder = msgspec.json.Decoder(TagBody)
_record_decoder = msgspec.json.Decoder(RecordBody)
_missing = re.compile(r"missing required field `(\w+)`")


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a `commit`, `tag` or `record`; raises `Quarantined`, and `ConfigError` for a setting of no use."""
    repo = delivery.headers.get(REPO_HEADER, "")
    if not repo:
        raise Quarantined("missing_field", "header repo is absent: the repository that the delivery belongs to")
    if delivery.kind == "commit":
        return Translation(events=[_commit(repo, _decode(_commit_decoder, delivery.body), context)])
    if delivery.kind == "tag":
        return _tag(repo, _decode(_tag_decoder, delivery.body), _rules(repo, delivery, context))
    if delivery.kind == "record":
        return _record(repo, _decode(_record_decoder, delivery.body), context)
    raise Quarantined("unknown_kind", f"kind is {delivery.kind!r}; expected commit, tag or record")


def _decode(decoder: msgspec.json.Decoder[_Body], body: bytes) -> _Body:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        missing = _missing.search(str(error))
        raise Quarantined("missing_field" if missing else "bad_type", str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Quarantined("bad_json", f"{error} (body of {len(body)} bytes)") from error


def _sha(value: str, field: str) -> str:
    if _is_sha(value) is None:
        raise Quarantined("bad_value", f"{field} is {value[:80]!r}; expected 40 or 64 hexadecimal digits")
    return value


def _moment(value: str | int | None, field: str) -> datetime:
    moment = parse_time(value, field)
    if moment is None:
        raise Quarantined("missing_field", f"{field} is absent")
    return moment


def _source(repo: str) -> str:
    return f"git:{quote(repo, safe='/')}"


def _commit(repo: str, body: CommitBody, context: Context) -> Event:
    sha = _sha(body.sha, "sha")
    if body.parents is not None and len(body.parents) > MAX_PARENTS:
        raise Quarantined("bad_value", f"parents lists {len(body.parents)} commits; the limit is {MAX_PARENTS}")
    author = context.actor(body.author) if body.author and "@" in body.author else body.author
    refs = in_text(f"{body.subject}\n\n{body.body}" if body.body else body.subject, "commit", repo)
    paths = None if body.paths is None else [path[:MAX_PATH] for path in body.paths[:MAX_PATHS]]
    committed_at = _moment(body.commit_date, "commit_date")
    data = CommitRecorded(
        repo=repo,
        sha=sha,
        authored_at=_moment(body.author_date, "author_date"),
        committed_at=committed_at,
        parents=None if body.parents is None else [_sha(parent, "parents") for parent in body.parents],
        title=body.subject[:MAX_TITLE],
        author=author,
        assistant=body.assistant or assistant_in(body.body),
        refs=refs,
        paths=paths,
    )
    return Event(
        id=_commit_id(data),
        source=_source(repo),
        type=COMMIT_RECORDED,
        time=committed_at,
        subject=f"{repo}@{sha}",
        partitionkey=repo,
        data=data,
    )


def _commit_id(data: CommitRecorded) -> str:
    """A sha fixes all but what a reader may leave out: author, body with what it mentions, paths, parents."""
    refs = "\x1e".join([f"{ref.kind} {ref.via} {ref.value}" for ref in data.refs])
    paths = None if data.paths is None else "\x1e".join(data.paths)
    helped = [data.assistant] if data.assistant else []
    return event_id("commit", data.repo, data.sha, data.parents is None, data.author, refs, paths, *helped)


def _rules(repo: str, delivery: Delivery, context: Context) -> Rules:
    """The settings, unless the delivery was read under a rule of its own."""
    own = {name: delivery.headers[name] for name in DEFAULTS if name in delivery.headers}
    if not own:
        return rules(context.settings, repo)
    return rules({**{name: context.settings[name] for name in DEFAULTS if name in context.settings}, **own})


def _tag(repo: str, body: TagBody, rule: Rules) -> Translation:
    if not body.tag:
        raise Quarantined("missing_field", "tag is empty")
    if len(body.tag) > MAX_PATH:
        raise Quarantined("bad_value", f"tag has {len(body.tag)} characters; the limit is {MAX_PATH}")
    release = rule.read(body.tag, repo)
    sha = None if body.commit is None else _sha(body.commit, "commit")
    if sha is None and body.creator_date is None:
        return Translation(ignored="tag_without_commit")  # it points at a tree or a blob, and so it has no date
    time = _moment(body.tagger_date or body.creator_date, "creator_date")
    published = ArtifactPublished(
        repo=repo, tag=body.tag, sha=sha, version=release.version, prerelease=release.prerelease
    )
    events = [_tag_event(ARTIFACT_PUBLISHED, f"{repo}@{body.tag}", time, published)]
    if release.production and sha is not None:
        deployed = _deployment(repo, sha, release, rule.environment)
        events.append(_tag_event(SERVICE_DEPLOYED, deployed.service or repo, time, deployed))
    return Translation(events=events)


def _deployment(repo: str, sha: str, release: Release, environment: str) -> DeploymentEvent:
    """Two tags of one version at one commit (`calcite-1.5.0`, `rel/calcite-1.5.0`) are one deployment, told twice."""
    return DeploymentEvent(
        deployment=f"{release.service or repo}@{release.version}",
        environment=environment,
        repo=repo,
        sha=sha,
        service=release.service,
        version=release.version,
    )


def _record(repo: str, body: RecordBody, context: Context) -> Translation:
    _sha(body.sha, "sha")
    template = context.settings.get("decision", "").strip() or DEFAULT_DECISION
    at = _moment(body.commit_date, "commit_date")
    events = record_events(repo, body, at, template, _source(repo))
    return Translation(events=events) if events else Translation(ignored="record_without_status")


def _tag_event(event_type: str, subject: str, time: datetime, data: ArtifactPublished | DeploymentEvent) -> Event:
    repo = data.repo or ""
    fields = (getattr(data, name) for name in data.__struct_fields__)
    return Event(
        id=event_id(event_type, time.isoformat(), *fields),
        source=_source(repo),
        type=event_type,
        time=time,
        subject=subject,
        partitionkey=repo,
        data=data,
    )
