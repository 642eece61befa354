"""Records of short-time Fourier transforms."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record, record_kind


@record_kind("fourier_transform")
@dataclass(frozen=True, slots=True, kw_only=True)
class FourierTransform(Record):
    """One call of `torch.stft` or `torch.istft` that keeps, or may keep, a spectrum as pairs of real numbers.

    Attributes:
        function: "stft" or "istft".
        old_form: whether the call is one that torch takes before 2.0 only: `stft` of a real signal without
            `return_complex`, or `istft` of a tensor of real numbers whose last axis is (real, imaginary).
        new_torch: whether the tree allows a torch of at least 2.0.
        torch_stated: whether the tree says anything that decides it.
    """

    function: str
    old_form: Fact
    new_torch: Fact
    torch_stated: bool
