"""A lake under attack: its writers are killed a hundred times, then single bits are flipped all over it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from pumpswap.market.lake import Lake
from pumpswap.market.lake.verify import verify
from tests.acceptance.check import Check, Findings, Progress
from tests.crash.lake_kills import BrokenLake, Kills, kill_writers

KILLS = 100
FLIPS = 1_000
ALL = KILLS + FLIPS
_AT_ONCE = 10


def run(seed: int, progress: Progress) -> Findings:
    """Stops at the first thing that is lost, half, twice, or not found."""
    chance, found = Random(f"lake {seed}"), Kills()
    with tempfile.TemporaryDirectory(prefix="pumpswap-lake-") as folder:
        try:
            for done in range(0, KILLS, _AT_ONCE):
                # Ten kills to a lake: its first commits are special.
                some = kill_writers(Path(folder, f"lake-{done}"), _AT_ONCE, chance)
                _add(found, some)
                progress(done + _AT_ONCE, ALL)
            flips = _flip(Lake(next(Path(folder).iterdir())), chance, progress)
        except BrokenLake as broken:
            return Findings({"kills": found.kills, "broken": 1}, failures=[str(broken)])
    figures = {
        "kills": found.kills,
        "commits_before_kills": found.commits,
        "swaps_acknowledged": found.acknowledged,
        "half_files_met": found.half_files,
        "cut_manifests_met": found.cut_manifests,
        "bits_flipped": FLIPS,
        "flips_found": flips,
    }
    failures = [] if flips == FLIPS else [f"{FLIPS - flips} flipped bits were not found, or not in their file"]
    table = [f"{name:<38} {value}" for name, value in figures.items()]
    return Findings(figures, table, failures, ["after every kill: data verify, every acknowledged row, every claim"])


def _add(found: Kills, some: Kills) -> None:
    for name in ("kills", "commits", "half_files", "cut_manifests", "acknowledged"):
        setattr(found, name, getattr(found, name) + getattr(some, name))


def _flip(lake: Lake, chance: Random, progress: Progress) -> int:
    """How many of the flipped bits ``verify`` finds and names rightly."""
    paths = ["manifest.jsonl", *sorted(lake.manifest().files)]
    found = 0
    for done in range(FLIPS):
        name = chance.choice(paths)
        path = lake.folder / name
        good = path.read_bytes()
        wrong = bytearray(good)
        # The manifest's last line has an end; without it the line would not count, as after a kill.
        wrong[chance.randrange(len(good) - (name == "manifest.jsonl"))] ^= 1 << chance.randrange(8)
        path.write_bytes(wrong)
        findings = verify(lake, bytes_only=True).findings
        found += any(one.path == name for one in findings)
        path.write_bytes(good)
        progress(KILLS + done + 1, ALL)
    return found


LAKE = Check("lake", f"{KILLS} times kill -9 of a lake's writer, {FLIPS:,} flipped bits", lambda: None, run)
