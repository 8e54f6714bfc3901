"""Killed at any moment, a live engine loses nothing, does nothing twice, and remembers what it must."""

from __future__ import annotations

from tests.crash.live_kills import run_live_kills
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

KILLS = 2


def test_kill_nine_of_a_live_engine_loses_no_trade_and_repeats_none() -> None:
    run = run_live_kills(seed=5, kills=KILLS)
    assert run.kills == KILLS
    assert run.landed > 0
