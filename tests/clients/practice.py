"""A practice chain in a process of its own: the real program, one pool with liquidity, wallets with SOL."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig, PoolState
from pumpswap.amm.addresses import AMM_FEE_CONFIG, GLOBAL_CONFIG
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import PoolSpec, create_pool, wallet
from pumpswap.localnet.process import LocalnetOptions, start_process
from pumpswap.localnet.programs import load_programs
from tests.support.material import material

__all__ = ["Practice", "practice_chain", "practice_process", "schedule_of"]

SOL = 1_000_000_000
SLOT_MS = 100  # four times as fast as mainnet, so that tests are


@dataclass(frozen=True)
class Practice:
    """Where the process listens, and what was on its chain when it started."""

    pid: int
    http_url: str
    ws_url: str
    opening: PoolState
    schedule: FeeSchedule
    wallets: tuple[Keypair, ...]


def practice_chain(seed: int = 0, *, wallets: int = 0) -> tuple[LocalChain, PoolState, tuple[Keypair, ...]]:
    """A chain with the programs of the material, a graduate pool and wallets of 50 SOL each."""
    folder = material("chain")
    assert folder is not None, "the test should have been skipped"
    chain = LocalChain(seed=seed, slot_ms=SLOT_MS)
    load_programs(chain, folder)
    opening = create_pool(chain, PoolSpec("graduate"), random.Random(f"pool {seed}"))
    keys = tuple(wallet(chain, 50 * SOL) for _ in range(wallets))
    chain.advance(40)  # something is final from the start
    return chain, opening, keys


def schedule_of(chain: LocalChain) -> FeeSchedule:
    """The fees that the chain's settings accounts say."""
    config, fees = chain.account(GLOBAL_CONFIG), chain.account(AMM_FEE_CONFIG)
    assert config is not None and fees is not None
    return FeeSchedule(GlobalConfig.decode(config.data), FeeConfig.decode(fees.data))


@contextlib.contextmanager
def practice_process(folder: Path, *, seed: int = 0, wallets: int = 3) -> Iterator[Practice]:
    """Such a chain in its own process; ends with the block, by process id."""
    chain, opening, keys = practice_chain(seed, wallets=wallets)
    state = folder / "practice.chain"
    chain.save(state)
    options = LocalnetOptions(load_state=state, slot_ms=SLOT_MS, test_methods=True)
    with start_process(options) as running:
        yield Practice(running.pid, running.http_url, running.ws_url, opening, schedule_of(chain), keys)
