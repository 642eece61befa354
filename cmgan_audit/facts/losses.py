"""Which library calls are losses."""

from __future__ import annotations

from functools import lru_cache

from cmgan_audit.facts.classes import RUNS
from cmgan_audit.program.naming.names import canonical

_WORDS = ("loss", "entropy", "kl_div", "huber")


@lru_cache(maxsize=4096)
def is_loss(callee: str) -> bool:
    """Whether a library call compares predictions with targets: `F.mse_loss(...)`, or an object of `nn.MSELoss`."""
    name = canonical(callee)
    if not name.startswith("torch.nn."):
        return False
    made, called = name.removesuffix(".__call__"), name.endswith(RUNS)
    tail = made.removesuffix(".forward").rpartition(".")[2]
    return any(word in tail.lower() for word in _WORDS) and (called or tail.islower())
