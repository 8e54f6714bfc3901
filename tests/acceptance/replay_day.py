"""A simulated day of 1,000 pools and a practice chain of 4,000 slots, recorded and replayed: every state exactly."""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pumpswap.clock import SystemClock
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.market.lake import Coverage, Lake, LakeWriter
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.sources.chain import ChainChronicle, read_history
from pumpswap.research.chronicle.sources.lake import LakeChronicle
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Step
from pumpswap.research.chronicle.verify import verify
from tests.acceptance.check import Check, Findings, Progress
from tests.research.chronicle.lakes import rows_of
from tests.research.chronicle.practice import practised
from tests.research.chronicle.truth import compared
from tests.support.long_day import DAY_PACE
from tests.support.material import material

POOLS, HOURS = 1_000, 24
SLOTS = 4_000
_STEPS = 1_600_000  # about: for the progress alone
_TOLD_EVERY = 20_000


def run(seed: int, progress: Progress) -> Findings:
    """The day through a lake without its acts, and the chain's own history."""
    findings = Findings({})
    with tempfile.TemporaryDirectory() as folder:
        _day(seed, Path(folder), findings, progress)
    _chain(seed, findings)
    progress(_STEPS, _STEPS)
    return findings


def _day(seed: int, folder: Path, findings: Findings, progress: Progress) -> None:
    clock = SystemClock()
    market = SimulatedChronicle(SimulatedPlan(seed, HOURS * 60, POOLS, pace=DAY_PACE))
    lake = Lake(folder)
    with LakeWriter(lake) as writer:
        for count, (kind, row) in enumerate(rows_of(_acts(market))):
            if kind != "acts":  # what was not recorded is to be worked out
                writer.add(kind, [row], source="chain")
            if count % _TOLD_EVERY == 0:
                progress(count // 2, _STEPS)
        start_ns = market.plan.start_ns
        end_ns = start_ns + HOURS * 3_600 * 10**9
        writer.cover(Coverage(kind="swaps", network=lake.network, start_ns=start_ns, end_ns=end_ns))
    chronicle = LakeChronicle(lake)
    chronicle.schedule_for = market.schedule_for
    began = clock.now_ns()
    found = verify(chronicle)
    seconds = (clock.now_ns() - began) / 10**9
    steps, same = chronicle.identity.steps, _same_trades(market, chronicle, findings)
    figures = {"steps": steps, "swaps": chronicle.counts["swaps"], "exact": found.exact, "adjusted": found.adjusted}
    figures |= {"told": found.told, "differing": found.differing, "states_equal": same}
    findings.figures["day"] = figures | {"steps_per_second": round(steps / seconds)}
    findings.table += [f"{name:<24}{value:>12,}" for name, value in findings.figures["day"].items()]
    findings.failures += [f"{one.pool} slot {one.slot}: {one.what}" for one in found.first_differences]
    if found.told:
        findings.failures.append(f"{found.told} steps of the day are only told")
    findings.notes.append("sweeps, boosts and pulled liquidity were not recorded: they are worked out from the events")


def _acts(market: BaseChronicle) -> Iterator[Step]:
    return (step for step in market.steps() if step.snapshot is None)


def _same_trades(market: SimulatedChronicle, chronicle: LakeChronicle, findings: Findings) -> int:
    """Trades of the market and of its lake, pool by pool, as they come: the states after them."""
    waiting: dict[str, deque[Step]] = {}
    theirs = (step for step in chronicle.steps() if step.swap is not None)
    count = 0
    for mine in (step for step in market.steps() if step.swap is not None):
        queue = waiting.setdefault(mine.pool, deque())
        while not queue:
            step = next(theirs, None)
            if step is None:
                findings.failures.append(f"trades of {mine.pool} are missing in the lake")
                return count
            waiting.setdefault(step.pool, deque()).append(step)
        other = queue.popleft()
        if other.act != mine.act or other.after != mine.after:
            findings.failures.append(f"{mine.pool} slot {mine.slot}: {other.act} instead of {mine.act}")
            return count
        count += 1
    return count


def _chain(seed: int, findings: Findings) -> None:
    made = practised(SLOTS, seed)
    states = made.now()
    history = asyncio.run(read_history(LocalNode(made.chain), states))
    chronicle = ChainChronicle(states, history, lambda _: made.bots.schedule)
    found = verify(chronicle)
    equal, wrong = compared(chronicle.steps(), made)
    figures = {"acts": len(history), "account_states_equal": equal, "exact": found.exact}
    findings.figures["chain"] = figures
    findings.table += [f"chain, {name:<17}{value:>12,}" for name, value in figures.items()]
    findings.failures += wrong[:5]
    findings.failures += [f"{one.pool} slot {one.slot}: {one.what}" for one in found.first_differences]
    if found.told or found.adjusted:
        findings.failures.append(f"{found.told} steps of the chain are told, {found.adjusted} adjusted")


def _absent() -> str | None:
    return None if material("chain", "programs") is not None else "the recorded programs are not here"


REPLAY_DAY = Check(
    "replay-day", f"{HOURS} simulated hours of {POOLS:,} pools and {SLOTS:,} slots of a chain, replayed", _absent, run
)
