"""Which versions of torch a tree allows, and where it says so.

`TorchRange(tree).allows(below="1.9", path="src/train.py")` answers with a fact whose trail names the statements.
"""

from cmgan_audit.facts.requirements.torch_range import TorchRange

__all__ = ["TorchRange"]
