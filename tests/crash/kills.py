"""kill -9 at random moments of a process that trades on a running practice chain, and a judge that trusts nobody.

The judge compares the books with the chain's own history: every transaction of the wallet belongs to one attempt, no
order has landed twice, every landed trade is booked once, and ledger = wallet without a single foreign entry.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from solders.keypair import Keypair

from pumpswap.chain.node import Commitment, ConfirmedTransaction
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import EntryKind, Filled, ReconciliationStatus, Rejected, Unknown
from pumpswap.sdk import ChainConnection, Trader
from tests.clients.our_sdk import practice_signer, settings_for
from tests.support.material import ROOT, material

__all__ = ["CrashFailure", "CrashRun", "judge", "run_kills"]

SLOT_MS = 40
SOL = 10**9
# Per mille of sends that meet it, and how: the network's part in the mischief.
FAULTS = (("drop_before", 80, 0), ("drop_after", 60, 0), ("false_error", 60, 0), ("false_ok", 40, 0), ("delay", 60, 5))


class CrashFailure(AssertionError):
    """The books and the chain disagree."""


@dataclass
class CrashRun:
    """What happened, for people and for the evidence."""

    kills: int = 0
    killed_while: Counter[str] = field(default_factory=Counter)
    open_attempts_found: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    landed: int = 0
    expired: int = 0


def run_kills(seed: int, kills: int, progress: Callable[[int], None] = lambda _: None) -> CrashRun:
    """Raises CrashFailure at the first thing that is not as it must be."""
    programs = material("chain")
    assert programs is not None, "the caller should have skipped"
    rng, run = Random(f"kills {seed}"), CrashRun()
    wallet = Keypair.from_seed(rng.randbytes(32))
    options = LocalnetOptions(programs=programs, slot_ms=SLOT_MS, seed=seed, test_methods=True)
    with tempfile.TemporaryDirectory() as folder, start_process(options) as localnet:
        rpc(localnet, "requestAirdrop", str(wallet.pubkey()), 60 * SOL)
        pools = [each["address"] for each in rpc(localnet, "localnet_market", 4)]  # all priced in SOL
        for _ in range(kills):
            _trouble(localnet, rng)
            _trade_until_killed(localnet, wallet, pools, Path(folder), (rng, run))
            rpc(localnet, "localnet_clearFaults")
            asyncio.run(_settle_and_judge(localnet, wallet, Path(folder), run))
            run.kills += 1
            progress(run.kills)
    return run


def _trouble(localnet: RunningLocalnet, rng: Random) -> None:
    for kind, per_mille, amount in FAULTS:
        if rng.random() < 0.7:
            rpc(localnet, "localnet_fault", {"kind": kind, "perMille": per_mille, "amount": amount})


def _trade_until_killed(
    localnet: RunningLocalnet, wallet: Keypair, pools: list[str], folder: Path, dice: tuple[Random, CrashRun]
) -> None:
    rng, run = dice
    command = [sys.executable, "-m", "tests.crash.trading_process"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    told = {
        "http_url": localnet.http_url,
        "ws_url": localnet.ws_url,
        "folder": str(folder),
        "wallet": bytes(wallet)[:32].hex(),
        "pools": pools,
        "seed": rng.getrandbits(32),
    }
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    try:
        if process.stdout.readline() != "started\n":
            raise CrashFailure("the trading process did not start")
        # Some are killed while they open and resolve, most while they trade.
        time.sleep(rng.uniform(0.0, 0.3) if rng.random() < 0.2 else rng.uniform(0.3, 4.0))
    finally:
        process.kill()
        lines = process.stdout.read().splitlines()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    run.killed_while["trading" if "open" in lines else "opening"] += 1
    run.outcomes.update(line.split()[0] for line in lines if line != "open")


async def _settle_and_judge(localnet: RunningLocalnet, wallet: Keypair, folder: Path, run: CrashRun) -> None:
    """The next start: resolve, then compare with the chain."""
    settings = settings_for(localnet.http_url, localnet.ws_url, folder)
    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, practice_signer(wallet))
        try:
            run.open_attempts_found += len(trader.resolved)
            unknown = [order.order_id for order, outcome in trader.resolved if isinstance(outcome, Unknown)]
            if unknown:
                raise CrashFailure(f"still unknown although the endpoint is well: {unknown}")
            await judge(trader, run)
        finally:
            await trader.aclose()


async def judge(trader: Trader, run: CrashRun) -> None:
    """Raises CrashFailure when books and chain disagree in anything."""
    found = trader.reconciliation
    if found is None or found.status is not ReconciliationStatus.CLEAN:
        raise CrashFailure(f"the books and the wallet differ: {found}")
    node, books = trader.connection.node, trader.books
    if books.run.books.recount() != books.run.books.counted():
        raise CrashFailure("the sums beside the ledger are not its sums")
    await books.check(node)  # ledger = wallet; LedgerMismatch otherwise
    history = await _history(trader)
    attempts = {
        attempt.signature: attempt
        for order in books.run.orders()
        for attempt in books.run.attempts.of_order(order.order_id)
    }
    strangers = [signature for signature in history if signature not in attempts]
    if strangers:
        raise CrashFailure(f"on the chain, and no attempt of ours: {strangers}")
    landed = Counter(attempts[signature].order_id for signature in history)
    twice = [order_id for order_id, count in landed.items() if count > 1]
    if twice:
        raise CrashFailure(f"landed twice: {twice}")
    _compare_outcomes(trader, history, {attempts[one].order_id: one for one in history})
    run.landed, run.expired = len(history), sum(1 for one in attempts.values() if one.state.value == "expired")


def _compare_outcomes(trader: Trader, history: dict[str, ConfirmedTransaction], landed: dict[str, str]) -> None:
    booked: Counter[str] = Counter()
    for outcome in trader.books.run.outcomes():
        signature = landed.get(outcome.order_id)
        if isinstance(outcome, Filled | Rejected):
            booked[outcome.order_id] += 1
            if signature != outcome.signature:
                raise CrashFailure(f"{outcome.order_id} is booked with {outcome.signature}, landed was {signature}")
            if (history[outcome.signature].err is None) != isinstance(outcome, Filled):
                raise CrashFailure(f"{outcome.order_id} is booked as {type(outcome).__name__}, which is not so")
        elif signature is not None:
            raise CrashFailure(f"{outcome.order_id} ended as {type(outcome).__name__}, yet {signature} is on the chain")
    missing = set(landed) - set(booked)
    if missing:
        raise CrashFailure(f"landed and not booked: {sorted(missing)}")
    swaps = sum(len([swap for swap in swaps_of(one) if swap.trader == str(one.keys[0])]) for one in history.values())
    trades = sum(1 for _ in trader.books.run.trades())
    if swaps != trades:
        raise CrashFailure(f"{swaps} swaps of the wallet on the chain, {trades} trades in the books")
    ledger = list(trader.books.run.ledger())
    if any(entry.kind is EntryKind.FOREIGN for entry in ledger):
        raise CrashFailure("the ledger holds foreign entries")
    if len({entry.at_ns for entry in ledger if entry.kind is EntryKind.DEPOSIT}) != 1:
        raise CrashFailure("deposits were booked more than once")


async def _history(trader: Trader) -> dict[str, ConfirmedTransaction]:
    """Every transaction that the wallet has paid for, by the chain's own history."""
    node, wallet = trader.connection.node, trader.signer.public_key
    found: dict[str, ConfirmedTransaction] = {}
    before: str | None = None
    while True:
        page = await node.signatures_for(wallet, before=before, limit=1_000)
        for line in page:
            content = await node.transaction(line.signature, Commitment.CONFIRMED)
            if content is None:
                raise CrashFailure(f"the chain lists {line.signature} and does not have it")
            if content.keys[0] == wallet:
                found[line.signature] = content
        if len(page) < 1_000:
            return found
        before = page[-1].signature


def rpc(localnet: RunningLocalnet, method: str, *parameters: object) -> Any:
    """One call of the practice chain's own."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = httpx2.post(localnet.http_url, json=call, timeout=30).json()
    assert "error" not in answer, answer
    return answer["result"]
