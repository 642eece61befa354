"""The words by which settings, options and functions say that they go on with a training, or start from weights."""

from __future__ import annotations

import re

from cmgan_audit.lazy_regex import regex

RESUME = regex(r"resum|continu|restor|restart|last|latest|recover|start_from|from_epoch", re.IGNORECASE)
ABOUT = regex(r"resum|continu|restor|restart|check|ckpt|load|weight|pretrain|model|snapshot|state", re.IGNORECASE)
# Words for what is left of an earlier training.
CHECKPOINT = regex(
    r"resum|continu|restor|restart|recover|reload|start_from|check_?point|ckpt|snapshot|last_?(model|epoch)|latest",
    re.IGNORECASE,
)
PRETRAINED = regex(
    r"pre_?train|fine_?tun|transfer|teacher|init|warm|backbone|student|distill|weights?_only|only_weights",
    re.IGNORECASE,
)
A_START = regex(r"pre_?train|fine_?tun", re.IGNORECASE)
# A later training that begins with all that an earlier one has left, and counts by itself.
ANOTHER = regex(r"stage|phase|adapt", re.IGNORECASE)
