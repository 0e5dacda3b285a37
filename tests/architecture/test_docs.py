"""What the documents name exists: files, make targets and commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pipeline.cli import app
from tests.architecture.sources import ROOT, relative

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "connectors/**/*.md", "queries/**/*.md", "deploy/**/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_MAKE = re.compile(r"(?:^|`)make ([a-z]+)\b", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?leadline((?: [a-z][a-z-]*)+)", re.MULTILINE)


def _unknown(words: list[str]) -> str | None:
    """Return the first word that is no command where one is expected."""
    command: Any = typer.main.get_command(app)
    for word in words:
        commands = getattr(command, "commands", None)
        if commands is None:
            return None
        if word not in commands:
            return word
        command = commands[word]
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in _LINK.findall(document.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_make_targets_and_commands_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(_MAKE.findall(text)) <= set(targets)
    commands = [words.split() for words in _COMMAND.findall(text)]
    assert [words for words in commands if _unknown(words)] == []


def test_the_readme_shows_how_to_start() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert {"demo", "test"} <= set(_MAKE.findall(text))
    assert len(_COMMAND.findall(text)) > 5
