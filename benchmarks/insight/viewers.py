"""An engine decides fifty times a second and stores it; by turns nobody looks, and fifty browsers do."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.books.measure import percentiles
from benchmarks.figures import Figures
from benchmarks.insight.dashboard_process import running_dashboard
from benchmarks.trading.decisions import DAY_NS, HELD, POOLS, DecisionBench, made, turn
from pumpswap.clock import SystemClock
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.model import Heartbeat
from pumpswap.storage import open_database
from tests.support.material import ROOT

__all__ = ["measure"]

VIEWERS, TURNS, SECONDS, A_SECOND = 50, 6, 10, 50
WARM_UP = 100
MOST_SHARE = 0.10


def measure() -> Figures:
    """The decision itself, and until it is on the disk; medians over all turns."""
    taken: dict[str, dict[str, list[float]]] = {name: {"decided": [], "stored": []} for name in ("alone", "watched")}
    counted = {"heard": 0, "asked": 0}
    busy = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="pumpswap-viewers-") as folder,
        open_database(Path(folder, "pumpswap.sqlite")) as database,
        running_dashboard(Path(folder)) as dashboard,
    ):
        run = database.start_run("paper", SystemClock().now_ns())
        bench = made((StoreRecorder(run),))
        bench.run = run
        _decide(bench, WARM_UP)
        for _ in range(TURNS):
            _collect(taken["alone"], _decide(bench, SECONDS * A_SECOND))
            with _viewers(dashboard.port, counted):
                before = dashboard.processor_seconds()
                _collect(taken["watched"], _decide(bench, SECONDS * A_SECOND))
                busy += dashboard.processor_seconds() - before
        megabytes = dashboard.megabytes()
    figures = {name: {what: percentiles(times) for what, times in both.items()} for name, both in taken.items()}
    alone, watched = (figures[name]["decided"]["p50"] for name in ("alone", "watched"))
    share = watched / alone - 1
    busy_share = busy / (TURNS * SECONDS)
    table = [f"{'':<44}{'p50 µs':>10}{'p99 µs':>10}"]
    for name, label in (("alone", "nobody looks"), ("watched", f"{VIEWERS} browsers look")):
        for what, end in (("decided", "swap to decision"), ("stored", "until it is on the disk")):
            found = figures[name][what]
            table.append(f"{f'{end}, {label}':<44}{found['p50']:>10,.0f}{found['p99']:>10,.0f}")
    table += [
        "",
        f"{'change of the p50 of a decision':<44}{share:>+10.1%}",
        f"{'processor of the dashboard, of one core':<44}{busy_share:>10.0%}",
        f"{'its memory':<44}{megabytes:>10.0f} MB",
        f"{'changes heard, pages asked for':<44}{counted['heard']:>10,}{counted['asked']:>10,}",
    ]
    promises = [(f"decision p50 {share:+.1%} with {VIEWERS} viewers, {MOST_SHARE:.0%} promised", share <= MOST_SHARE)]
    notes = [
        f"{TURNS} turns of {SECONDS} s each, {A_SECOND} decisions a second, each stored in a commit of its own",
        "dashboard and browsers are processes of their own on the same two cores; browsers ask again at every change",
    ]
    more = {"p50_change": round(share, 4), "dashboard_core_share": round(busy_share, 3), "memory_mb": round(megabytes)}
    return Figures("An engine that is watched", table, {"microseconds": figures} | more | counted, promises, notes)


def _decide(bench: DecisionBench, count: int) -> list[tuple[float, float]]:
    """(microseconds to the decision, until it is stored) of each, at an even pace."""
    taken = []
    due = time.perf_counter()
    for number in range(count):
        if number % 250 == 0:
            bench.engine.risk.resume("denied on purpose: no failures")
            bench.now_ns += DAY_NS
            assert bench.run is not None
            now = SystemClock().now_ns()
            bench.run.states.beat(Heartbeat(now, now, 1, "paper", parts={"benchmark": "ok, 0 s ago"}))
        began = turn(bench, bench.states[HELD + number * 7 % (POOLS - HELD)], is_good=number % 2 == 0)
        ended = time.perf_counter_ns()
        taken.append(((bench.stamps.decided[-1] - began) / 1_000, (ended - began) / 1_000))
        due += 1 / A_SECOND
        time.sleep(max(due - time.perf_counter(), 0))
    return taken


def _collect(into: dict[str, list[float]], taken: list[tuple[float, float]]) -> None:
    into["decided"] += [decided for decided, _ in taken]
    into["stored"] += [stored for _, stored in taken]


@contextmanager
def _viewers(port: int, counted: dict[str, int]) -> Iterator[None]:
    """All of them watch for as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.insight.viewer_side", str(port), str(VIEWERS)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(2)  # until they have come
        try:
            yield
        finally:
            told, _ = process.communicate("", timeout=30)
    for name, count in json.loads(told).items():
        counted[name] += count
