"""Files that a trainer saves beside its checkpoints: a scheduler, a history, a discriminator. They are none themselves.

A shell that spells `ckpt/*.pth` out names them too, and the last name decides the comparison. A file is only passed
over for what it holds and what it is called: `epoch_14.pth` without weights is a checkpoint that was lost, and so may
`new.pth` be; a name has to say that the file is something else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Set
from pathlib import Path

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.naming import is_named_beside_weights, name_without_ending
from cmgan_audit.lazy_regex import regex

# `train_state.pth`, `epoch_3_stats.pth`; not `best_loss.pth`, which is the checkpoint with the best loss.
_ABOUT_TRAINING = regex(
    r"(?:model|train(?:ing)?|val(?:id(?:ation)?)?|test|run|loss|epochs?|ep|steps?|iter|[\d_.\-])*"
    r"(?:history|histories|args|arguments|opts?|options|hparams|hyper_?param(?:eter)?s|config|cfg|settings|stats"
    r"|statistics|metrics|logs?|losses|curves|train(?:er|ing)?_?state|meta(?:data)?|info|cmvn|mean_?std|sampler)"
    r"(?:[_.\-]?(?:epoch|ep|step|iter))?[\d_.\-]*",
    re.IGNORECASE,
)
# `no_disc_epoch_3.pth` is a generator that was trained without one.
_DISCRIMINATOR = regex(
    r"(?<![a-z])(?<!no_)(?<!no-)(?<!wo_)(?<!wo-)(?<!without_)(?<!without-)"
    r"(?:discriminators?|disc|critic|net_?d|mpd|msd)(?![a-z])",
    re.IGNORECASE,
)
# `D_40.pth` and `do_00005000` say it only beside `G_40.pth` and `g_00005000`.
_ONE_OF_TWO = regex(r"(?<![A-Za-z])(?:D(?![A-Za-z])|do(?=_\d))")
_THE_OTHER = {"D": "G", "do": "g"}

Shapes = Set[tuple[str, tuple[int, ...]]]
"""Tensors of a network by name and shape."""


def files_beside_weights(unusable: Iterable[Path], usable: Collection[Path]) -> list[Path]:
    """Those of the files that cannot be used as checkpoints which were never meant as any.

    Args:
        unusable: files named as checkpoints.
        usable: checkpoints that were opened: what shares a tensor with the first of them may be a checkpoint.
    """
    found = []
    network: Shapes | None = None
    for path in unusable:
        if not path.is_file():
            continue
        if _is_called_discriminator(path.name, {one.name for one in usable}):
            network = _shapes_of_first(usable) if network is None else network
            held = _shapes(path)
            if held is not None and network and not _share_a_tensor(held, network):
                found.append(path)
        elif (is_named_beside_weights(path.name) or _is_about_training(path.name)) and _shapes(path) == set():
            found.append(path)
    return found


def _is_about_training(name: str) -> bool:
    return _ABOUT_TRAINING.fullmatch(name_without_ending(name)) is not None


def _is_called_discriminator(name: str, usable: Collection[str]) -> bool:
    if _DISCRIMINATOR.search(name):
        return True
    other = _ONE_OF_TWO.sub(lambda found: _THE_OTHER[found[0]], name, count=1)
    return other != name and other in usable


def _shapes_of_first(usable: Iterable[Path]) -> Shapes:
    """The tensors of the first checkpoint that is a file with weights; those of a discriminator in it are left out."""
    for path in usable:
        if held := _shapes(path):
            return held
    return set()


def _shapes(path: Path) -> Shapes | None:
    """The tensors in a file but for those that it calls a discriminator's; None where it cannot be read."""
    # Where only folders of recordings are compared, no file comes here, and torch is not waited for.
    from cmgan_audit.evaluation.checkpoints.reading import open_file
    from cmgan_audit.evaluation.checkpoints.sets import state_dicts

    try:
        sets = state_dicts(open_file(path))
    except CheckpointError:
        return None
    return {
        (name, tuple(tensor.shape))
        for one in sets
        if not _DISCRIMINATOR.search(one.name)
        for name, tensor in one.tensors.items()
    }


def _share_a_tensor(one: Shapes, other: Shapes) -> bool:
    """Whether a name and a shape are in both, perhaps behind a prefix of a wrapper (`module.`) in one of them."""
    return not (_with_ends(one).isdisjoint(other) and _with_ends(other).isdisjoint(one))


def _with_ends(shapes: Shapes) -> Shapes:
    parts = [(name.split("."), shape) for name, shape in shapes]
    return {(".".join(names[at:]), shape) for names, shape in parts for at in range(len(names))}
