"""The worked example of docs/outcomes.md gives the samples that it says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from connectors.segment import CONNECTOR
from pipeline.contract.metric import Metric
from pipeline.events.delivery import Context, Delivery
from pipeline.ingest import deliveries
from pipeline.ingest.observation_store import MemoryStore
from pipeline.ingest.translate import Translator
from pipeline.log.memory import MemoryLog
from tests.ingest.tracking import RECORDED, START, declare, told

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"


def test_the_worked_example_is_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    written, calls = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[0] for kind in ("yaml", "json"))
    contract = yaml.safe_load(written)
    Metric.model_validate(contract)
    log = MemoryLog()
    declare(log, contract["metadata"]["name"], contract["spec"])
    bodies = [line.encode() for line in calls.splitlines()]
    sent = [
        Delivery(connector="segment", id=f"{index}", kind="track", received_at=RECORDED, body=body)
        for index, body in enumerate(bodies)
    ]
    deliveries.store(log, sent, RECORDED)
    translate = Translator(log, {"segment": CONNECTOR}, lambda _: Context(actor_key=b"key"), MemoryStore())
    assert translate.run(RECORDED, limit=3).observations + translate.run(RECORDED).observations == len(bodies) == 7
    rows = re.findall(r"^\| (?:`([\w-]+)`|everybody) \| (\d+) \| ([\d.]+) \|", text, re.MULTILINE)
    said = {("activation_rate", START, variant or None): (int(n), float(total), None) for variant, n, total in rows}
    assert len(said) == 3
    assert told(log, "segment") == said
