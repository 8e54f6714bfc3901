"""Figures on a practice chain in a process of its own: states per second, swaps per second, signal to confirmed."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.app.practice import ask_localnet
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.chain.streams import LogsSeen
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.localnet.process import LocalnetOptions, start_process
from pumpswap.localnet.programs import load_programs
from pumpswap.market.swaps_of import normalise, normalise_logs
from pumpswap.model import Filled
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import Settings
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner

__all__ = ["logs_of_today", "normalisation_figures", "pools_per_second", "recorded_swaps", "signal_to_confirmed"]

POOLS = 1_000
ORDERS = 30
SOL = 10**9
SWAPS = 400


def _settings(url: str, folder: Path) -> Settings:
    endpoint = {"url": url, "requests_per_second": 100_000}
    return Settings(
        data_dir=folder, chain={"network": "localnet", "endpoints": [endpoint]}, risk={"cooldown_seconds": 0}
    )


def pools_per_second(programs: Path) -> float:
    """States of 1,000 pools by one call, over HTTP; best of five, after one that learns the vaults and mints."""
    chain, rng = LocalChain(seed=5), random.Random(5)
    load_programs(chain, programs)
    addresses = [create_pool(chain, PoolSpec("graduate"), rng).address for _ in range(POOLS)]
    chain.advance(40)
    with tempfile.TemporaryDirectory() as place:
        saved = Path(place) / "pools.chain"
        chain.save(saved)
        with start_process(LocalnetOptions(load_state=saved)) as localnet:
            return POOLS / asyncio.run(_load(_settings(localnet.http_url, Path(place)), addresses))


async def _load(settings: Settings, addresses: list[Pubkey]) -> float:
    async with ChainConnection(settings) as connection:
        taken = []
        for _ in range(6):
            began = time.perf_counter()
            found = await connection.reader.load_many(addresses)
            taken.append(time.perf_counter() - began)
            assert len(found) == POOLS
        return min(taken[1:])


def recorded_swaps(programs: Path) -> list[ConfirmedTransaction]:
    """Transactions of bots on the real program, each with one swap."""
    chain = LocalChain(seed=6)
    load_programs(chain, programs)
    bots, found = MarketBots(chain, random.Random(6), trades_per_slot=4), list[ConfirmedTransaction]()
    while len(found) < SWAPS:
        for trade in bots.run(10):
            transaction = chain.transaction(trade.receipt.signature)
            if transaction is not None and transaction.err is None:
                found.append(transaction)
    return found[:SWAPS]


def logs_of_today(transactions: list[ConfirmedTransaction], event: str) -> list[list[str]]:
    """The log lines with ``event`` (base64) in the place of each event: the peer reads no layout but its own."""
    data = "Program data: "
    return [[f"{data}{event}" if line.startswith(data) else line for line in one.logs] for one in transactions]


def normalisation_figures(transactions: list[ConfirmedTransaction], lines: list[list[str]]) -> dict[str, float]:
    """Swaps per second out of log notifications and out of whole transactions; best of twenty passes."""
    logs = [LogsSeen(one.slot, one.signature, None, tuple(said)) for one, said in zip(transactions, lines, strict=True)]

    def passes(work: Any, items: list[Any]) -> float:
        taken = []
        for _ in range(20):
            began = time.perf_counter()
            swaps = sum(len(work(item).swaps) for item in items)
            taken.append(time.perf_counter() - began)
            assert swaps == len(items)
        return len(items) / min(taken)

    return {"from_logs": passes(normalise_logs, logs), "from_transactions": passes(normalise, transactions)}


def signal_to_confirmed(programs: Path) -> dict[str, float]:
    """Seconds from the wish to a confirmed and booked fill, at 400 ms slots, with bots trading on the same pool."""
    key = Keypair.from_seed(bytes([9]) * 32)
    with (
        tempfile.TemporaryDirectory() as place,
        start_process(LocalnetOptions(programs=programs, market=1, slot_ms=400)) as localnet,
    ):
        return asyncio.run(_trade(localnet.http_url, Path(place), key))


async def _trade(url: str, folder: Path, key: Keypair) -> dict[str, float]:
    await ask_localnet(url, "requestAirdrop", str(key.pubkey()), 100 * SOL)
    (pool,) = await ask_localnet(url, "localnet_market", 1)
    await asyncio.sleep(1)
    signer = LocalSigner(Secret(bytearray(bytes(key)[:32])), WalletLimits(SOL, 1_000 * SOL, 0))
    taken = []
    async with ChainConnection(_settings(url, folder)) as connection:
        trader = await Trader.open(connection, signer)
        try:
            while len(taken) < ORDERS:
                began = time.perf_counter()
                state = await connection.pool(Pubkey.from_string(pool["address"]))
                traded = await trader.buy(state, SOL // 100 + len(taken), slippage_bps=3_000)
                if isinstance(traded.outcome, Filled):
                    taken.append(time.perf_counter() - began)
        finally:
            await trader.aclose()
    ordered = sorted(taken)
    return {"mean": mean(taken), "p50": median(taken), "p95": ordered[int(len(ordered) * 0.95)], "most": ordered[-1]}
