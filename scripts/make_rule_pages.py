"""Write docs/rules/: a page per rule and the index, from the catalogue. `--check` only says what is stale."""

from __future__ import annotations

import argparse
from pathlib import Path

from cmgan_audit.report.rule_markdown import index, page_name, rule_page
from cmgan_audit.rules.catalogue import load_catalogue

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "rules"


def pages() -> dict[str, str]:
    """Return file name -> content of everything that belongs in docs/rules/."""
    catalogue = load_catalogue()
    return {"README.md": index(catalogue), **{page_name(rule): rule_page(rule) for rule in catalogue}}


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of the files that are missing, differ, or belong to no rule."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    names = stale()
    if parser.parse_args().check:
        for name in names:
            print(f"docs/rules/{name} is stale")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name in names:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
        print(f"docs/rules/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
