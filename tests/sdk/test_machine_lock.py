"""Two processes with two data folders must not spend the same money."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.keypair import Keypair

from pumpswap.chain.networks import DEVNET_GENESIS, MAINNET_GENESIS
from pumpswap.errors import StorageError
from pumpswap.sdk.machine_lock import MachineLock

WALLET = Keypair.from_seed(bytes(32)).pubkey()
OTHER = Keypair.from_seed(b"o" * 32).pubkey()


def test_a_wallet_is_traded_with_once_on_a_machine(tmp_path: Path) -> None:
    first, second = (MachineLock(WALLET, MAINNET_GENESIS, tmp_path / "state") for _ in range(2))
    first.take()
    with pytest.raises(StorageError, match="another process of this machine") as refused:
        second.take()
    assert str(WALLET) in refused.value.what
    second.release()  # nothing of the first one
    with pytest.raises(StorageError):
        second.take()
    for other in (
        MachineLock(WALLET, DEVNET_GENESIS, tmp_path / "state"),
        MachineLock(OTHER, MAINNET_GENESIS, tmp_path / "state"),
    ):
        other.take()
        other.release()
    first.release()
    second.take()
    second.release()


def test_practice_chains_lock_nothing(tmp_path: Path) -> None:
    for lock in [MachineLock(WALLET, "a practice chain", tmp_path / "state") for _ in range(2)]:
        lock.take()
    assert not (tmp_path / "state").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be kept") as refused:
        MachineLock(WALLET, MAINNET_GENESIS, tmp_path / "file").take()
    assert str(tmp_path / "file") in refused.value.hint
