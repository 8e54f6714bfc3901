"""A practice chain for the tests of commands, with coins that bots trade and wallets that have SOL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from tests.cli.running import answer
from tests.support.material import material

__all__ = ["PASSWORD", "SOL", "Where", "coin_of", "funded_key", "imported", "may_trade", "practice_chain"]

PASSWORD = "correct horse battery staple"
SOL = 10**9
Where = tuple[str, ...]  # options that name a chain and a data folder


def practice_chain(**options: Any) -> AbstractContextManager[RunningLocalnet]:
    """In a process of its own, with the recorded programs."""
    return start_process(LocalnetOptions(programs=material("chain"), **{"slot_ms": 100, "seed": 3, **options}))


def coin_of(localnet: RunningLocalnet) -> str:
    """The mint of a canonical pool that the bots trade on."""
    found = answer("localnet", "market", "1", "--url", localnet.http_url)
    return str(found["pools"][0]["base_mint"])


def may_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of the keystores is in the environment; the bots of a practice chain may move prices a lot."""
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", PASSWORD)
    monkeypatch.setenv("PUMPSWAP_RISK__MAX_SLIPPAGE_BPS", "5000")


def funded_key(localnet: RunningLocalnet) -> Keypair:
    """10 SOL."""
    key = Keypair()
    answer("localnet", "airdrop", str(key.pubkey()), "10", "--url", localnet.http_url)
    return key


def imported(key: Keypair, folder: Path, *data: str) -> None:
    """The key is that of a data folder now; its file lies in ``folder``."""
    file = folder / "id.json"
    file.write_text(str(list(bytes(key))))
    file.chmod(0o600)
    answer("wallet", "import", "--from", str(file), *data)
