"""Compute the golden tensors with the official CMGAN code. Run by hand, with a temporary checkout:

    git clone https://github.com/ruizhecao96/CMGAN /tmp/cmgan && git -C /tmp/cmgan checkout 3994600
    pip install --target /tmp/einops einops
    PYTHONPATH=/tmp/einops python tests/evaluation/models/golden/make.py /tmp/cmgan/src

The official files are imported unchanged. They were written for torch 1.10 and a GPU, so a few functions stand in:
`.cuda()` stays on the CPU, `torch.stft` / `istft` speak the old real-valued format, and audio comes from memory.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from known_weights import CHUNK, SIZES, known_spectrum, known_state, known_waveform  # noqa: E402


def stand_in_for_old_torch() -> None:
    """Let code for torch 1.10 on a GPU run on current torch without one."""
    stft, istft = torch.stft, torch.istft
    torch.Tensor.cuda = lambda self: self
    torch.stft = lambda *args, **kwargs: torch.view_as_real(stft(*args, return_complex=True, **kwargs))
    torch.istft = lambda x, *args, **kwargs: istft(torch.view_as_complex(x.contiguous()), *args, **kwargs)
    torchaudio = types.ModuleType("torchaudio")
    torchaudio.load = lambda path: (torch.from_numpy(known_waveform())[None], 16_000)
    natsort = types.ModuleType("natsort")
    natsort.natsorted = sorted
    sys.modules.update(torchaudio=torchaudio, natsort=natsort)


def main(source: str) -> None:
    """Write golden.npz beside this file."""
    stand_in_for_old_torch()
    sys.path.insert(0, source)
    sys.argv = sys.argv[:1]
    import evaluation
    from models.generator import TSCNet

    golden = {}
    for size, channels in SIZES.items():
        network = TSCNet(num_channel=channels, num_features=201)
        network.load_state_dict(known_state(network), strict=True)
        network.eval()
        with torch.no_grad():
            golden[f"{size}_spectrum"] = torch.cat(network(known_spectrum()), dim=1).numpy()
        golden[f"{size}_names"] = np.array(list(network.state_dict()))
        if size == "small":
            for name, cut in (("whole", 10 * CHUNK), ("chunked", CHUNK)):
                enhanced, _ = evaluation.enhance_one_track(network, "known.wav", "", cut)
                golden[f"{size}_{name}"] = enhanced[::4]  # every fourth sample keeps the file small
    np.savez_compressed(HERE / "golden.npz", **golden)


if __name__ == "__main__":
    main(sys.argv[1])
