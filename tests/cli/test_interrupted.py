"""Ctrl-C ends a command with a word and the status that shells expect."""

from __future__ import annotations

import pytest
import typer

from cmgan_audit.cli.commands import start
from cmgan_audit.cli.common import run


def test_an_interrupted_command_says_so_and_ends_with_130(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    app = typer.Typer()

    @app.command()
    def long() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["cmgan-audit"])
    with pytest.raises(SystemExit) as ended:
        run(lambda: start(app, None))
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip().endswith("cmgan-audit: interrupted")
