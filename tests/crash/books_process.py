"""Books complete trades as fast as it can until it is killed: ``python -m tests.crash.books_process DATABASE``.

Each step is a transaction of its own; its name and number are printed when it is on the disk. Run by books_kills.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.clock import ManualClock
from pumpswap.execution.live_books import LIVE, LiveBooks
from pumpswap.model import (
    Attempt,
    AttemptState,
    Costs,
    Decision,
    Denied,
    EquityPoint,
    Filled,
    Intent,
    Mark,
    Order,
    Outcome,
    Position,
    Rejected,
    TradeSide,
    Unknown,
)
from pumpswap.storage import Database, open_database
from tests.storage import samples

WALLET, NETWORK = Pubkey(b"\5" * 32), "practice"
POOLS = 5
SECOND = 10**9
STEPS = ("decided", "admitted", "signed", "sent", "landed", "settled", "marked", "measured")


def main(target: str | Path) -> None:
    with open_database(target) as database:
        books = open_books(database)
        print("open", flush=True)
        while True:
            trade(books, next_number(books))


def next_number(books: LiveBooks) -> int:
    """Of a decision and its order: a process that dies between them leaves a decision alone, whose number is gone."""
    return int(books.next_decision_id()[1:])


def open_books(database: Database) -> LiveBooks:
    """New ones, or those of before; what was under way when the last process died is ended."""
    run = database.open_live(str(WALLET), NETWORK)
    if run is None:
        run = database.start_run(LIVE, samples.NS, wallet=str(WALLET), network=NETWORK)
    books = LiveBooks(run, WALLET, ManualClock(samples.NS))
    if not books.portfolio.ledger.last_sequence:
        run.append_entries(books.portfolio.deposit(10**15, samples.NS))
    for attempt in run.attempts.unresolved():
        run.attempts.mark(attempt.signature, AttemptState.EXPIRED, samples.NS, "its process was killed")
    for order in books.unresolved():
        books.settle(order, Denied(order.order_id, order.created_ns, "expired", "its process was killed"), {})
    return books


def trade(books: LiveBooks, number: int) -> None:
    """One order from its decision to the equity after it."""
    decision, order = _wanted(books, number)
    attempt = _attempt_of(order)
    books.decide(decision)
    _done("decided", number)
    books.admit(order, decision)
    _done("admitted", number)
    books.run.attempts.add(attempt)
    _done("signed", number)
    books.run.attempts.mark(attempt.signature, AttemptState.SENT, order.created_ns)
    _done("sent", number)
    books.run.attempts.mark(attempt.signature, AttemptState.LANDED, order.created_ns)
    _done("landed", number)
    if number % 5 == 0:
        books.settle(order, Unknown(order.order_id, order.created_ns, attempt.signature, 300), {})
    books.settle(order, _outcome_of(order, number), {})
    _done("settled", number)
    held = books.portfolio.positions.open_round(order.pool)
    if held is not None:
        mark = Mark(order.pool, order.created_ns, order.created_ns, held.base_units, held.cost_lamports)
        books.portfolio.mark(mark)
        books.run.save_mark(mark)
    _done("marked", number)
    marks = sum(mark.value_lamports for mark in books.portfolio.marks.values())
    books.run.equity.add(EquityPoint(order.created_ns, books.portfolio.cash, marks, books.portfolio.rent_lamports))
    _done("measured", number)


def _done(step: str, number: int) -> None:
    print(step, number, flush=True)


def _wanted(books: LiveBooks, number: int) -> tuple[Decision, Order]:
    """In turn: a buy, another one, and all of it sold."""
    pool, mint = f"Pool{number % POOLS}", f"Mint{number % POOLS}"
    held: Position | None = books.portfolio.positions.open_round(pool)
    at_ns = samples.NS + number * SECOND
    is_sale = held is not None and held.buys >= 2
    side = TradeSide.SELL if is_sale else TradeSide.BUY
    base = held.base_units if is_sale and held is not None else 0
    decision_id, order_id = f"d{number:06d}", f"l{number:06d}"
    intent = Intent(side, pool, mint, at_ns, "a test", base_units=base or None)
    decision = Decision(decision_id, intent, True, (), (), 0 if is_sale else 10**9, base)
    quote = samples.sell_quote(base_in=base) if is_sale else samples.buy_quote()
    order = samples.order(
        order_id=order_id, decision_id=decision_id, side=side, pool=pool, mint=mint, created_ns=at_ns, quote=quote,
        quote_lamports=0 if is_sale else 10**9, base_units=base,
    )  # fmt: skip
    return decision, order


def _attempt_of(order: Order) -> Attempt:
    return Attempt(
        order_id=order.order_id,
        number=1,
        signature=f"signature-{order.order_id}",
        raw=order.order_id.encode() * 100,
        blockhash="hash",
        last_valid_block_height=300,
        created_ns=order.created_ns,
        created_slot=1,
        compute_unit_limit=100_000,
        compute_unit_price_micro_lamports=10_000,
    )


def _outcome_of(order: Order, number: int) -> Outcome:
    costs, signature = Costs(network_fee=5_000, priority_fee=30_000), f"signature-{order.order_id}"
    if number % 7 == 0:
        return Rejected(
            order.order_id, order.created_ns, number, 6004, "ExceededSlippage", "too late", costs, signature
        )
    return Filled(order.order_id, order.created_ns, number, order.quote, costs, signature)


if __name__ == "__main__":
    main(sys.argv[1])
