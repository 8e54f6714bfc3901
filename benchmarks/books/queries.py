"""The queries behind a dashboard, each over random keys: ours, and the same SQL through the bare driver."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from solders.pubkey import Pubkey

from benchmarks.books.measure import Bare, milliseconds, percentiles, statements_of
from benchmarks.books.plan import DAY_NS, END_NS, HOUR_NS, FillPlan, mint_of, pool_of
from pumpswap.clock import ManualClock
from pumpswap.execution.live_books import LiveBooks
from pumpswap.model import SOL
from pumpswap.storage import Database, Run

__all__ = ["LIMIT_MS", "QUERIES", "query_figures"]

WARM_UP = 20  # one for this many keys, and two more
SAMPLE = 4  # one of so many keys is also asked through the bare driver
LIMIT_MS = 20.0


class Query(NamedTuple):
    """``ask`` answers for one random key; ``limited``: p99 must stay within ``LIMIT_MS`` at every size."""

    label: str
    ask: Callable[[Run, FillPlan, random.Random], object]
    limited: bool = False
    keys: int = 200


def _moment(plan: FillPlan, rng: random.Random, length_ns: int) -> tuple[int, int]:
    since_ns = rng.randrange(plan.start_ns, END_NS - length_ns)
    return since_ns, since_ns + length_ns


def _mint(plan: FillPlan, rng: random.Random) -> str:
    return mint_of(rng.randrange(plan.tokens))


def _order(plan: FillPlan, rng: random.Random) -> str:
    return f"o{100_000_000 + plan.order_of_trade(rng.randrange(plan.trades))}"


def _open(run: Run) -> LiveBooks:
    return LiveBooks(run, Pubkey.default(), ManualClock(END_NS))


QUERIES: dict[str, Query] = {
    "positions": Query("open positions", lambda run, _plan, _rng: [*run.open_positions()], limited=True),
    "equity": Query("equity: newest point", lambda run, _plan, _rng: run.equity.latest(), limited=True),
    "equity_day": Query(
        "equity: curve of the last day", lambda run, _plan, _rng: [*run.equity.points(END_NS - DAY_NS)], limited=True
    ),
    "cash": Query("balance of SOL", lambda run, _plan, _rng: run.books.balance(SOL), limited=True),
    "trades": Query(
        "trades of a day", lambda run, plan, rng: run.listings.trades(*_moment(plan, rng, DAY_NS)), limited=True
    ),
    "trades_full": Query(
        "the same with orders and quotes", lambda run, plan, rng: [*run.history.trades(*_moment(plan, rng, DAY_NS))]
    ),
    "decisions": Query(
        "decisions of a token", lambda run, plan, rng: run.listings.decisions(_mint(plan, rng)), limited=True
    ),
    "decisions_newest": Query(
        "the newest hundred of them",
        lambda run, plan, rng: run.listings.decisions(_mint(plan, rng), newest=100),
        limited=True,
    ),
    "decisions_full": Query(
        "all of them with every verdict", lambda run, plan, rng: [*run.history.decisions_of(_mint(plan, rng))]
    ),
    "held": Query("what is held", lambda run, _plan, _rng: run.books.held()),
    "balances": Query("balances of all tokens ever traded", lambda run, _plan, _rng: run.books.balances()),
    "totals": Query("totals by asset and kind", lambda run, _plan, _rng: run.books.totals()),
    "round": Query(
        "latest round of a pool", lambda run, plan, rng: run.latest_position(pool_of(rng.randrange(plan.tokens)))
    ),
    "order": Query("ledger entries of an order", lambda run, plan, rng: [*run.books.of_order(_order(plan, rng))]),
    "hour": Query(
        "ledger entries of an hour", lambda run, plan, rng: [*run.books.between(*_moment(plan, rng, HOUR_NS))]
    ),
    "recent_orders": Query(
        "entries of the orders of the last hour",
        lambda run, _plan, _rng: [*run.books.of_orders_since(END_NS - HOUR_NS)],
    ),
    "opening": Query("opening the live books", lambda run, _plan, _rng: _open(run), keys=10),
}


def query_figures(database: Database, target: str | Path, run: Run, plan: FillPlan) -> dict[str, dict[str, Any]]:
    """By name: p50 and p99 in milliseconds, mean rows of an answer, and the p50 of the bare driver."""
    bare = Bare(target)
    try:
        return {name: _figures(query, database, bare, run, plan) for name, query in QUERIES.items()}
    finally:
        bare.close()


def _figures(query: Query, database: Database, bare: Bare, run: Run, plan: FillPlan) -> dict[str, Any]:
    answers: list[object] = []

    def calls(count: int, seed: int) -> Sequence[Callable[[], object]]:
        rng = random.Random(seed)
        return [lambda: answers.append(query.ask(run, plan, rng)) for _ in range(count)]

    milliseconds(calls(query.keys // WARM_UP + 2, 1))
    answers.clear()
    sample = max(10, query.keys // SAMPLE)
    with statements_of(database) as seen:
        milliseconds(calls(sample, 2))
    rows = sum(len(answer) if isinstance(answer, list | dict) else 1 for answer in answers) / sample
    answers.clear()  # the answers of one pass are no burden for the garbage collector in the next
    taken = []
    for call in calls(query.keys, 2):
        taken += milliseconds([call])
        answers.clear()
    each = len(seen) // sample
    groups = [seen[start : start + each] for start in range(0, len(seen), each)]
    peer = milliseconds([lambda group=group: bare.read(group) for group in groups])  # type: ignore[misc]
    return {**percentiles(taken), "rows": round(rows), "bare_p50": percentiles(peer)["p50"]}
