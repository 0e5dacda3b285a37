"""What runbooks tell to do can be done: their commands, options, questions and parameters exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

import queries
from pipeline.cli import app
from pipeline.metrics.catalogue import BY_NAME
from tests.architecture.sources import ROOT, relative

RUNBOOKS = sorted((ROOT / "deploy" / "runbooks").glob("*.md"))
SECTIONS = ["What it means", "First look", "How it clears"]
LINE = 170
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
each_runbook = pytest.mark.parametrize("runbook", RUNBOOKS, ids=relative)


def commands(text: str) -> list[list[str]]:
    """Return the words of the commands in a page, without comments."""
    lines = "\n".join(_BLOCK.findall(text)).splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def check(words: list[str]) -> None:
    """Fail if a command of ours does not parse, or names a question, a parameter or a metric that there is not."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("leadline", words[1:], resilient_parsing=True)
    rest = words[1:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
        context = command.make_context(command.name, list(rest), parent=context, resilient_parsing="--help" in rest)
    if words[1] == "query":
        given = context.params
        queries.load(given["name"]).with_defaults(dict(each.split("=", 1) for each in given["param"] or []))
    named = {value for value in (context.params.get("metric"), context.params.get("subject")) if value}
    assert all(" > " in name or name in BY_NAME for name in named), named


@each_runbook
def test_a_runbook_has_its_fixed_parts(runbook: Path) -> None:
    text = runbook.read_text("utf-8")
    title, lead = text.split("\n", 2)[0], text.split("\n", 3)[2]
    assert (title, bool(lead)) == (f"# {runbook.stem}", True)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert [line for line in text.splitlines() if len(line) > LINE] == []


@each_runbook
def test_a_runbook_begins_with_commands_that_exist(runbook: Path) -> None:
    told = commands(runbook.read_text("utf-8"))
    assert {words[0] for words in told} <= {"leadline", "curl"}
    ours = [words for words in told if words[0] == "leadline"]
    assert ours
    for words in ours:
        check(words)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("leadline query debts", "no query 'debts'"),
        ("leadline query debt -p who=me", "no parameter 'who'"),
        ("leadline log stat --all", "No such option: --all"),
        ("leadline explain debt", "'debt'"),
    ],
)
def test_a_command_that_does_not_exist_is_seen(line: str, what: str) -> None:
    (words,) = commands(f"```sh\n{line}  # what it is for\n```\n")
    with pytest.raises(Exception, match=what):
        check(words)
