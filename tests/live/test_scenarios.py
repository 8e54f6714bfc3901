"""A live engine on the real program: from a signal to a confirmed fill, and out again for every reason there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.model import Filled, TradeSide
from tests.live.scenarios import SCENARIOS, play
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_exit_sells_what_a_signal_bought_and_the_books_are_the_wallet(name: str, tmp_path: Path) -> None:
    rig = await play(SCENARIOS[name], tmp_path)
    filled = [order.side for order, outcome in rig.told.outcomes if isinstance(outcome, Filled)]
    assert filled[0] is TradeSide.BUY
    assert set(filled[1:]) == {TradeSide.SELL}
    rig.world.close()


@pytest.mark.parametrize(("seed", "name"), list(enumerate(SCENARIOS)))
async def test_the_same_with_endpoints_that_fail_and_processes_that_end(seed: int, name: str, tmp_path: Path) -> None:
    """One draw each; the long checks play many."""
    rig = await play(SCENARIOS[name], tmp_path, seed)
    rig.world.close()
