"""Write the dashboards as JSON: `python -m deploy.grafana.build`, or `--check` that what is there is what they give."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.dashboards import pages

JSON = Path(__file__).parent / "json"


def rendered() -> dict[str, str]:
    """Return the name of each file and what it has to contain."""
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {f"{page.uid}.json": encoder.encode(page.build()) + "\n" for page in pages()}


def stale(folder: Path) -> list[str]:
    """Return the files of a folder that are missing, differ, or belong to no dashboard."""
    wanted = rendered()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write(folder: Path) -> None:
    """Write all dashboards into a folder, and take away those that are no more."""
    folder.mkdir(exist_ok=True)
    wanted = rendered()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (folder / name).write_text(content, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` tell which are out of date; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"unknown arguments {arguments}; give none, or --check\n")
        return 2
    if not arguments:
        write(JSON)
    if found := stale(JSON):
        sys.stderr.write(f"out of date: {', '.join(found)}; run python -m deploy.grafana.build\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
