"""Where a network runs."""

from __future__ import annotations

import torch

from cmgan_audit.evaluation.models.enhancer import DeviceError


def open_device(name: str) -> torch.device:
    """The device of a name such as `cpu`, `cuda` or `cuda:1`, ready for exact arithmetic.

    On CUDA the tensor cores' TF32 rounding is switched off for products and convolutions: its error of about 1e-3
    would make scores depend on the machine.

    Raises:
        DeviceError: the name is not a device, or it is not there.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"--device {name}: not a device; use cpu, cuda or cuda:N") from error
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise DeviceError(f"--device {name}: not supported; use cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        raise DeviceError(f"--device {name}: PyTorch {torch.__version__} sees no CUDA device; use --device cpu")
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise DeviceError(f"--device {name}: there are {torch.cuda.device_count()} CUDA devices, counted from 0")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return device


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether a network failed for want of memory, on a GPU or of the machine's own."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
