"""Figures on a practice chain in a process of its own: states per second, swaps per second, signal to confirmed."""

from __future__ import annotations

import asyncio
import base64
import itertools
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any, NamedTuple, TypeVar

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm.events import SellEvent, decode_event
from pumpswap.app.practice import ask_localnet
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.chain.streams import LogsSeen
from pumpswap.clock import NS_PER_SECOND
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.localnet.process import LocalnetOptions, start_process
from pumpswap.localnet.programs import load_programs
from pumpswap.market import swaps_of
from pumpswap.market.swaps_of import Normalised, normalise, normalise_logs
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import Settings
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner

__all__ = [
    "PASSES",
    "logs_of_strangers",
    "logs_of_today",
    "pools_per_second",
    "recorded_swaps",
    "signal_to_confirmed",
    "swaps_from_logs",
    "swaps_from_transactions",
]

Item = TypeVar("Item")

POOLS = 1_000
ORDERS = 30
SOL = 10**9
SWAPS = 400
PASSES = 20
SLOT_MS = 400
PHASES = ("read the pool", "decide, simulate, sign", "send until seen confirmed", "book")


def _settings(url: str, folder: Path) -> Settings:
    endpoint = {"url": url, "requests_per_second": 100_000}
    chain = {"network": "localnet", "endpoints": [endpoint]}
    # Orders follow each other as fast as they can, and bots move the prices meanwhile: no limit may get in the way.
    risk = {
        "cooldown_seconds": 0,
        "max_slippage_bps": 5_000,
        "max_trades_per_minute": 1_000,
        "max_trades_per_hour": 10_000,
        "max_trades_per_day": 10_000,
        "max_token_sol": "1000",
    }
    return Settings.model_validate({"data_dir": folder, "chain": chain, "risk": risk})


def pools_per_second(programs: Path) -> dict[str, float]:
    """States of 1,000 pools by one ``load_many``, over HTTP: the first, which learns vaults and mints, and the best of
    five after it.
    """
    chain, rng = LocalChain(seed=5), random.Random(5)
    load_programs(chain, programs)
    addresses = [create_pool(chain, PoolSpec("graduate"), rng).address for _ in range(POOLS)]
    chain.advance(40)
    with tempfile.TemporaryDirectory() as place:
        saved = Path(place) / "pools.chain"
        chain.save(saved)
        with start_process(LocalnetOptions(load_state=saved)) as localnet:
            first, *later = asyncio.run(_load(_settings(localnet.http_url, Path(place)), addresses))
    return {"first": POOLS / first, "again": POOLS / min(later)}


async def _load(settings: Settings, addresses: list[Pubkey]) -> list[float]:
    async with ChainConnection(settings) as connection:
        taken = []
        for _ in range(6):
            began = time.perf_counter()
            found = await connection.reader.load_many(addresses)
            taken.append(time.perf_counter() - began)
            _require(len(found) == POOLS, f"{len(found)} of {POOLS} pools were read")
        return taken


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
    """The log lines with ``event`` (base64) in the place of each event: the peer reads no layout but its own.

    Pool and trader stay those that were recorded, so that they come again as often as on the chain.
    """
    swaps = [normalise(one).swaps[0] for one in transactions]
    keys = [(Pubkey.from_string(swap.pool), Pubkey.from_string(swap.trader)) for swap in swaps]
    return _with_events(transactions, event, keys)


def logs_of_strangers(transactions: list[ConfirmedTransaction], event: str) -> list[list[str]]:
    """The same where no pool and no trader comes twice: nothing that is remembered helps."""
    rng = random.Random(7)
    keys = [(Pubkey(rng.randbytes(32)), Pubkey(rng.randbytes(32))) for _ in transactions]
    return _with_events(transactions, event, keys)


def _with_events(
    transactions: list[ConfirmedTransaction], event: str, keys: list[tuple[Pubkey, Pubkey]]
) -> list[list[str]]:
    data, payload = "Program data: ", base64.b64decode(event)
    sold = decode_event(payload)
    _require(isinstance(sold, SellEvent), "the event of the peer is no SellEvent")
    assert isinstance(sold, SellEvent)
    _require(payload.count(bytes(sold.pool)) == payload.count(bytes(sold.user)) == 1, "which key is which is not clear")
    lines = []
    for one, (pool, user) in zip(transactions, keys, strict=True):
        told = payload.replace(bytes(sold.pool), bytes(pool)).replace(bytes(sold.user), bytes(user))
        text = f"{data}{base64.b64encode(told).decode()}"
        lines.append([text if line.startswith(data) else line for line in one.logs])
    return lines


def swaps_from_logs(transactions: list[ConfirmedTransaction], lines: list[list[str]]) -> float:
    """Swaps per second out of log notifications."""
    logs = [LogsSeen(one.slot, one.signature, None, tuple(said)) for one, said in zip(transactions, lines, strict=True)]
    return _passes(normalise_logs, logs)


def swaps_from_transactions(transactions: list[ConfirmedTransaction]) -> float:
    """Swaps per second out of whole transactions."""
    return _passes(normalise, transactions)


def _passes(work: Callable[[Item], Normalised], items: list[Item]) -> float:
    """Best of some passes. Each starts without remembered texts of keys."""
    taken = []
    for _ in range(PASSES):
        swaps_of._text.cache_clear()  # or only the first of all passes would be a first sight
        began = time.perf_counter()
        swaps = sum(len(work(item).swaps) for item in items)
        taken.append(time.perf_counter() - began)
        _require(swaps == len(items), f"{swaps} swaps in {len(items)} transactions")
    return len(items) / min(taken)


def signal_to_confirmed(programs: Path) -> dict[str, Any]:
    """Seconds from the wish to a confirmed and booked trade, at 400 ms slots, with bots trading on the same pool.

    Every order counts, however it ended. Orders come at random moments of a slot: one that followed at once on the
    last would always meet the same.
    """
    key = Keypair.from_seed(bytes([9]) * 32)
    with (
        tempfile.TemporaryDirectory() as place,
        start_process(LocalnetOptions(programs=programs, market=1, slot_ms=SLOT_MS)) as localnet,
    ):
        traded = asyncio.run(_trade(localnet.http_url, Path(place), key))
    taken = sorted(one.seconds for one in traded)
    landed = [one.phases for one in traded if one.phases]
    return {
        "orders": len(traded),
        "endings": dict(Counter(one.ending for one in traded)),
        "mean": mean(taken),
        "p50": median(taken),
        "p95": quantiles(taken, n=20)[18],
        "most": taken[-1],
        "phases_mean": {name: mean(phases[name] for phases in landed) for name in PHASES if landed},
    }


class _Traded(NamedTuple):
    ending: str
    seconds: float
    phases: dict[str, float]


async def _trade(url: str, folder: Path, key: Keypair) -> list[_Traded]:
    await ask_localnet(url, "requestAirdrop", str(key.pubkey()), 100 * SOL)
    (pool,) = await ask_localnet(url, "localnet_market", 1)
    await asyncio.sleep(1)
    signer, rng = LocalSigner(Secret(bytearray(bytes(key)[:32])), WalletLimits(SOL, 1_000 * SOL, 0)), random.Random(8)
    async with ChainConnection(_settings(url, folder)) as connection:
        trader = await Trader.open(connection, signer)
        try:
            traded = []
            for number in range(ORDERS):
                await asyncio.sleep(rng.random() * SLOT_MS / 1_000)
                traded.append(await _one_order(trader, Pubkey.from_string(pool["address"]), SOL // 100 + number))
            await trader.books.check(connection.node)
            return traded
        finally:
            await trader.aclose()


async def _one_order(trader: Trader, pool: Pubkey, lamports: int) -> _Traded:
    now_ns = trader.connection.clock.now_ns
    began_ns = now_ns()
    state = await trader.connection.pool(pool)
    read_ns = now_ns()
    traded = await trader.buy(state, lamports, slippage_bps=3_000)
    ended_ns = now_ns()
    seconds = (ended_ns - began_ns) / NS_PER_SECOND
    if traded.order is None:
        return _Traded("Refused", seconds, {})
    attempts = trader.books.run.attempts.of_order(traded.order.order_id)
    ending = type(traded.outcome).__name__
    if not attempts or attempts[-1].resolved_ns is None:
        return _Traded(ending, seconds, {})
    marks = (began_ns, read_ns, attempts[-1].created_ns, attempts[-1].resolved_ns, ended_ns)
    laps = [(after - before) / NS_PER_SECOND for before, after in itertools.pairwise(marks)]
    return _Traded(ending, seconds, dict(zip(PHASES, laps, strict=True)))


def _require(is_so: bool, complaint: str) -> None:
    """A figure of work that was not done is worse than none."""
    if not is_so:
        raise RuntimeError(f"the benchmark did not do its work: {complaint}")
