"""Among everything that others do, the books stay the wallet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.execution.odd_world import OddLife
from tests.execution.outside_world import live_with_others
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.mark.asyncio
async def test_p29_random_lives_among_others_leave_nothing_unexplained(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        done += await live_with_others(folder, seed)
    kinds = {"Filled", "airdrop", "manual sell", "manual buy", "transfer out", "deposit", "withdrawal", "burn", "looks"}
    assert kinds <= done.keys(), done


@pytest.mark.asyncio
async def test_p29_lives_in_which_others_do_what_is_rarely_done(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        done += await live_with_others(folder, seed, steps=50, kind=OddLife)
    kinds = {"Filled", "airdrop", "burn", "deposit", "withdrawal", "wrapped or unwrapped", "account closed", "looks"}
    assert kinds <= done.keys(), done
