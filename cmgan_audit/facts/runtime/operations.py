"""Operations of torch and NumPy, by the last part of their names and by what they do to the size of a signal."""

from __future__ import annotations

# The result is as large as what it is computed from: another form or place of it, a part, or its magnitude.
SAME_SIZE = frozenset(
    "[] to cuda cpu float double half type detach clone contiguous view reshape permute transpose squeeze unsqueeze "
    "flatten expand narrow chunk split T mT view_as_real view_as_complex abs real imag pad numpy tensor as_tensor "
    "from_numpy array asarray clamp clip neg swapaxes movedim requires_grad_ repeat roll flip Variable FloatTensor "
    "Tensor".split()
)
# Several of one size become one of that size.
JOINED = frozenset("cat stack concat concatenate complex hstack vstack hypot".split())
# The result has a size of its own, whatever it is computed from.
OWN_SIZE = frozenset(
    "angle atan2 cos sin ones zeros ones_like zeros_like hamming_window hann_window arange size shape len numel eye "
    "linspace full".split()
)
TIMES = frozenset({"*", "mul", "multiply"})
DIVIDED = frozenset({"/", "div", "divide", "true_divide"})
