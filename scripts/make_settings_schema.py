"""Write docs/settings.schema.json from the settings and the catalogue. `--check` only says whether it is stale."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cmgan_audit.report.settings_schema import settings_schema
from cmgan_audit.rules.catalogue import load_catalogue

TARGET = Path(__file__).resolve().parents[1] / "docs" / "settings.schema.json"


def content() -> str:
    """Return what the file should hold."""
    rules = [rule for rule in load_catalogue() if rule.door == "check"]
    return json.dumps(settings_schema(rules), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    stale = not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != content()
    if parser.parse_args().check:
        if stale:
            print(f"docs/{TARGET.name} is stale")
        return int(stale)
    TARGET.write_text(content(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
