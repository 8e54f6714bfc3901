"""kill -9 at random moments of a process that trades on a running practice chain, and a judge that trusts nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.clients.our_sdk import settings_for
from tests.crash.practice import Ground, practice_ground
from tests.crash.trader_judge import CrashRun

__all__ = ["run_kills"]


def run_kills(seed: int, kills: int, progress: Callable[[int], None] = lambda _: None) -> CrashRun:
    """Raises CrashFailure at the first thing that is not as it must be."""
    with practice_ground("kills", seed) as ground:
        settings = settings_for(ground.localnet.http_url, ground.localnet.ws_url, ground.folder)
        return ground.kill(settings, kills, _trade_until_killed, progress)


def _trade_until_killed(ground: Ground) -> None:
    rng = ground.rng
    pools = [each["address"] for each in ground.pools]
    with ground.victim("tests.crash.trading_process", pools=pools, seed=rng.getrandbits(32)) as victim:
        victim.hear("started", "the trading process did not start")
        # Some are killed while they open and resolve, most while they trade.
        time.sleep(rng.uniform(0.0, 0.3) if rng.random() < 0.2 else rng.uniform(0.3, 4.0))
    ground.run.killed_while["trading" if "open" in victim.lines else "opening"] += 1
