"""Records of command lines."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record, record_kind


@record_kind("command_option")
@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOption(Record):
    """An option of a parser that reached code parses with and whose value reached code reads.

    Only options that mean a truth value or several values are recorded: those whose default is one, and those whose
    `type=` makes one.

    Attributes:
        name: as people write it ("--loss_weights").
        converter: the `type=` as it is written ("list", "str2bool"), or the action; "no type" for a switch without one.
        kind: what a `type=` that misreads texts makes of them: "bool", "list", "tuple", "set", or "refused" when it
            accepts none; "text" where the text is asked as if it were a truth value; "" for one that reads them.
        misread: whether the value is not what the text says; placed at the type.
        lost: whether a launch passes, or the default is, a text that comes out as something else.
        text: that text.
        outcome: what comes out of `text`; without one, of "0.1" or "False".
        default_on: whether the option is on when it is not given; the text "False" means off.
        bare: whether the option is made to be given without a word (`nargs="?"` with a `const`).
    """

    name: str
    converter: str = ""
    kind: str = ""
    misread: Fact
    lost: Fact
    text: str = ""
    outcome: str = ""
    default_on: bool = False
    bare: bool = False


@record_kind("unread_option")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadOption(Record):
    """An option of a training script that is called as a setting of the training, and is not known to be read.

    Attributes:
        name: as people write it ("--batch_size").
        instead: what the training takes, as a clause, where that is known.
        unread: whether nothing reads it once it is parsed.
    """

    name: str
    instead: str = ""
    unread: Fact
