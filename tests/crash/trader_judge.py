"""A judge of a killed trader's books that trusts nobody: it compares them with the chain's own history.

Every transaction of the wallet belongs to one attempt, no order has landed twice, every landed trade is booked once,
and ledger = wallet without a single foreign entry.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pumpswap.chain.node import Commitment, ConfirmedTransaction
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import EntryKind, Filled, ReconciliationStatus, Rejected
from pumpswap.sdk import Trader

__all__ = ["CrashFailure", "CrashRun", "judge"]


class CrashFailure(AssertionError):
    """The books and the chain disagree."""


@dataclass
class CrashRun:
    """What happened, for people and for the evidence."""

    kills: int = 0
    killed_while: Counter[str] = field(default_factory=Counter)
    open_attempts_found: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    landed: int = 0
    expired: int = 0
    # The practice chain forgets its oldest transactions; what a judge has read once stays.
    seen: dict[str, ConfirmedTransaction] = field(default_factory=dict)


async def judge(trader: Trader, run: CrashRun) -> None:
    """Raises CrashFailure when books and chain disagree in anything."""
    found = trader.reconciliation
    if found is None or found.status is not ReconciliationStatus.CLEAN:
        raise CrashFailure(f"the books and the wallet differ: {found}")
    node, books = trader.connection.node, trader.books
    if books.run.books.recount() != books.run.books.counted():
        raise CrashFailure("the sums beside the ledger are not its sums")
    await books.check(node)  # ledger = wallet; LedgerMismatch otherwise
    history = await _history(trader, run.seen)
    attempts = {
        attempt.signature: attempt
        for order in books.run.orders()
        for attempt in books.run.attempts.of_order(order.order_id)
    }
    strangers = [signature for signature in history if signature not in attempts]
    if strangers:
        raise CrashFailure(f"on the chain, and no attempt of ours: {strangers}")
    landed = Counter(attempts[signature].order_id for signature in history)
    twice = [order_id for order_id, count in landed.items() if count > 1]
    if twice:
        raise CrashFailure(f"landed twice: {twice}")
    _compare_outcomes(trader, history, {attempts[one].order_id: one for one in history})
    run.landed, run.expired = len(history), sum(1 for one in attempts.values() if one.state.value == "expired")


def _compare_outcomes(trader: Trader, history: dict[str, ConfirmedTransaction], landed: dict[str, str]) -> None:
    booked: Counter[str] = Counter()
    for outcome in trader.books.run.outcomes():
        signature = landed.get(outcome.order_id)
        if isinstance(outcome, Filled | Rejected):
            booked[outcome.order_id] += 1
            if signature != outcome.signature:
                raise CrashFailure(f"{outcome.order_id} is booked with {outcome.signature}, landed was {signature}")
            if (history[outcome.signature].err is None) != isinstance(outcome, Filled):
                raise CrashFailure(f"{outcome.order_id} is booked as {type(outcome).__name__}, which is not so")
        elif signature is not None:
            raise CrashFailure(f"{outcome.order_id} ended as {type(outcome).__name__}, yet {signature} is on the chain")
    missing = set(landed) - set(booked)
    if missing:
        raise CrashFailure(f"landed and not booked: {sorted(missing)}")
    swaps = sum(len([swap for swap in swaps_of(one) if swap.trader == str(one.keys[0])]) for one in history.values())
    trades = sum(1 for _ in trader.books.run.trades())
    if swaps != trades:
        raise CrashFailure(f"{swaps} swaps of the wallet on the chain, {trades} trades in the books")
    ledger = list(trader.books.run.ledger())
    if any(entry.kind is EntryKind.FOREIGN for entry in ledger):
        raise CrashFailure("the ledger holds foreign entries")
    if len({entry.at_ns for entry in ledger if entry.kind is EntryKind.DEPOSIT}) != 1:
        raise CrashFailure("deposits were booked more than once")


async def _history(trader: Trader, seen: dict[str, ConfirmedTransaction]) -> dict[str, ConfirmedTransaction]:
    """Every transaction that the wallet has paid for, by the chain's own history; ``seen`` grows by what is new."""
    node, wallet = trader.connection.node, trader.signer.public_key
    before: str | None = None
    while True:
        page = await node.signatures_for(wallet, before=before, limit=1_000)
        new = [line.signature for line in page if line.signature not in seen]
        for signature in new:
            content = await node.transaction(signature, Commitment.CONFIRMED)
            if content is None:
                raise CrashFailure(f"the chain lists {signature} and does not have it")
            seen[signature] = content
        if len(page) < 1_000 or len(new) < len(page):
            return {signature: content for signature, content in seen.items() if content.keys[0] == wallet}
        before = page[-1].signature
