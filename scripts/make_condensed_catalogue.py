"""Write rules/condensed.jsonl, a line per rule file that is quickly read. `--check` only says whether it is stale."""

from __future__ import annotations

import argparse

from cmgan_audit.rules.catalogue import find_catalogue, load_catalogue
from cmgan_audit.rules.condensed import NAME, condense


def lines() -> str:
    """Return what the file should hold."""
    return "".join(f"{condense(rule, rule.path.read_bytes())}\n" for rule in load_catalogue())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    check = parser.parse_args().check
    path, wanted = find_catalogue() / NAME, lines()
    stale = not path.is_file() or path.read_text(encoding="utf-8") != wanted
    if stale and check:
        print(f"rules/{NAME} is stale")
        return 1
    if stale:
        path.write_text(wanted, encoding="utf-8", newline="\n")
        print(f"rules/{NAME}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
