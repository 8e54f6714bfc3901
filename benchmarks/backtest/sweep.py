"""A sweep: many sets of parameters over one long history, on one process, on two, and on a local Ray cluster."""

from __future__ import annotations

import json
import math
import random
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import track

from benchmarks.environments import environment_python
from benchmarks.figures import Figures
from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.market.simulator import FIRST_SLOT, Pace
from pumpswap.research.backtest.spec import BacktestSpec, SourceRef, StrategyRef, new_spec
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Range, Step
from pumpswap.research.kernel.layout import Columns, columns_of
from pumpswap.research.kernel.trials import KernelRunner
from pumpswap.research.tuning.pool import InProcess, Processes
from pumpswap.research.tuning.trials import (
    Job,
    Params,
    Split,
    TrialResult,
    TrialRunner,
    Window,
    Workers,
    chunks_of,
)
from pumpswap.settings import Settings

__all__ = ["SweepFactory", "measure_parts", "timed"]

Part = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]  # its name, and what measures it

SETS, SWAPS, POOLS, CHUNK = 10_000, 1_000_000, 1_000, 64
_SIDE = Path(__file__).with_name("ray_side.py")
_RUN_SECONDS = 7_200
# Breaker and locks of losses would end a trial early, and make the sweep look quicker than it is. How often it may buy
# is what a user has by default.
_SETTINGS = Settings.model_validate(
    {
        "paper": {"start_sol": "1000", "failed_bps": 0, "priority": "fixed"},
        "risk": {
            "breaker_failures": 1_000, "max_losses_in_a_row": 1_000, "max_daily_loss_fraction": "1",
            "max_drawdown_fraction": "1",
        },
    }
)  # fmt: skip


class LongHistory(BaseChronicle):
    """So many trades of a simulated market, made anew at each pass: a million steps in memory would be gigabytes."""

    def __init__(self, swaps: int) -> None:
        minutes = 60 + swaps // POOLS  # a pool has about seventeen trades a minute, less once it is over
        plan = SimulatedPlan(1, minutes, POOLS, pace=Pace(snapshot_seconds=86_400, openings=1))
        self._whole, self._swaps = SimulatedChronicle(plan), swaps
        super().__init__("long", {"kind": "long"}, self._whole.slots, self._whole.schedule_for)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """As the market says."""
        return self._whole.complete

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        left = self._swaps
        for step in self._whole.steps():
            yield step
            left -= step.swap is not None
            if not left:
                return


class Counted:
    """Takes the place of the engine: what is handed over is counted, not played, since only the kernel is timed."""

    def __init__(self, spec: BacktestSpec) -> None:
        self._spec = spec

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        """A trial without figures."""
        start, period = self._spec.start_lamports, self._spec.period_seconds
        return TrialResult(number, params, split, start, 0, 0, 0, 0, period, (), ())


class SweepFactory(msgspec.Struct, frozen=True):
    """A kernel on columns of a folder."""

    spec: BacktestSpec
    folder: str

    def open(self) -> TrialRunner:
        """As of ``RunnerFactory``."""
        columns = Columns.open(Path(self.folder))
        return KernelRunner(self.spec, _SETTINGS, columns, EvenSlots(FIRST_SLOT, TRIAL_START_NS), Counted(self.spec))


def measure_parts(part: Part) -> Figures:
    """All of it, each kind of workers once: they are long runs. Raises PeerUnavailable."""
    history = LongHistory(SWAPS)
    since_ns, until_ns = history.span_ns
    with tempfile.TemporaryDirectory(prefix="pumpswap-sweep-") as folder:
        columns_of(history).save(Path(folder))
        spec = new_spec(history, SourceRef("held", "held"), StrategyRef("momentum"), _SETTINGS)
        factory = SweepFactory(spec, folder)
        jobs = _jobs(Split(Window(since_ns, until_ns + 1)))
        InProcess(factory).map(chunks_of(jobs[:1], 1)).__next__()  # compiles, once for all processes
        figures: dict[str, Any] = {"sets": SETS, "swaps": SWAPS}
        figures["1 process"] = part("1 process", lambda: timed(lambda: InProcess(factory), jobs))
        figures["2 processes"] = part("2 processes", lambda: timed(lambda: Processes(factory, 2), jobs))
        figures["Ray, 2 workers"] = part("Ray, 2 workers", lambda: _on_ray(factory, jobs))
    names = ("1 process", "2 processes", "Ray, 2 workers")
    table = [f"{'':<20}{'seconds':>10}{'trials/s':>10}{'ms a trial':>12}{'handed over':>13}"]
    for name in names:
        one = figures[name]
        rate = (SETS - one["handed_over"]) / one["seconds"]  # what is handed over is not played here, and so not done
        each = 1_000 / rate if rate else math.inf
        table.append(f"{name:<20}{one['seconds']:10.1f}{rate:10.1f}{each:12.2f}{one['handed_over']:13,}")
    first = figures["1 process"]
    same = [figures[name]["digest"] == first["digest"] for name in names]
    notes = [
        f"momentum at full size, {SETS:,} random sets over {SWAPS:,} trades of {POOLS:,} simulated pools",
        f"{first['fills']:,} fills; the one process has {first['megabytes']:,} MB; columns are files that all share",
        f"{first['handed_over'] / SETS:.1%} of the sets need the engine: not played here, nor in the trials per second",
    ]
    return Figures("A sweep", table, figures, [("the same results from all workers", all(same))], notes)


def timed(start: Callable[[], Workers], jobs: list[Job]) -> dict[str, Any]:
    """Seconds and what came out. Starting the workers counts."""
    began, fills, handed, digest = time.perf_counter(), 0, Counter[str](), 0
    workers = start()
    console = Console(stderr=True)
    for results in track(workers.map(chunks_of(jobs, CHUNK)), "trials", -(-len(jobs) // CHUNK), console=console):
        for one in results:
            fills += one.fills
            handed[one.handed_over] += bool(one.handed_over)
            digest = (digest * 1_000_003 + one.net_lamports) % (1 << 61)
    workers.close()
    return {
        "seconds": round(time.perf_counter() - began, 2), "fills": fills, "digest": digest,
        "handed_over": handed.total(), "reasons": dict(+handed),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024,
    }  # fmt: skip


def _jobs(split: Split) -> list[Job]:
    """Random sets, those of one window after the other: what it sees is computed once for each."""
    dice = random.Random(1)
    choices = {
        "strategy.burst_bps": (50, 1_000), "strategy.turn_bps": (50, 1_000), "strategy.min_buyers": (2, 10),
        "exits.take_profit_bps": (500, 20_000), "exits.stop_loss_bps": (300, 5_000),
        "exits.trailing_stop_bps": (0, 3_000), "exits.max_hold_seconds": (60, 7_200), "risk.cooldown_seconds": (0, 900),
    }  # fmt: skip
    drawn: list[Params] = []
    for _ in range(SETS):
        told = [("strategy.full_size", "1"), ("strategy.window_seconds", dice.choice(("30", "60", "120", "300")))]
        drawn.append((*told, *((key, str(dice.randint(*bounds))) for key, bounds in choices.items())))
    drawn.sort(key=lambda params: params[1])
    return [Job(number, params, split) for number, params in enumerate(drawn)]


def _on_ray(factory: SweepFactory, jobs: list[Job]) -> dict[str, Any]:
    """In the environment of Ray. Raises PeerUnavailable."""
    python = environment_python("ray")
    request = msgspec.json.encode({"factory": factory, "jobs": jobs})
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(request)
        file.flush()
        done = subprocess.run(
            [str(python), str(_SIDE), file.name], capture_output=True, text=True, timeout=_RUN_SECONDS, check=False
        )
    if done.returncode:
        raise RuntimeError(f"the sweep on Ray has failed: {done.stderr.strip()[-1_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
