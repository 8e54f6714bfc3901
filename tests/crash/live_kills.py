"""kill -9 at random moments of a live engine on a running practice chain; the judge is that of trades by hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.app.checks import CheckStatus
from pumpswap.app.live_check import live_check
from pumpswap.clock import SystemClock
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.model import TradeSide, Unknown
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import Settings
from tests.clients.our_sdk import practice_signer, settings_for
from tests.crash.kills import FAULTS, SLOT_MS, SOL, CrashFailure, CrashRun, judge, rpc
from tests.support.material import ROOT, material
from tests.support.snapshot_rows import CollectorFile

__all__ = ["live_settings", "run_live_kills"]

_ROWS_EVERY_SECONDS = 0.3


def live_settings(http_url: str, ws_url: str, folder: Path) -> Settings:
    """A live engine that buys whatever scores, and sells it again after seconds."""
    base = settings_for(http_url, ws_url, folder)
    run = {
        "mode": "auto", "collector": str(folder / "rows.sqlite"), "snapshot_poll_seconds": 1, "state_poll_ms": 100,
        "control_ms": 50, "heartbeat_seconds": 1, "shutdown_seconds": 1,
    }  # fmt: skip
    exits = {"max_hold_seconds": 1, "slippage_bps": 4_000, "max_slippage_bps": 5_000, "retry_seconds": 1}
    return Settings(
        data_dir=folder,
        chain=base.chain,
        sending=base.sending,
        risk=base.risk.model_copy(update={"max_impact_bps": 1_000}),
        run=run,  # type: ignore[arg-type]
        exits=exits,  # type: ignore[arg-type]
    )


def run_live_kills(seed: int, kills: int, progress: Callable[[int], None] = lambda _: None) -> CrashRun:
    """Raises CrashFailure at the first thing that is not as it must be."""
    programs = material("chain")
    assert programs is not None, "the caller should have skipped"
    rng, run = Random(f"live kills {seed}"), CrashRun()
    wallet = Keypair.from_seed(rng.randbytes(32))
    options = LocalnetOptions(programs=programs, slot_ms=SLOT_MS, seed=seed, test_methods=True)
    with tempfile.TemporaryDirectory() as name, start_process(options) as localnet:
        folder = Path(name)
        rpc(localnet, "requestAirdrop", str(wallet.pubkey()), 60 * SOL)
        pools = rpc(localnet, "localnet_market", 4)
        rows = CollectorFile.made(folder / "rows.sqlite")
        settings = live_settings(localnet.http_url, localnet.ws_url, folder)
        asyncio.run(_check(settings, wallet, Pubkey.from_string(pools[0]["address"])))
        for _ in range(kills):
            for kind, per_mille, amount in FAULTS:
                if rng.random() < 0.7:
                    rpc(localnet, "localnet_fault", {"kind": kind, "perMille": per_mille, "amount": amount})
            _run_until_killed(localnet, (wallet, pools, rows), folder, (rng, run))
            rpc(localnet, "localnet_clearFaults")
            asyncio.run(_settle_and_judge(settings, wallet, run))
            run.kills += 1
            progress(run.kills)
    return run


async def _check(settings: Settings, wallet: Keypair, pool: Pubkey) -> None:
    async with ChainConnection(settings) as connection:
        async for one in live_check(connection, practice_signer(wallet), SOL // 100, pool):
            assert one.status is not CheckStatus.FAILED, one


def _run_until_killed(
    localnet: RunningLocalnet,
    market: tuple[Keypair, list[dict[str, Any]], CollectorFile],
    folder: Path,
    dice: tuple[Random, CrashRun],
) -> None:
    rng, run = dice
    wallet, pools, rows = market
    command = [sys.executable, "-m", "tests.crash.live_process"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    told = {
        "http_url": localnet.http_url,
        "ws_url": localnet.ws_url,
        "folder": str(folder),
        "wallet": bytes(wallet)[:32].hex(),
    }
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    try:
        if process.stdout.readline() != "started\n":
            raise CrashFailure("the engine did not start")
        is_early = rng.random() < 0.2
        if not is_early and process.stdout.readline() != "open\n":
            raise CrashFailure("the engine did not open")
        ends = time.monotonic() + (rng.uniform(0.0, 0.5) if is_early else rng.uniform(2.0, 7.0))
        while time.monotonic() < ends:
            pool = rng.choice(pools)
            rows.add(pool["address"], pool["baseMint"], SystemClock().now_ns())
            time.sleep(_ROWS_EVERY_SECONDS)
    finally:
        process.kill()
        lines = process.stdout.read().splitlines()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    run.killed_while["opening" if is_early else "trading"] += 1
    run.outcomes.update(line.split()[0] for line in lines if line != "open")


async def _settle_and_judge(settings: Settings, wallet: Keypair, run: CrashRun) -> None:
    """The next start: resolve, let risk and exits hear of it, then compare with the chain."""
    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, practice_signer(wallet))
        try:
            run.open_attempts_found += len(trader.resolved)
            unknown = [order.order_id for order, outcome in trader.resolved if isinstance(outcome, Unknown)]
            if unknown:
                raise CrashFailure(f"still unknown although the endpoint is well: {unknown}")
            await judge(trader, run)
            _judge_memory(trader)
        finally:
            await trader.aclose()


def _judge_memory(trader: Trader) -> None:
    """What risk and exits remember is of the same moment as the books."""
    books = trader.books
    risk = books.run.states.risk()
    bought = [order.created_ns for order in books.run.orders() if order.side is TradeSide.BUY]
    if risk is not None and any(risk.entries_ns.count(at_ns) != bought.count(at_ns) for at_ns in bought):
        raise CrashFailure("risk does not remember each entry once")
    held = {position.pool for position in books.portfolio.positions.open_positions()}
    known = {state.pool for state in books.run.states.exits()}
    if held != known:
        raise CrashFailure(f"held in {sorted(held)}, exits of {sorted(known)}")
