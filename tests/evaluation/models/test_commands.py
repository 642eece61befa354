"""Commands that enhance an utterance each."""

from __future__ import annotations

import numpy as np
import pytest

from cmgan_audit.evaluation.models import ModelError
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source
from tests.evaluation.models.helpers import NOISY, opened


def test_a_command(tmp_path, checkpoint):
    script = tmp_path / "infer.py"
    script.write_text(
        "import sys, wave\nckpt, source, target = sys.argv[1:]\nassert open(ckpt, 'rb').read()\nprint('enhancing')\n"
        "open(target, 'wb').write(open(source, 'rb').read())\n"
    )
    options = ModelOptions(enhance_command=f"python3 {script} {{checkpoint}} {{noisy}} {{out}}")
    source = model_source(options)
    assert source.notice == "runs the command python3 once an utterance"
    enhancer = source.open(checkpoint)
    noisy = np.round(NOISY * 32768).astype(np.float32) / np.float32(32768)
    assert np.array_equal(enhancer.enhance(noisy), noisy)
    identity = enhancer.identity
    script.write_text(script.read_text() + "# changed\n")
    assert source.open(checkpoint).identity != identity


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false {noisy} {out}", "false: ended with status 1"),
        ("true {noisy} {out}", "true: wrote no audio"),
        ("cp /dev/null {out} {noisy}", "cp: ended with status"),
    ],
)
def test_a_command_that_fails(checkpoint, command, said):
    with pytest.raises(ModelError, match=said):
        opened(ModelOptions(enhance_command=command), checkpoint).enhance(NOISY)


def test_a_command_that_hangs(checkpoint):
    from cmgan_audit.evaluation.models.command import CommandEnhancer

    with pytest.raises(ModelError, match=r"sleep: took more than 0\.5 s"):
        CommandEnhancer(("sleep", "60"), checkpoint, seconds=0.5).enhance(NOISY)
