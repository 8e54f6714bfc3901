"""Quotes per second of the compiled kernel on one core, beside the same quotes in Python and the official SDK's."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.figures import Figures, PeerUnavailable
from benchmarks.node import NodeUnavailable, sdk_figures
from benchmarks.ours import best
from pumpswap.amm import FeeSchedule, PoolState, buy_exact_base, buy_exact_quote, sell_exact_base
from pumpswap.research.kernel.quotes import BUY_BASE, BUY_QUOTE, SELL, QuoteCases, Quotes, evaluate
from pumpswap.research.kernel.rates import pool_flags, rate_tables

__all__ = ["measure"]

CASES, BATCHES = 1_000_000, 25
AIM_PER_SECOND, LEAST_RATIO = 20_000_000, 100  # what a machine does in a second is aimed at: ratios are promised
_SIDES: tuple[tuple[str, int, str, Callable[..., Any]], ...] = (
    ("buy exact base", BUY_BASE, "buy_base_input", buy_exact_base),
    ("buy by budget", BUY_QUOTE, "buy_quote_input", buy_exact_quote),
    ("sell exact base", SELL, "sell_base_input", sell_exact_base),
)


def measure() -> Figures:
    """A million different questions on pools of all sizes, tier look-up included. Raises PeerUnavailable."""
    from benchmarks.__main__ import _case

    request, state, schedule = _case()
    names = [name for _, _, name, _ in _SIDES]
    try:
        peer = sdk_figures({**request, "only": [*names, *(f"{name}_flat" for name in names)]})["microseconds"]
    except NodeUnavailable as missing:
        raise PeerUnavailable(str(missing)) from missing
    table = [
        f"{'':<20}{'kernel, M/s':>13}{'Python, /s':>13}{'SDK, /s':>12}{'ratio':>9}{'SDK flat, /s':>14}{'ratio':>9}"
    ]
    figures: dict[str, Any] = {"questions": CASES}
    promises = []
    for title, side, name, python in _SIDES:
        rate = CASES / _seconds(_drawn(side, state), schedule)
        amount = int(request["quote"] if side == BUY_QUOTE else request["base"])
        slow = 1e6 / best(partial(python, state, schedule, amount))
        theirs, flat = 1e6 / peer[name], 1e6 / peer[f"{name}_flat"]
        beside = f"{theirs:12,.0f}{rate / theirs:9,.0f}{flat:14,.0f}{rate / flat:9,.0f}"
        table.append(f"{title:<20}{rate / 1e6:13.1f}{slow:13,.0f}{beside}")
        figures[title] = {
            "per_second": round(rate), "python_per_second": round(slow), "sdk_per_second": round(theirs),
            "sdk_flat_per_second": round(flat), "ratio": round(rate / theirs), "ratio_flat": round(rate / flat),
        }  # fmt: skip
        promises.append((f"{title}: at least {LEAST_RATIO}× the official SDK", rate / theirs >= LEAST_RATIO))
    missed = [title for title, one in figures.items() if title != "questions" and one["per_second"] < AIM_PER_SECOND]
    notes = [
        f"aimed at: {AIM_PER_SECOND / 1e6:.0f} million a second; missed here: {', '.join(missed) or 'nowhere'}",
        f"{CASES:,} different questions, one core, best of {BATCHES}; the rates are looked up in the tiers each time",
        "SDK: the same work, tiers looked up; SDK flat: without its FeeConfig, less work than the kernel does",
        "Python and the SDK answer one question again and again",
    ]
    return Figures("Exact quotes of the kernel", table, figures, promises, notes)


def _drawn(side: int, state: PoolState) -> QuoteCases:
    """Graduates from a hundredth to ten thousand times the usual price, traded by up to a twentieth."""
    rng = np.random.default_rng(1)
    move = np.exp(rng.uniform(np.log(0.1), np.log(100), CASES))
    base = (206_900_000_000_000 / move).astype(np.uint64)
    reserve = (84_990_359_057 * move).astype(np.uint64)
    whole = reserve if side == BUY_QUOTE else base
    amount = (whole * np.exp(rng.uniform(np.log(1e-6), np.log(0.05), CASES))).astype(np.uint64)
    return QuoteCases(
        np.full(CASES, side, np.uint8), base, reserve, reserve, np.zeros(CASES, np.uint8), amount,
        np.full(CASES, state.base_supply, np.uint64), np.full(CASES, pool_flags(state.pool), np.uint8),
        np.zeros(CASES, np.uint16), np.zeros(CASES, np.uint16),
    )  # fmt: skip


def _seconds(cases: QuoteCases, schedule: FeeSchedule) -> float:
    tables, room = rate_tables([schedule]), Quotes.room(len(cases))
    answers, taken = evaluate(cases, tables, room), []  # compiles, or reads from the disk
    if np.any(answers.status != 0):
        raise RuntimeError("a question of the benchmark is refused")
    for _ in range(BATCHES):
        began = time.perf_counter()
        evaluate(cases, tables, room)
        taken.append(time.perf_counter() - began)
    return min(taken)
