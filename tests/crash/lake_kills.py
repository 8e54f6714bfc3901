"""Kills of a lake's writer, and what must hold after each."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import sleep

from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.lake.data import pl
from pumpswap.market.lake.verify import verify
from tests.market.lake.rows import MIDNIGHT, MINUTE, swap
from tests.support.material import ROOT

__all__ = ["BrokenLake", "Kills", "kill_writers"]

LONGEST = 0.5  # seconds of writing before the kill


class BrokenLake(AssertionError):
    """Something was lost, half, or there twice."""


@dataclass
class Kills:
    """What the kills met."""

    kills: int = 0
    commits: int = 0
    half_files: int = 0
    cut_manifests: int = 0
    acknowledged: int = 0


def kill_writers(folder: Path, count: int, chance: Random) -> Kills:
    """Kill ``count`` writers of one lake, one after the other. Raises BrokenLake."""
    found, lake = Kills(), Lake(folder)
    for _ in range(count):
        found.acknowledged = max(found.acknowledged, _killed(folder, found, chance))
        _check(lake, found)
        found.kills += 1
    return found


def _killed(folder: Path, found: Kills, chance: Random) -> int:
    command = [sys.executable, "-m", "tests.crash.lake_writer", str(folder), str(found.acknowledged)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    with process, process.stdout as told:
        first = told.readline()
        if not first:
            raise BrokenLake(f"the writer ended by itself with exit code {process.wait()}")
        sleep(chance.uniform(0, LONGEST))
        process.send_signal(signal.SIGKILL)
        numbers = [int(first), *(int(line) for line in told if line.endswith("\n"))]
    found.commits += len(numbers)
    return numbers[-1]


def _check(lake: Lake, found: Kills) -> None:
    result = verify(lake)
    # Whole files that no commit lists are what a kill between two steps leaves; the next writer puts them aside.
    wrong = [one for one in result.findings if one.problem.value != "orphan"]
    if wrong:
        raise BrokenLake(f"{wrong[0].path}: {wrong[0].problem.value}: {wrong[0].text}")
    found.half_files += len(list(lake.folder.rglob("*.tmp"))) + len(result.findings)
    found.cut_manifests += lake.manifest().is_cut
    rows = LakeReader(lake).swaps().select("pool", "signature", "quote_units").collect()
    known = {signature: (pool, quote) for pool, signature, quote in rows.iter_rows()}
    if len(known) != rows.height:
        raise BrokenLake(f"{rows.height - len(known)} swaps are there twice")
    for number in range(found.acknowledged):
        one = swap(number * 60, f"Pool{number % 7}")
        if known.get(one.signature) != (one.pool, one.quote_units):
            raise BrokenLake(f"swap {number} of {found.acknowledged} that were acknowledged is lost")
    covered = lake.covered("swaps")
    if covered[0][0] != MIDNIGHT or covered[0][1] < MIDNIGHT + found.acknowledged * MINUTE:
        raise BrokenLake(f"claims are lost: {covered}")
    claimed = (covered[0][1] - MIDNIGHT) // MINUTE
    if rows.height < claimed:
        raise BrokenLake(f"{claimed} swaps are claimed, {rows.height} are there")
    if LakeReader(lake).candles().select(pl.col("start_ns").is_duplicated().any()).collect().item():
        raise BrokenLake("a candle is there twice")
