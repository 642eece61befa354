"""SHA-256 and BLAKE2b without OpenSSL.

`hashlib` loads the whole of OpenSSL, which takes longer than to hash every file of a small tree. Python's own
implementations give the same digests; the standard library's `random` takes its SHA-512 in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["blake2b", "sha256"]

if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        try:
            from _sha2 import sha256
        except ImportError:  # before Python 3.12
            from _sha256 import sha256
    except ImportError:  # a Python built without them, or another implementation
        from hashlib import blake2b, sha256
