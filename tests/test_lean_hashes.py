"""The hashes without OpenSSL are those of `hashlib`: what was kept or written down by them stays valid."""

from __future__ import annotations

import hashlib

import pytest

from cmgan_audit.lean_hashes import blake2b, sha256


@pytest.mark.parametrize("content", [b"", b"audit", bytes(range(256)) * 1000])
def test_digests_are_those_of_hashlib(content: bytes) -> None:
    assert sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()
    ours, theirs = blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    for made in (ours, theirs):
        made.update(content)
        made.update(content)
    assert ours.hexdigest() == theirs.hexdigest()
