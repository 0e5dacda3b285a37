"""No file and no function grows past what one can read at a sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, python_files, relative

FILE_LINES = 500
FUNCTION_LINES = 70
FILES = python_files(*PACKAGES, "deploy", "tests")


def _too_long(source: str, limit: int) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > limit:
                yield f"{node.name}: {lines} lines"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_files_and_functions_are_short(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= FILE_LINES
    assert list(_too_long(source, FUNCTION_LINES)) == []


def test_the_check_sees_a_long_function() -> None:
    source = "class A:\n    async def slow(self):\n" + "        pass\n" * FUNCTION_LINES
    assert list(_too_long(source, FUNCTION_LINES)) == [f"slow: {FUNCTION_LINES + 1} lines"]
