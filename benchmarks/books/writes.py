"""What a fill costs until it is on the disk, and how fast a ledger is taken over from elsewhere."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from benchmarks.books.measure import Bare, milliseconds, percentiles, statements_of
from benchmarks.books.plan import END_NS, FillPlan, mint_of, pool_of
from pumpswap.clock import ManualClock
from pumpswap.execution.live_books import LiveBooks
from pumpswap.model import SOL, Costs, EntryKind, Filled, Intent, LedgerEntry, Order, TradeSide
from pumpswap.storage import Database, Run
from tests.storage import samples

__all__ = ["COMMIT_LIMIT_MS", "commit_figures", "ingest_figures"]

COMMITS = 300
WARM_UP = 50
COMMIT_LIMIT_MS = 2.0
BATCH = 10_000
BATCHES = 6


class _Undone(Exception):
    """Ends a transaction whose statements only were wanted."""


def commit_figures(database: Database, target: str | Path, run: Run, plan: FillPlan) -> dict[str, Any]:
    """``LiveBooks.settle`` of fills: outcome, trade, nine ledger entries, their sums, the position; one commit."""
    books = LiveBooks(run, Pubkey.default(), ManualClock(END_NS))
    rng = random.Random(3)
    prepared = [_ordered(books, plan, rng) for _ in range(WARM_UP + COMMITS)]
    calls = [lambda one=one: books.settle(*one, {}) for one in prepared]  # type: ignore[misc]
    milliseconds(calls[:WARM_UP])
    before = run.books.last()
    taken = milliseconds(calls[WARM_UP:])
    after = run.books.last()
    if before is None or after is None or after.sequence - before.sequence != 9 * COMMITS:
        raise RuntimeError("not every fill was booked with nine entries")
    peer = _bare_commits(database, target, books, [_ordered(books, plan, rng) for _ in range(COMMITS)])
    return {**percentiles(taken), "bare_p50": percentiles(peer)["p50"]}


def _ordered(books: LiveBooks, plan: FillPlan, rng: random.Random) -> tuple[Order, Filled]:
    """A stored order for one of the pools that were never traded, and its fill."""
    token = plan.tokens + rng.randrange(1_000)
    pool, mint = pool_of(token), mint_of(token)
    decision_id, order_id = books.next_decision_id(), books.next_order_id()
    intent = Intent(TradeSide.BUY, pool, mint, END_NS, "base score 82.5", samples.SIGNAL)
    decision = samples.decision(decision_id=decision_id, intent=intent)
    order = samples.order(order_id=order_id, decision_id=decision_id, pool=pool, mint=mint, created_ns=END_NS)
    books.admit(order, decision)
    books.portfolio.positions.open_round(pool)  # as the gate asks before it decides; the answer stays in memory
    costs = Costs(network_fee=5_000, priority_fee=30_000, tip=1_000, rent_paid=2_039_280)
    return order, samples.filled(order_id=order_id, at_ns=END_NS, costs=costs, signature=order_id.ljust(88, "s"))


def _bare_commits(
    database: Database, target: str | Path, books: LiveBooks, prepared: Sequence[tuple[Order, Filled]]
) -> list[float]:
    """The statements of a settlement, undone by us and executed by the driver alone."""
    bare, taken = Bare(target), list[float]()
    for order, filled in prepared:
        with statements_of(database) as seen:
            try:
                with books.run.batch():
                    books.settle(order, filled, {})
                    raise _Undone
            except _Undone:
                pass
        ours = [one for one in seen if one.is_raw or "advisory" not in one.sql]
        taken += milliseconds([lambda ours=ours: bare.write(ours)])  # type: ignore[misc]
    bare.close()
    return taken


def ingest_figures(database: Database, target: str | Path, run: Run) -> dict[str, float]:
    """Entries per second in batches of ten thousand, each a transaction with its sums; best of several."""
    last = run.books.last()
    sequence = 1 if last is None else last.sequence + 1
    ours = []
    for number in range(BATCHES):
        entries = _entries(sequence + number * BATCH)
        began = time.perf_counter()
        run.books.append(entries)
        ours.append(BATCH / (time.perf_counter() - began))
    peer = _bare_ingest(database, target, run, sequence + BATCHES * BATCH)
    return {"rows_per_second": round(max(ours)), "median": round(sorted(ours)[BATCHES // 2]), "bare": round(peer)}


def _bare_ingest(database: Database, target: str | Path, run: Run, sequence: int) -> float:
    """The INSERT of the entries alone (on PostgreSQL the sums are in it): the best of several batches."""
    bare, best = Bare(target), 0.0
    for number in range(BATCHES):
        with statements_of(database) as seen:
            try:
                with run.batch():
                    run.books.append(_entries(sequence + number * BATCH))
                    raise _Undone
            except _Undone:
                pass
        (insert,) = (one for one in seen if "INSERT INTO pumpswap_ledger" in str(one.sql))
        (taken,) = milliseconds([lambda insert=insert: bare.write([insert])])  # type: ignore[misc]
        best = max(best, BATCH / taken * 1_000)
    bare.close()
    return best


def _entries(sequence: int) -> list[LedgerEntry]:
    """Eight of a trade, of which one moves the token; a thousand tokens that were traded before."""
    kinds = [EntryKind.TRADE_QUOTE, EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.CREATOR_FEE]
    kinds += [EntryKind.TRADE_BASE, EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP]
    return [
        LedgerEntry(
            sequence=number,
            at_ns=END_NS,
            asset=mint_of(number // 8 % 1_000) if number % 8 == 4 else SOL,
            units=-5_000 - number,
            kind=kinds[number % 8],
            slot=500_000_000,
            order_id=f"i{number // 8:09d}",
            signature=f"{number // 8:09d}".ljust(88, "s"),
        )
        for number in range(sequence, sequence + BATCH)
    ]
