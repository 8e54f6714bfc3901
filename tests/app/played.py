"""Books of markets that were played: once for all the tests of a process that begin with the same."""

from __future__ import annotations

from pathlib import Path

from pumpswap.app.run_order import RunOrder
from tests.app.test_run import Counting, ran
from tests.support.made_once import made_once

__all__ = ["played"]


def played(folder: Path, order: RunOrder, updates: int = 10**9) -> None:
    """What a run by the usual settings leaves in its data folder when it is stopped after so many updates."""
    made_once(("played", order, updates), lambda made: ran(made, order, Counting(updates)), folder)
