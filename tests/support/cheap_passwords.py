"""Keystores with the cheapest hashing of passwords that a file may have; what ours costs is the business of
tests/wallet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from pumpswap.wallet import keystore
from pumpswap.wallet.kdf import KdfCost, ScryptCost

__all__ = ["cheap_passwords"]


@pytest.fixture(autouse=True, scope="module")
def cheap_passwords() -> Iterator[None]:
    """For the tests of a folder whose conftest.py imports this: each command that needs a key hashes a password."""
    dear = keystore.new_kdf

    def cheap(name: str, entropy: Callable[[int], bytes]) -> KdfCost:
        made = dear(name, entropy)
        return replace(made, n=2**14) if isinstance(made, ScryptCost) else made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keystore, "new_kdf", cheap)
        yield
