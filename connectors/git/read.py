"""Deliveries from a path: a repository, a recorded history, or a folder of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.git.histories import history_name, is_history, read_history
from connectors.git.options import ReadOptions
from connectors.git.releases import rules
from connectors.git.repository import is_repository, read_repository
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError


def read(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    """Yield the deliveries of `path`: commits first, then tags.

    Raises `ConfigError` naming the path and what was expected there, or a rule that cannot be used.
    """
    rules(options.rule)
    if not path.exists():
        raise ConfigError(f"{path}: no such file or directory")
    if path.is_file():
        yield from read_history(path, options)
    elif is_repository(path):
        yield from read_repository(path, options)
    else:
        yield from _folder(path, options)


def _folder(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    """Read each recorded history and each repository directly in a folder."""
    children = sorted(path.iterdir())
    histories = [child for child in children if child.is_file() and is_history(child)]
    repositories = [child for child in children if child.is_dir() and is_repository(child)]
    if not histories and not repositories:
        raise ConfigError(
            f"{path}: not a git repository, and no repository, *.commits.jsonl.gz or *.tags.jsonl.gz is directly in it"
        )
    if options.repo and len({history_name(history) for history in histories}) + len(repositories) > 1:
        raise ConfigError(f"{path}: holds several repositories; {options.repo!r} cannot be the name of them all")
    for history in histories:
        yield from read_history(history, options)
    for repository in repositories:
        yield from read_repository(repository, options)
