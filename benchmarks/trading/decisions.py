"""From a swap event to the gate's decision: an engine with 1,000 known pools, 20 open positions, every policy."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from solders.pubkey import Pubkey

from benchmarks.books.measure import percentiles
from benchmarks.figures import Figures
from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.addresses import WSOL_MINT, pool_address, pool_authority
from pumpswap.amm.execution import execute_buy_exact_quote_in
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.wallet import PaperWallet
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, Denied, MarketUpdate, Order, Outcome, RunObserver, Side, Signal, Swap
from pumpswap.settings import Settings
from pumpswap.signals.wallet_follow import Seen
from pumpswap.storage import open_database
from pumpswap.storage.run import Run
from tests.support.market import START_NS, graduate

__all__ = ["HELD", "POOLS", "DecisionBench", "made", "measure", "turn"]

POOLS, HELD = 1_000, 20
ROUNDS, WARM_UP, PASSES = 4_000, 500, 3
DAY_NS = 86_400 * NS_PER_SECOND
P50_US, P99_US = 200.0, 1_000.0
SCHEDULE = current_schedule()


class _Fleeting:
    """Fills the first orders through the paper venue, so that positions are open; later ones are denied at once, so
    that every decision meets the same books.
    """

    def __init__(self, inner: PaperVenue) -> None:
        self._inner = inner
        self._denied: list[Outcome] = []
        self.is_open = True

    @property
    def wallet(self) -> PaperWallet:
        return self._inner.wallet

    def deposit(self, lamports: int) -> None:
        self._inner.deposit(lamports)

    def submit(self, order: Order, at_ns: int) -> None:
        if self.is_open:
            self._inner.submit(order, at_ns)
        else:
            self._denied.append(Denied(order.order_id, at_ns, "benchmark", "not executed"))

    def next_landing_ns(self) -> int | None:
        return self._denied[0].at_ns if self._denied else self._inner.next_landing_ns()

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        yield from self._inner.settle(until_ns)
        while self._denied:
            yield self._denied.pop(0)


@dataclass
class _Stamps(RunObserver):
    """When each decision was there, before anybody stores it. The first of the observers."""

    decided: list[int] = field(default_factory=list)
    accepted: list[bool] = field(default_factory=list)

    def on_decision(self, decision: Decision) -> None:
        self.decided.append(time.perf_counter_ns())
        self.accepted.append(decision.accepted)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self.on_decision(decision)


@dataclass
class DecisionBench:
    """An engine, and what it is fed."""

    engine: Engine
    venue: _Fleeting
    stamps: _Stamps
    states: list[PoolState]
    run: Run | None = None  # what is stored of an event is committed at once
    now_ns: int = START_NS


def measure() -> Figures:
    """Percentiles of all decisions, of the accepted and of the refused ones; stored ones beside them."""
    bare = min((_timed(made(())) for _ in range(PASSES)), key=_p99)
    with (
        tempfile.TemporaryDirectory(prefix="pumpswap-decisions-") as folder,
        open_database(Path(folder, "bench.sqlite")) as database,
    ):
        run = database.start_run("paper", 1)
        bench = made((StoreRecorder(run),))
        bench.run = run
        stored = _timed(bench)
    everything = percentiles(_all(bare))
    rows = {"all": everything, **{name: percentiles(some) for name, some in bare.items()}}
    kept = {name: percentiles(some) for name, some in stored.items()}
    lines = [(f"swap to decision, {name}", one) for name, one in rows.items()]
    lines += [(f"  until it is on the disk, {name}", one) for name, one in kept.items()]
    table = [f"{'':<44}{'p50 µs':>10}{'p99 µs':>10}"]
    table += [f"{label:<44}{_shown(one['p50']):>10}{_shown(one['p99']):>10}" for label, one in lines]
    promises = [
        (f"swap event to decision p50 {everything['p50']} µs, {P50_US:g} promised", everything["p50"] <= P50_US),
        (f"swap event to decision p99 {everything['p99']} µs, {P99_US:g} promised", everything["p99"] <= P99_US),
    ]
    counts = {name: len(some) for name, some in bare.items()}
    notes = [
        f"{POOLS:,} known pools, {HELD} open positions, every policy asked; half of the decisions accept, half refuse",
        f"the quietest of {PASSES} passes of {ROUNDS:,}",
        "accepted: sizing down to the way out, all policies; its order is made after the decision and not counted",
        "on the disk: decision, order and state of risk in one commit (SQLite, synchronous FULL)",
    ]
    return Figures(
        "From a swap event to the decision", table, {"decision_us": rows, "stored_us": kept, "counts": counts},
        promises, notes,
    )  # fmt: skip


def _shown(microseconds: float) -> str:
    return f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.3g}"


def _all(taken: dict[str, list[float]]) -> list[float]:
    return [one for some in taken.values() for one in some]


def _p99(taken: dict[str, list[float]]) -> float:
    return percentiles(_all(taken))["p99"]


def made(observers: Sequence[RunObserver]) -> DecisionBench:
    """With every pool known and some positions open."""
    settings = Settings(
        paper={"latency_ms": 0, "start_sol": "1000"},
        risk={
            "max_open_positions": HELD + 5, "max_trades_per_minute": 10**6, "max_trades_per_hour": 10**6,
            "max_trades_per_day": 10**6, "breaker_failures": 1_000, "cooldown_seconds": 0,
        },
        exits={"stop_loss_bps": 9_000, "take_profit_bps": 10**6, "max_hold_seconds": 0},
    )  # fmt: skip
    book = PoolBook()
    inner = PaperVenue(book, settings.paper, lambda _: SCHEDULE, max_state_age_seconds=10**6)
    venue, stamps = _Fleeting(inner), _Stamps()
    parts = EngineParts(book, venue, None, lambda _: SCHEDULE, settings, swap_signaller=_signal)
    engine = Engine(parts, (stamps, *observers))
    engine.clock.advance_to(START_NS)
    engine.deposit(settings.paper.lamports("start_sol"))
    bench = DecisionBench(engine, venue, stamps, [_numbered(number) for number in range(POOLS)])
    for state in bench.states:
        bench.now_ns += NS_PER_SECOND // POOLS
        engine.step(MarketUpdate(bench.now_ns, str(state.address), state))
    for state in bench.states[:HELD]:
        turn(bench, state, is_good=True)
    engine.settle(bench.now_ns + NS_PER_SECOND)
    assert len(engine.portfolio.positions.open_positions()) == HELD, "the positions did not open"
    venue.is_open = False
    return bench


def _timed(bench: DecisionBench) -> dict[str, list[float]]:
    """Microseconds of each decision, accepted and refused apart."""
    taken: dict[str, list[float]] = {"accepted": [], "refused": []}
    gc.collect()
    gc.freeze()
    for number in range(WARM_UP + ROUNDS):
        if number % 500 == 0:
            bench.engine.risk.resume("denied on purpose: no failures")
            bench.now_ns += DAY_NS  # as many entries a day as the default limits allow, no more
        state = bench.states[HELD + number * 7 % (POOLS - HELD)]
        began = turn(bench, state, is_good=number % 2 == 0)
        ended = bench.stamps.decided[-1] if bench.run is None else time.perf_counter_ns()
        if number >= WARM_UP:
            name = "accepted" if bench.stamps.accepted[-1] else "refused"
            taken[name].append((ended - began) / 1_000)
    gc.unfreeze()
    assert abs(len(taken["accepted"]) - len(taken["refused"])) <= 2, {name: len(some) for name, some in taken.items()}
    return taken


def turn(bench: DecisionBench, state: PoolState, *, is_good: bool) -> int:
    """One swap of somebody else; when the engine got it. What has landed before is settled before."""
    bench.now_ns += NS_PER_SECOND // 10
    known = bench.engine.parts.book.state(str(state.address)) or state
    spent = 10_000_000 if is_good else 5_000_000
    done = execute_buy_exact_quote_in(known, SCHEDULE, spent, 1, generation=2)
    swap = Swap(str(state.address), bench.now_ns, True, done.transfers.user_base_change, spent, "somebody")
    update = MarketUpdate(bench.now_ns, swap.pool, done.state, swap=swap)
    bench.engine.settle(bench.now_ns)
    began = time.perf_counter_ns()
    with nullcontext() if bench.run is None else bench.run.batch():
        bench.engine.step(update)
    return began


def _signal(swap: Swap, seen: Seen) -> Signal:
    """A model that reads the size of the trade."""
    score = 90.0 if swap.quote_units >= 10_000_000 else 40.0
    return Signal(swap.pool, swap.at_ns, Side.LONG, score, score / 100, "benchmark", ("its size",), seen.mint)


def _numbered(number: int) -> PoolState:
    """A pool of its own; the tests' mints have one byte."""
    mint = Pubkey.from_bytes((number + 1).to_bytes(32, "little"))
    first = graduate(1)
    creator = pool_authority(mint)
    pool = first.pool.with_changes(base_mint=mint, creator=creator)
    return PoolState(
        pool, pool_address(0, creator, mint, WSOL_MINT), first.base_reserve, first.quote_vault, first.base_supply
    )
