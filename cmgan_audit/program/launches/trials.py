"""Launches that only try out whether a program runs, by what its trainer is told: `fast_dev_run`, `overfit_batches`."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.program.domain.values import Arguments, Const
from cmgan_audit.program.execution.trace import CallEvent, IterateEvent, Run
from cmgan_audit.program.naming.names import canonical

_TRAINER = "lightning.pytorch.Trainer"
# So few steps, or batches of an epoch, train nobody's model.
_FEW = 20
_SMALL_SHARE = 0.1


def without_trials(runs: Sequence[Run]) -> list[Run]:
    """Runs without those that only try the program out, where others train: `experiment=overfit` is no training.

    The first one, of the bare script, always counts.
    """
    meant = [run for run in runs if run is runs[0] or not _tries_out(run)]
    return meant if any(map(_trains, meant)) else list(runs)


def _trains(run: Run) -> bool:
    return any(isinstance(event, IterateEvent) and event.role == "train" for event in run.events)


def _tries_out(run: Run) -> bool:
    return any(
        isinstance(event, CallEvent) and canonical(event.callee) == _TRAINER and _is_short(event.arguments)
        for event in run.events
    )


def _is_short(trainer: Arguments) -> bool:
    """Whether a trainer goes over a few batches only; 1.0 of a set is all of it, 1 a single batch."""
    steps, batches = _number(trainer, "max_steps"), _number(trainer, "limit_train_batches")
    most = _SMALL_SHARE if isinstance(batches, float) else _FEW
    few = 0 < batches <= most or 0 < steps <= _FEW
    return few or _number(trainer, "fast_dev_run") != 0 or _number(trainer, "overfit_batches") != 0


def _number(trainer: Arguments, name: str) -> float:
    given = trainer.get(name)
    return given.value if isinstance(given, Const) and isinstance(given.value, int | float) else 0
