"""The git command: asked for what it knows, never for anything that writes, fetches or asks back."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from pipeline.events.errors import ConfigError

_CHUNK = 1 << 20


def text(raw: bytes) -> str:
    """Return what git printed as text; what is no UTF-8 is replaced."""
    return raw.decode("utf-8", errors="replace")


def _command(path: Path, arguments: Sequence[str]) -> list[str]:
    return ["git", "--no-pager", "--no-replace-objects", "-C", str(path), *arguments]


def _environment() -> dict[str, str]:
    """Messages in English, and nothing that asks, writes or fetches."""
    quiet = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    return {**os.environ, **quiet}


def run(path: Path, arguments: Sequence[str]) -> bytes:
    """Return what git prints. Raises `ConfigError` when git is missing or refuses."""
    return b"".join(stream(path, arguments))


def stream(path: Path, arguments: Sequence[str]) -> Iterator[bytes]:
    """Yield what git prints in pieces. Raises `ConfigError` when git is missing or refuses."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                _command(path, arguments), stdout=subprocess.PIPE, stderr=errors, env=_environment()
            )
        except FileNotFoundError as error:
            raise ConfigError("the git command was not found; install git or put it on the PATH") from error
        with process as running, _stdout(running) as out:
            while chunk := out.read(_CHUNK):
                yield chunk
        if process.returncode != 0:
            raise ConfigError(_complaint(path, arguments, errors))


def _stdout(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise ConfigError("git was started without a pipe to read from")
    return process.stdout


def _complaint(path: Path, arguments: Sequence[str], errors: IO[bytes]) -> str:
    errors.seek(0)
    said = " ".join(text(errors.read(2_000)).split()) or "no message"
    return f"{path}: git {arguments[0]} failed: {said}"


def tokens(path: Path, arguments: Sequence[str]) -> Iterator[bytes]:
    """Yield what git prints, divided by NUL. Raises as `stream` does."""
    rest = b""
    for chunk in stream(path, arguments):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest
