"""kill -9 at random moments of a live engine on a running practice chain; the judge is that of trades by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.app.checks import CheckStatus
from pumpswap.app.live_check import live_check
from pumpswap.clock import SystemClock
from pumpswap.model import TradeSide
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import Settings
from tests.clients.our_sdk import practice_signer, settings_for
from tests.crash.practice import SOL, Ground, practice_ground
from tests.crash.trader_judge import CrashFailure, CrashRun
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
    with practice_ground("live kills", seed) as ground:
        rows = CollectorFile.made(ground.folder / "rows.sqlite")
        settings = live_settings(ground.localnet.http_url, ground.localnet.ws_url, ground.folder)
        asyncio.run(_check(settings, ground))

        def life(ground: Ground) -> None:
            _run_until_killed(ground, rows)

        return ground.kill(settings, kills, life, progress, _judge_memory)


async def _check(settings: Settings, ground: Ground) -> None:
    pool = Pubkey.from_string(ground.pools[0]["address"])
    async with ChainConnection(settings) as connection:
        async for one in live_check(connection, practice_signer(ground.wallet), SOL // 100, pool):
            assert one.status is not CheckStatus.FAILED, one


def _run_until_killed(ground: Ground, rows: CollectorFile) -> None:
    rng = ground.rng
    with ground.victim("tests.crash.live_process") as victim:
        victim.hear("started", "the engine did not start")
        is_early = rng.random() < 0.2
        if not is_early:
            victim.hear("open", "the engine did not open")
        ends = time.monotonic() + (rng.uniform(0.0, 0.5) if is_early else rng.uniform(2.0, 7.0))
        while time.monotonic() < ends:
            pool = rng.choice(ground.pools)
            rows.add(pool["address"], pool["baseMint"], SystemClock().now_ns())
            time.sleep(_ROWS_EVERY_SECONDS)
    ground.run.killed_while["opening" if is_early else "trading"] += 1


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
