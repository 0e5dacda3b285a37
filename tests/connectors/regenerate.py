"""Write `expected.json` of a case from the present code: `python -m tests.connectors.regenerate NAME CASE`.

It knows nothing of right or wrong: read every value before you commit it.
"""

from __future__ import annotations

import json
import sys

from tests.connectors.casebook import ROOT, read_case


def main(arguments: list[str]) -> int:
    """Regenerate one case; returns the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.connectors.regenerate NAME CASE\n")
        return 2
    name, case_name = arguments
    folder = ROOT / name / "cases" / case_name
    if not (folder / "delivery.json").is_file():
        sys.stderr.write(f"{folder / 'delivery.json'} does not exist; write the delivery first\n")
        return 2
    text = json.dumps(read_case(name, folder).outcome(), indent=2, ensure_ascii=False) + "\n"
    (folder / "expected.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
