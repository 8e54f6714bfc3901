"""A practice chain in this process, with pools and a wallet, for tests of the SDK."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import FaultPlan
from pumpswap.localnet.pools import PoolSpec, create_pool, pool_state, wallet
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.sdk import PumpSwapSDK, Trader
from pumpswap.settings import Settings
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.clients.our_sdk import SOL, settings_for
from tests.localnet.practice import signed
from tests.support.material import material

SLOT_MS = 40
GENEROUS = WalletLimits(5 * SOL, 50 * SOL, SOL // 20)


@dataclass(frozen=True)
class World:
    """The chain, its pools (two canonical, then one that anyone has made), a wallet of 50 SOL, and settings for it."""

    chain: LocalChain
    pools: tuple[PoolState, ...]
    key: Keypair
    settings: Settings
    faults: FaultPlan = field(default_factory=FaultPlan)  # of the endpoint

    def signer(self, limits: WalletLimits | None = GENEROUS) -> LocalSigner:
        return LocalSigner(Secret(bytes(self.key)[:32]), limits)

    def sdk(self, limits: WalletLimits | None = GENEROUS, **changes: Any) -> PumpSwapSDK:
        """A live SDK; ``changes`` are those of its settings."""
        return PumpSwapSDK(self.settings.model_copy(update=changes), live=True, signer=self.signer(limits))

    def mint(self, number: int = 0) -> str:
        return str(self.pools[number].pool.base_mint)

    def now(self, number: int = 0) -> PoolState:
        """The pool as the chain has it."""
        return pool_state(self.chain, self.pools[number])

    def pay_in(self, lamports: int) -> None:
        """Somebody sends the wallet SOL, in a transaction."""
        friend = wallet(self.chain, lamports + SOL)
        step = transfer(TransferParams(from_pubkey=friend.pubkey(), to_pubkey=self.key.pubkey(), lamports=lamports))
        receipt = self.chain.submit(signed(friend, [step], self.chain.blocks.newest.blockhash))
        assert receipt.err is None, receipt
        self.chain.advance(40)

    def signatures(self) -> list[str]:
        """Of all transactions that the wallet is in, newest first."""
        return [info.signature for info in self.chain.history(self.key.pubkey())]


@contextlib.asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Serve it until the block is left."""
    programs = material("chain")
    assert programs is not None, "the test should have been skipped"
    # Limits per day compare block times with the machine's clock.
    chain = LocalChain(slot_ms=SLOT_MS, start_unix=SystemClock().now_ns() // NS_PER_SECOND)
    load_programs(chain, programs)
    rng = random.Random("pools of the sdk's tests")
    specs = (PoolSpec("graduate"), PoolSpec("graduate", base_units=150_000_000_000_000), PoolSpec("permissionless"))
    pools = tuple(create_pool(chain, spec, rng) for spec in specs)
    key = wallet(chain, 50 * SOL)
    chain.advance(40)  # something is final from the start
    faults = FaultPlan()
    async with LocalServer(chain, ServerOptions(slot_ms=SLOT_MS), faults=faults).serve() as urls:
        yield World(chain, pools, key, settings_for(urls.http, urls.ws, folder), faults)


def trader_of(sdk: PumpSwapSDK) -> Trader:
    assert sdk.trader is not None
    return sdk.trader


async def check_books(sdk: PumpSwapSDK) -> None:
    """Raises LedgerMismatch when ledger and wallet differ."""
    trader = trader_of(sdk)
    await trader.books.check(trader.connection.node)
