"""What a person reads when a contract file is wrong: file, line, field, what is wrong and what to do."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.load import load, parse
from pipeline.contract.source import MAX_BYTES, read_documents
from pipeline.events.errors import ConfigError

TEAM = "apiVersion: leadline/v1\nkind: Team\nmetadata: {name: growth}\n"


def problems_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str | bytes) -> list[str]:
    """Write `contract/<name>.yaml` files and return the problems, findings marked with `?`."""
    monkeypatch.chdir(tmp_path)
    directory = Path("contract")
    directory.mkdir()
    for name, content in files.items():
        (directory / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    found = load([directory]).problems
    return [str(problem) if problem.severity == "error" else f"? {problem}" for problem in found]


def initiative(*spec_lines: str, name: str = "faster") -> str:
    lines = ["apiVersion: leadline/v1", "kind: Initiative", f"metadata: {{name: {name}}}", "spec:", "  stage: bet"]
    return "\n".join([*lines, *(f"  {line}" for line in spec_lines), ""])


def service(*spec_lines: str, name: str = "shop") -> str:
    lines = ["apiVersion: leadline/v1", "kind: Service", f"metadata: {{name: {name}}}", "spec:", "  owner: growth"]
    return "\n".join([*lines, *(f"  {line}" for line in spec_lines), ""])


ONE_FILE = {
    "misspelt key": (
        initiative("outcoms: []"),
        "6: spec.outcoms: unknown key; did you mean 'outcomes'?",
    ),
    "misspelt key at the top": (
        "apiVersion: leadline/v1\nkind: Team\nmetdata: {name: a}\n",
        "3: metdata: unknown key; did you mean 'metadata'?",
    ),
    "misspelt key in a list item": (
        initiative(
            "outcomes:",
            "  - {metric: a, target: 2, direction: up}",
            "  - metric: b",
            "    targt: 3",
            "    direction: up",
        ),
        "9: spec.outcomes[1].targt: unknown key; did you mean 'target'?",
    ),
    "key of the other section": (
        initiative("displayName: Faster"),
        "6: spec.displayName: unknown key; it belongs under 'metadata'",
    ),
    "key like no other": (
        "apiVersion: leadline/v1\nkind: Team\nmetadata: {name: growth}\nspec:\n  xyzzy: 1\n",
        "5: spec.xyzzy: unknown key; valid keys are type, aliases, interactions",
    ),
    "tracked thing of an unlisted tracker": (
        initiative("tracks:", "  shortcut:", "    - {epik: S-1}"),
        "8: spec.tracks.shortcut[0].epik: unknown key; did you mean 'epic'?",
    ),
    "missing key, at its parent": (
        "apiVersion: leadline/v1\nkind: Service\nmetadata: {name: shop}\n\nspec:\n  repos: [acme/shop]\n",
        "5: spec.owner: required, but missing: The team that answers for it.",
    ),
    "two owners": (
        initiative("owner: [growth, identity]"),
        "6: spec.owner: expected text, found a list; write exactly one",
    ),
    "text for a list": (
        service("repos: acme/shop"),
        "6: spec.repos: expected a list, found the text 'acme/shop'; write [acme/shop]",
    ),
    "number for text": (
        initiative("tracks:", "  jira:", "    - epic: 12"),
        "8: spec.tracks.jira[0].epic: expected text, found the number 12; put it in quotes",
    ),
    "boolean for text": (
        service("environments: {production: [yes]}"),
        "6: spec.environments.production[0]: expected text, found the boolean true; put it in quotes",
    ),
    "nothing for a list": (
        service("repos:"),
        "6: spec.repos: expected a list, found nothing",
    ),
    "unknown stage": (
        "apiVersion: leadline/v1\nkind: Initiative\nmetadata: {name: a}\nspec:\n  stage: bets\n",
        "5: spec.stage: 'bets' is not one of idea, bet, commit, done, stopped; did you mean 'bet'?",
    ),
    "unknown canonical status as a key": (
        (
            "apiVersion: leadline/v1\nkind: StatusMap\nmetadata: {name: jira}\n"
            "spec:\n  tracker: jira\n  map: {Done: done}\n  evidence:\n    don: [merge]\n"
        ),
        (
            "8: spec.evidence.don: 'don' is not one of proposed, ready, in_progress, in_review, blocked, "
            "done, cancelled; did you mean 'done'?"
        ),
    ),
    "duration without a unit": (
        "apiVersion: leadline/v1\nkind: Policy\nmetadata: {name: default}\nspec:\n  attributionWindow: 72\n",
        (
            "5: spec.attributionWindow: '72' is not a duration; write a whole number and a unit "
            "(s, m, h, d, w), such as '72h'"
        ),
    ),
    "name that is no slug": (
        "apiVersion: leadline/v1\nkind: Team\nmetadata:\n  name: Growth & Co\n",
        (
            "4: metadata.name: 'Growth & Co' is not a name; use lower-case letters, digits and . / -, "
            "such as 'growth-co'"
        ),
    ),
    "outcome that contradicts itself": (
        initiative("outcomes:", "- {metric: a, baseline: 3, target: 2, direction: up}"),
        ("7: spec.outcomes[0]: target 2.0 does not lie up from baseline 3.0; correct the direction or one of the two"),
    ),
    "two things in one track": (
        initiative("tracks:", "  jira:", "  - {epic: A-1, label: b}"),
        "8: spec.tracks.jira[0]: needs exactly one of epic, ticket, label; found epic, label",
    ),
    "horizon": (
        initiative("horizon: soon"),
        "6: spec.horizon: 'soon' is neither a date such as '2026-12-31' nor a duration such as '28d'",
    ),
    "gate": (
        "apiVersion: leadline/v1\nkind: Initiative\nmetadata: {name: a}\nspec:\n  horizon: 28d\n  stage: commit\n",
        "6: spec.stage: 'commit' needs owner, outcomes, decision; add what is missing or go back to 'bet'",
    ),
    "kind": (
        "apiVersion: leadline/v1\nkind: Sevice\nmetadata: {name: a}\n",
        (
            "2: kind: 'Sevice' is not a kind; kinds are Initiative, Team, Service, StatusMap, Policy, Metric; "
            "did you mean 'Service'?"
        ),
    ),
    "api version": (
        "apiVersion: v1\nkind: Team\nmetadata: {name: a}\n",
        "1: apiVersion: 'v1' is not one of leadline/v1",
    ),
    "no kind": (
        "metadata: {name: a}\n",
        "1: kind: required, but missing; kinds are Initiative, Team, Service, StatusMap, Policy, Metric",
    ),
    "no object": (
        TEAM + "---\n- a\n- b\n",
        "5: expected an object with apiVersion, kind, metadata and spec",
    ),
    "environment with two purposes": (
        service("environments:", "  production: [live]", "  staging: [Live]"),
        ("8: spec.environments.staging[0]: 'Live' is listed under 'production' too; an environment has one purpose"),
    ),
}


@pytest.mark.parametrize(("text", "expected"), ONE_FILE.values(), ids=ONE_FILE)
def test_an_error_names_file_line_field_and_cure(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems_of(tmp_path, monkeypatch, shop=text, team=TEAM) == [
        line for line in [f"contract/shop.yaml:{expected}", _named_twice(text)] if line
    ]


def _named_twice(text: str) -> str | None:
    """The case that begins with the team of the other file repeats its name."""
    if not text.startswith(TEAM + "---"):
        return None
    return "contract/team.yaml:3: metadata.name: Team 'growth' is declared twice; first at contract/shop.yaml:3"


NOT_YAML: dict[str, tuple[str | bytes, str]] = {
    "tab": (
        "spec:\n\towner: a\n",
        "contract/a.yaml:2: not YAML: a tab where indentation is expected; indent with spaces",
    ),
    "open bracket": (
        "kind: [Team\nspec: 1\n",
        "contract/a.yaml:2: not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
    ),
    "nested colon": ("kind: a: b\n", "contract/a.yaml:1: not YAML: mapping values are not allowed here"),
    "bytes": (b"kind: Team\nname: \xff\n", "contract/a.yaml:2: byte 0xff is not UTF-8; save the file as UTF-8"),
    "control character": ("kind: Team\na: \x07\n", "contract/a.yaml:2: character U+0007 is not allowed; remove it"),
    "depth": ("[" * 2_000, "contract/a.yaml: nested more than 50 levels deep"),
    "size": ("#" * (MAX_BYTES + 1), "contract/a.yaml: 524,289 bytes; the limit is 524,288, split the file"),
}


@pytest.mark.parametrize(("content", "expected"), NOT_YAML.values(), ids=NOT_YAML)
def test_what_is_not_yaml_is_one_located_error(
    content: str | bytes, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems_of(tmp_path, monkeypatch, a=content) == [expected]


def test_aliases_are_expanded_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    assert problems_of(tmp_path, monkeypatch, bomb="\n".join(lines)) == [
        "contract/bomb.yaml:5: a4: more than 50,000 values, aliases counted wherever they are used; split the file"
    ]


def test_an_alias_that_contains_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems_of(tmp_path, monkeypatch, a="spec: &s [*s]\n") == [
        "contract/a.yaml:1: spec: nested more than 50 levels deep"
    ]


def test_no_tag_constructs_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEAM + "spec:\n  type: !!python/object/apply:os.getcwd []\n"
    assert problems_of(tmp_path, monkeypatch, a=text) == [
        "contract/a.yaml:5: spec.type: this is not a plain YAML value; write it in quotes",
    ]


def test_a_key_given_twice_is_an_error_and_the_first_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "apiVersion: leadline/v1\nkind: Team\nmetadata:\n  name: growth\nspec:\n  type: platform\n  type: enabling\n"
    assert problems_of(tmp_path, monkeypatch, a=text) == [
        "contract/a.yaml:7: spec.type: duplicate key; it stands on line 6 already, keep one of them"
    ]


def test_words_that_yaml_reads_as_booleans_are_text_as_keys(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: leadline/v1\nkind: StatusMap\nmetadata: {name: jira}\n"
        "spec: {tracker: jira, map: {On: in_progress, No: cancelled, 12: ready}}\n"
    )
    [status_map] = load([tmp_path]).require()
    assert status_map.spec.model_dump()["map"] == {"On": "in_progress", "No": "cancelled", "12": "ready"}


def test_all_problems_of_all_files_come_together_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = "apiVersion: leadline/v1\nkind: Team\nmetadata: {name: growth}\nspec: {typ: platform}\n---\n" + TEAM
    assert problems_of(tmp_path, monkeypatch, b=service("repo: [x]", "pats: [y]"), a=team) == [
        "contract/a.yaml:4: spec.typ: unknown key; did you mean 'type'?",
        "contract/b.yaml:6: spec.repo: unknown key; did you mean 'repos'?",
        "contract/b.yaml:7: spec.pats: unknown key; did you mean 'paths'?",
    ]


REFERENCES = {
    "owner": (
        service().replace("owner: growth", "owner: grwoth"),
        "contract/b.yaml:5: spec.owner: no Team 'grwoth' is declared; did you mean 'growth'?",
    ),
    "depends on": (
        service("dependsOn:", "  - shop-api"),
        "contract/b.yaml:7: spec.dependsOn[0]: no Service 'shop-api' is declared; did you mean 'shop'?",
    ),
    "interaction": (
        TEAM.replace("growth", "data") + "spec: {interactions: [{with: zzz, mode: collaboration}]}\n",
        "contract/b.yaml:4: spec.interactions[0].with: no Team 'zzz' is declared; declare it or correct the name",
    ),
    "interaction with itself": (
        TEAM.replace("growth", "data") + "spec: {interactions: [{with: data, mode: collaboration}]}\n",
        "contract/b.yaml:4: spec.interactions[0].with: a team has no interaction with itself; name the other team",
    ),
    "tracked service": (
        initiative("tracks: {service: [acme/undeclared, nowhere]}"),
        "contract/b.yaml:6: spec.tracks.service[1]: no Service 'nowhere' is declared; declare it or correct the name",
    ),
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.values(), ids=REFERENCES)
def test_a_reference_that_leads_nowhere_is_an_error(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems_of(tmp_path, monkeypatch, a=TEAM, b=text) == [expected]


def test_a_reference_may_lead_to_what_is_known_elsewhere_or_is_wrong_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(service())
    assert [problem.path for problem in load([tmp_path]).errors] == ["spec.owner"]
    assert load([tmp_path], known={("Team", "growth")}).errors == []
    (tmp_path / "b.yaml").write_text(TEAM + "spec: {typ: platform}\n")
    assert [problem.path for problem in load([tmp_path]).errors] == ["spec.typ"]


def test_s2_two_initiatives_that_track_one_epic_are_a_semantic_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = initiative("tracks: {jira: [{epic: GROW-12}, {label: x}]}", name="faster")
    second = initiative("tracks:", "  jira:", "    - {ticket: GROW-12}", name="cheaper")
    assert problems_of(tmp_path, monkeypatch, a=first, b=second) == [
        (
            "? contract/b.yaml:8: spec.tracks.jira[0].ticket: semantic conflict: ticket 'GROW-12' is tracked by "
            "Initiative 'cheaper' and by Initiative 'faster' (contract/a.yaml:6); its work will be ambiguous"
        )
    ]


def test_s2_two_maps_of_one_tracker_that_disagree_are_a_semantic_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "apiVersion: leadline/v1\nkind: StatusMap\nmetadata: {{name: {}}}\nspec: {{tracker: {}, {}}}\n"
    first = text.format("one", "jira", "map: {Done: done}, types: {Initiative: epic, Bug: bug}")
    second = text.format("two", "jira", "map: {DONE: ready, Open: ready}, types: {initiative: story, Bug: bug}")
    assert problems_of(tmp_path, monkeypatch, a=first, b=second) == [
        (
            "? contract/b.yaml:4: spec.tracker: StatusMap 'one' (contract/a.yaml) is for this tracker as well and goes "
            "first, so that this one is never used; put all words into one"
        ),
        (
            "? contract/b.yaml:4: spec.map.DONE: semantic conflict: 'DONE' means 'ready' here and 'done' in StatusMap "
            "'one' (contract/a.yaml); one tracker, one meaning"
        ),
        (
            "? contract/b.yaml:4: spec.types.initiative: semantic conflict: 'initiative' means 'story' here and "
            "'epic' in StatusMap 'one' (contract/a.yaml); one tracker, one meaning"
        ),
    ]


def test_services_that_share_a_repository_need_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = service("repos: [acme/other, acme/mono]")
    api = service("repos: [acme/mono]", "paths: [api]", name="api")
    assert problems_of(tmp_path, monkeypatch, a=TEAM, b=shop, c=api) == [
        (
            "? contract/b.yaml:6: spec.repos[1]: repository 'acme/mono' is claimed by Service 'api' as well and this "
            "one has no paths, so their changes cannot be told apart; add spec.paths"
        )
    ]


def test_a_circle_of_services_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [
        service(f"dependsOn: [{needed}]", name=name)
        for name, needed in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    ]
    assert problems_of(tmp_path, monkeypatch, a=TEAM, b="---\n".join(chain)) == [
        "? contract/b.yaml:6: spec.dependsOn: circular: a -> b -> c -> a; none of these can be changed alone"
    ]


def test_names_given_twice_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aliases = (
        initiative("aliases: [Speed]", name="faster")
        + "---\n"
        + initiative("aliases:", "- SPEED", "- Faster", name="b")
    )
    policies = "apiVersion: leadline/v1\nkind: Policy\nmetadata: {name: one}\n"
    assert problems_of(
        tmp_path, monkeypatch, a=aliases, b=TEAM + "---\n" + TEAM, c=policies + "---\n" + policies.replace("one", "two")
    ) == [
        "contract/a.yaml:14: spec.aliases[0]: 'SPEED' already names Initiative 'faster'; one name, one initiative",
        "contract/a.yaml:15: spec.aliases[1]: 'Faster' already names Initiative 'faster'; one name, one initiative",
        "contract/b.yaml:7: metadata.name: Team 'growth' is declared twice; first at contract/b.yaml:3",
        "contract/c.yaml:7: metadata.name: a contract has one Policy; 'one' is at contract/c.yaml:3",
    ]


def test_smaller_doubts_are_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unusual = initiative("tracks: {jria: [{epic: A-1}]}")
    assert problems_of(tmp_path, monkeypatch, a=TEAM, b=service("environments: {staging: [qa]}"), c=unusual) == [
        (
            "? contract/b.yaml:6: spec.environments: declares no production, so no deployment of this service will "
            "count; add its name"
        ),
        "? contract/c.yaml:6: spec.tracks.jria: unusual tracker; did you mean 'jira'?",
    ]


def test_places_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty/.hidden").mkdir(parents=True)
    Path("empty/.hidden/a.yaml").write_text("not: read")
    assert [str(problem) for problem in load([Path("empty"), Path("absent.yaml")]).problems] == [
        "absent.yaml: no such file or directory",
        "empty: no .yaml or .yml file in this directory",
    ]


def test_require_raises_all_errors_and_lets_findings_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(TEAM + "---\n" + service("environments: {staging: [qa]}"))
    assert [each.metadata.name for each in load([Path("a.yaml")]).require()] == ["growth", "shop"]
    Path("a.yaml").write_text(service("a: 1", "b: 2"))
    with pytest.raises(ConfigError) as caught:
        load([Path("a.yaml")]).require()
    assert [line.split(": ")[:2] for line in str(caught.value).splitlines()] == [
        ["a.yaml:6", "spec.a"],
        ["a.yaml:7", "spec.b"],
    ]


SAMPLE = Path(__file__).parents[2] / "deploy/contract"
PIECES = [
    "\t",
    ":",
    "- ",
    "[",
    "{",
    "&a ",
    "*a",
    "!!int ",
    "!!bool ",
    "!x ",
    "'",
    "---\n",
    "\n  ",
    "null",
    "1e999",
    "0b",
    "\x00",
    "\ufeff",
    "? ",
    "<<: ",
]


@given(st.sampled_from(sorted(SAMPLE.glob("*.yaml"))), st.randoms(use_true_random=False))
def test_no_damage_to_a_file_is_anything_but_problems_with_a_place(file: Path, chance: random.Random) -> None:
    text = file.read_text()
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text))
        text = text[:start] + chance.choice(PIECES) + text[start + chance.choice([0, 0, 1, 5, 40]) :]
    documents, problems = read_documents("a.yaml", text.encode())
    problems += [problem for document in documents for problem in parse(document)[1]]
    for problem in problems:
        assert 0 <= problem.line <= text.count("\n") + 1
        assert problem.message


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_reported(raw: bytes) -> None:
    documents, problems = read_documents("a.yaml", raw)
    assert all(problem.message for problem in problems)
    for document in documents:
        parsed, found = parse(document)
        assert parsed is None
        assert found
