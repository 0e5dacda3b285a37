"""Real repositories, made with git itself, and recorded histories."""

import gzip
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.git import CONNECTOR
from connectors.git.histories import history_name
from connectors.git.options import ReadOptions
from connectors.git.read import read
from connectors.git.repository import MAX_BODY, repository_name, without_people
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.ids import pseudonym
from pipeline.events.types import ArtifactPublished, CommitRecorded, DeploymentEvent

KEY = b"key"
OPTIONS = ReadOptions(actor_key=KEY, received_at=datetime(2026, 11, 23, tzinfo=UTC))
ADDRESS = "Ann@example.com"


class Repository:
    """A repository in a folder; every commit is a second later than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 1_700_000_000
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        now = f"{self.seconds} +0530"
        person = {"NAME": "Ann", "EMAIL": ADDRESS, "DATE": now}
        ours = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in person.items()}
        environment = {**os.environ, **ours, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str, *files: str) -> str:
        self.seconds += 1
        for name in files:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(f"{self.seconds}")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


def deliveries(path: Path, **options: Any) -> list[Delivery]:
    return list(read(path, msgspec.structs.replace(OPTIONS, **options)))


def events(path: Path, **options: Any) -> list[Event]:
    context = Context(actor_key=KEY)
    return [event for found in deliveries(path, **options) for event in CONNECTOR.translate(found, context).events]


def commits(path: Path, **options: Any) -> dict[str, CommitRecorded]:
    found = [event.data for event in events(path, **options)]
    return {data.title: data for data in found if isinstance(data, CommitRecorded)}


def test_commits_carry_parents_dates_and_references(repository: Repository) -> None:
    first = repository.commit("Begin")
    repository.git("checkout", "--quiet", "-b", "side")
    side = repository.commit("GROW-12 Side\n\nInitiative: faster-activation\nCo-authored-by: Bob <bob@example.com>")
    repository.git("checkout", "--quiet", "main")
    main = repository.commit("Main")
    repository.seconds += 1
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "side")

    found = commits(repository.path)

    assert found["Begin"].parents == []
    assert found["Main"].parents == [first]
    assert found["Merge"].parents == [main, side]
    assert found["Begin"].committed_at == datetime.fromtimestamp(1_700_000_001, UTC)
    assert {ref.value for ref in found["GROW-12 Side"].refs} == {"GROW-12", "faster-activation"}
    assert found["Begin"].author == pseudonym(ADDRESS, KEY)


def test_nothing_about_people_is_stored(repository: Repository) -> None:
    repository.commit(
        "By ann@example.com\n\nSigned-off-by: Bob Roe <bob@example.com>\nReviewers: Cy Doe\nAsk dan@example.org"
    )
    (delivery,) = deliveries(repository.path)
    for word in (b"ann@", b"Ann", b"Bob", b"Cy", b"dan@"):
        assert word not in delivery.body


def test_the_assistant_stays_when_those_who_signed_are_taken_out(repository: Repository) -> None:
    repository.commit("Faster\n\nCo-Authored-By: Claude <noreply@anthropic.com>\nSigned-off-by: Bob <b@x.example>")
    repository.commit("By hand\n\nCo-authored-by: Claude Monet <claude@monet.example>")
    told = commits(repository.path)
    assert (told["Faster"].assistant, told["By hand"].assistant) == ("claude", None)
    stored = b"".join(delivery.body for delivery in deliveries(repository.path))
    assert b"@" not in stored
    assert b"Monet" not in stored


def test_a_long_message_keeps_its_trailer_and_versions_are_no_addresses() -> None:
    kept = without_people("x" * 50_000 + "\nbump lodash@4.17.21\nInitiative: faster-activation")
    assert len(kept) <= MAX_BODY + 1
    assert kept.endswith("bump lodash@4.17.21\nInitiative: faster-activation")


@pytest.mark.parametrize(
    "message", ["", "\n\n", "a\0b".replace("\0", "\x01"), "/slash\n/first", "é 🚀 \ufffd", "%H %x00 %n"]
)
def test_no_message_confuses_the_reader(repository: Repository, message: str) -> None:
    for number, text in enumerate([f"before {message}", f"{message} middle\n\n{message}", "after"]):
        repository.commit(text, f"f{number}")
    repository.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "")
    found = deliveries(repository.path, paths=True)
    shas = [msgspec.json.decode(delivery.body)["sha"] for delivery in found]
    assert shas == repository.git("rev-list", "--all").split()


def test_paths_are_told_where_asked(repository: Repository) -> None:
    repository.commit("Strange names", "web/a b.ts", "\nfirst", "0" * 40, "ü")
    repository.commit("None")
    told = commits(repository.path, paths=True)
    assert set(told["Strange names"].paths or []) >= {"web/a b.ts", "0" * 40, "ü"}
    assert len(told["Strange names"].paths or []) == 4
    assert told["None"].paths == []
    assert commits(repository.path)["None"].paths is None
    assert {found.id for found in deliveries(repository.path)}.isdisjoint(
        found.id for found in deliveries(repository.path, paths=True)
    )


def test_tags_of_every_kind(repository: Repository) -> None:
    sha = repository.commit("Begin", "a")
    for arguments in (
        ["light-1.0"],
        ["--annotate", "--message", "x", "v2.0.0"],
        ["--annotate", "--message", "x", "of-a-tag", "v2.0.0"],
        ["--annotate", "--message", "x", "of-a-file", "HEAD:a"],
        ["of-a-tree", "HEAD^{tree}"],
        ["v2.1.0-rc1"],
    ):
        repository.seconds += 100
        repository.git("-c", "advice.nestedTag=false", "tag", *arguments)

    found = deliveries(repository.path)
    context = Context(actor_key=KEY)
    outcomes = {
        found.id.partition("@")[0]: CONNECTOR.translate(found, context) for found in found if found.kind == "tag"
    }
    published = [e for o in outcomes.values() for e in o.events if isinstance(e.data, ArtifactPublished)]
    deployed = [e.data for o in outcomes.values() for e in o.events if isinstance(e.data, DeploymentEvent)]

    assert len(outcomes) == 6
    assert outcomes["shop:of-a-tree"].ignored == "tag_without_commit"
    shas = {e.data.tag: e.data.sha for e in published if isinstance(e.data, ArtifactPublished)}
    assert shas == {"light-1.0": sha, "v2.0.0": sha, "of-a-tag": sha, "of-a-file": None, "v2.1.0-rc1": sha}
    assert {(data.service, data.version) for data in deployed} == {("light", "1.0"), (None, "2.0.0")}
    times = {e.subject: int(e.time.timestamp()) for e in published}
    assert times["shop@light-1.0"] == 1_700_000_001
    assert times["shop@v2.0.0"] == 1_700_000_201


def test_a_rule_of_the_reading_travels_with_its_tags(repository: Repository) -> None:
    repository.commit("Begin")
    repository.git("tag", "live/42")
    rule = {"deployments": r"live/(?P<version>\d+)", "service": "{name}"}
    deployed = [e.data for e in events(repository.path, rule=rule) if isinstance(e.data, DeploymentEvent)]
    assert [(data.service, data.version) for data in deployed] == [("shop", "42")]
    assert deliveries(repository.path)[-1].id != deliveries(repository.path, rule=rule)[-1].id
    with pytest.raises(ConfigError, match="deployments"):
        deliveries(repository.path, rule={"deployments": "("})


def test_excluded_history_is_not_read_again(repository: Repository) -> None:
    repository.commit("One")
    repository.git("tag", "v1.0.0")
    repository.commit("Two")
    assert set(commits(repository.path, exclude=["v1.0.0"])) == {"Two"}
    for revision in ("nowhere", "--output=x"):
        with pytest.raises(ConfigError, match=revision):
            deliveries(repository.path, exclude=[revision])


def test_stashes_and_notes_are_no_deliveries(repository: Repository) -> None:
    repository.commit("One", "a")
    repository.git("notes", "add", "--message", "a note")
    (repository.path / "a").write_text("changed")
    repository.git("stash", "--quiet")
    assert set(commits(repository.path)) == {"One"}


def test_a_shallow_edge_has_unknown_parents(repository: Repository, tmp_path: Path) -> None:
    for title in ("One", "Two", "Three"):
        repository.commit(title)
    shallow = tmp_path / "shallow"
    url = repository.path.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=2", url, str(shallow)], check=True, capture_output=True)
    found = commits(shallow)
    assert set(found) == {"Two", "Three"}
    assert found["Two"].parents is None
    assert found["Three"].parents == [found["Two"].sha]


def test_a_bare_clone_and_the_original_are_the_same_events(repository: Repository, tmp_path: Path) -> None:
    repository.commit("One")
    bare = tmp_path / "mirror" / "shop.git"
    subprocess.run(
        ["git", "clone", "--quiet", "--bare", str(repository.path), str(bare)], check=True, capture_output=True
    )
    assert events(bare, repo="acme/shop") == events(repository.path, repo="acme/shop")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://user:token@git.example.com/group/sub/shop/", "group/sub/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@git.example.com:2222/acme/shop.git", "acme/shop"),
        ("/srv/git/shop.git", "shop"),
    ],
)
def test_the_name_is_that_of_the_remote(repository: Repository, url: str, name: str) -> None:
    repository.git("remote", "add", "origin", url)
    assert repository_name(repository.path) == name


def test_an_empty_repository_has_no_deliveries(repository: Repository) -> None:
    assert deliveries(repository.path) == []


def test_a_damaged_repository_is_named(repository: Repository) -> None:
    repository.commit("One")
    for pack in (repository.path / ".git" / "objects").glob("??/*"):
        pack.unlink()
    with pytest.raises(ConfigError, match=r"shop: git log failed"):
        deliveries(repository.path)


def test_missing_git_is_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigError, match="install git"):
        deliveries(repository.path)


def history(folder: Path, name: str, *lines: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


COMMIT = b'{"sha": "%s", "parents": [], "author_date": "2026-01-01T00:00:00Z", "commit_date": "2026-01-01T00:00:00Z"}'


def test_a_bad_line_of_a_history_is_kept_and_quarantined(tmp_path: Path) -> None:
    good = COMMIT % (b"a" * 40)
    path = history(tmp_path, "acme__shop.commits.jsonl.gz", good, b"", b'{"sha": "tru', b"\xff\xfe", good)
    found = deliveries(path)
    assert len(found) == 4
    assert len({delivery.id for delivery in found}) == 3
    assert {delivery.headers["repo"] for delivery in found} == {"acme/shop"}
    for bad in found[1:3]:
        with pytest.raises(Quarantined, match="bad_json"):
            CONNECTOR.translate(bad, Context(actor_key=KEY))


def test_a_history_and_its_repository_have_the_same_ids(repository: Repository, tmp_path: Path) -> None:
    sha = repository.commit("One")
    repository.git("tag", "v1.0.0")
    history(tmp_path, "acme__shop.commits.jsonl.gz", COMMIT % sha.encode())
    history(tmp_path, "acme__shop.tags.jsonl.gz", b'{"tag": "v1.0.0", "commit": "%s"}' % sha.encode())
    recorded = {found.id for path in sorted(tmp_path.glob("*.gz")) for found in deliveries(path)}
    assert recorded == {found.id for found in deliveries(repository.path, repo="acme/shop")}


def test_a_folder_is_read_with_all_that_is_in_it(repository: Repository) -> None:
    repository.commit("One")
    folder = repository.path.parent
    (folder / "acme__web.commits.jsonl").write_bytes(COMMIT % (b"b" * 40) + b"\n")
    (folder / "notes.txt").write_text("not ours")
    assert [found.headers["repo"] for found in deliveries(folder)] == ["acme/web", "shop"]
    with pytest.raises(ConfigError, match="cannot be the name of them all"):
        deliveries(folder, repo="acme/other")


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[: len(raw) // 2], lambda _: b"no gzip", lambda raw: raw[:-8] + b"12345678"]
)
def test_a_damaged_history_is_named(tmp_path: Path, damage: Any) -> None:
    lines = [COMMIT % (b"%040x" % number) for number in range(1_000)]
    path = history(tmp_path, "acme__shop.commits.jsonl.gz", *lines)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ConfigError, match=r"acme__shop.commits.jsonl.gz: unreadable after line \d+"):
        deliveries(path)


@pytest.mark.parametrize("name", ["nothing", "file.txt", "folder"])
def test_a_path_that_holds_nothing_of_ours_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=name):
        deliveries(tmp_path / name)


def test_names_of_histories() -> None:
    assert history_name(Path("x/apache__kafka.tags.jsonl.gz")) == "apache/kafka"
    assert history_name(Path("shop.commits.jsonl")) == "shop"
