"""`trend` as a user meets it: the installed command, its output, its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("cmgan-audit")
LOGS = Path(__file__).parents[2] / "fixtures" / "logs"


def trend(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), "trend", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def test_quoted_case_as_json() -> None:
    done = trend(LOGS / "quoted_decline.csv", "--format", "json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["schema"] == "cmgan-audit/trend/v1"
    assert document["verdict"] == "degraded"
    pesq = document["runs"][0]["series"][0]
    assert (pesq["name"], pesq["role"], pesq["x"], pesq["higher_is_better"]) == ("pesq", "metric", "epoch", True)
    assert pesq["points"] == [[0, 2.45], [2, 2.6394], [7, 2.2148], [8, 2.2043], [14, 2.07]]
    first = document["findings"][0]
    assert (first["rule"], first["severity"], first["line"]) == ("CMG801", "error", 5)
    expected = {"best": 2.6394, "best_at": 2, "last": 2.07, "last_at": 14, "since": 7, "drop": 0.5694, "noise": 0.1}
    assert {key: first["evidence"][key] for key in expected} == expected
    assert first["evidence"]["noise_from"] == "assumed"
    assert "CMG802" in [finding["rule"] for finding in document["findings"]]


def test_plots_and_document(tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    pytest.importorskip("matplotlib")
    done = trend(LOGS / "declining.log", "--out", tmp_path / "one", "--quiet")
    again = command("trend", LOGS / "declining.log", "--out", tmp_path / "two", "--quiet")
    assert (done.returncode, done.stderr, again.stderr) == (1, "", "")
    assert (tmp_path / "one" / "trend.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((tmp_path / "one" / "trend.json").read_text())["verdict"] == "degraded"
    for name in ("trend.png", "trend.svg", "trend.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_out_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None; import importlib.util as u; f = u.find_spec;"
        "u.find_spec = lambda n, *a: None if n == 'matplotlib' else f(n, *a);"
        "from cmgan_audit.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "trend", str(LOGS / "healthy.csv"), "--out", str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "cmgan-audit: trend --out needs more packages: pip install 'cmgan-audit[plot]'\n"


def test_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv[1:] = ['trend', sys.argv[1], '--fail-on', 'never', '--format', 'json'];\n"
        "from cmgan_audit.cli.app import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(LOGS / "declining.log")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
