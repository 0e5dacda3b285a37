"""A Leadline in a folder, told things by events and by its own verbs."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.events.codec import decode
from pipeline.events.envelope import Event
from pipeline.log.protocol import EVENTS, event_record
from pipeline.settings import load_settings
from pipeline.snapshots.build import build
from pipeline.wiring import Wiring, clock


class Office:
    """Runs verbs within this process, in a folder of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        patch.chdir(folder)
        patch.delenv("LEADLINE_CONFIG", raising=False)
        self.folder = folder

    def tell(self, *events: Event) -> None:
        """Append events and fold them, as `leadline run --once` does."""
        wiring = Wiring(load_settings())
        if events:
            latest = max(event.time for event in events)
            wiring.log().append(EVENTS, [event_record(event) for event in events], latest)
        wiring.engine().run()
        wiring.close()

    def snap(self) -> None:
        """Take a snapshot."""
        wiring = Wiring(load_settings())
        build(wiring.store(), wiring.log(), wiring.settings.snapshots, clock(), version=version("leadline"))
        wiring.close()

    def run(self, *arguments: str) -> Result:
        """Run a verb; errors raised on purpose are in the result."""
        return CliRunner().invoke(app, list(arguments))

    def rows(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """Run a verb that prints rows."""
        done = self.run(*arguments, "--output", "json")
        assert done.exit_code == code, done.output
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def events(self) -> list[Event]:
        """Return all that the log holds."""
        wiring = Wiring(load_settings())
        found = [decode(value) for _, _, value in wiring.log().read_values(EVENTS)]
        wiring.close()
        return found
