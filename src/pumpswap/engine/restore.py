"""What a run has left is taken up again: books, play money, ids, locks, exits; nothing of it is done twice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Restored
from pumpswap.engine.keeper import PaperKeeper
from pumpswap.errors import LedgerMismatch
from pumpswap.execution.costs import rents_at
from pumpswap.execution.wallet import PaperWallet
from pumpswap.model import SOL, Denied, EntryKind, Order, ProposalStatus, RiskState
from pumpswap.portfolio.movements import RENT_KINDS
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.storage.run import Run

__all__ = ["LOST", "RestoredPaper", "recall_marks", "restore_paper", "restore_states"]

LOST = "lost"  # the rule of a paper order that has died with its process
_DAY_NS = 86_400 * NS_PER_SECOND
_DECLINED_NS = 30 * _DAY_NS  # no cool-down is longer


@dataclass(frozen=True, slots=True)
class RestoredPaper:
    """``decisions`` and ``orders`` are the highest numbers that were given out; ``lost`` are the orders that were on
    their way: they have ended as Denied.
    """

    portfolio: Portfolio
    wallet: PaperWallet
    decisions: int
    orders: int
    restored: Restored
    lost: tuple[Order, ...]

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever put into these books: the first money is still to come."""
        return self.portfolio.ledger.last_sequence == 0

    def keeper(self) -> PaperKeeper:
        """Books that go on from here. The venue's wallet must be ``wallet``."""
        return PaperKeeper(self.wallet, self.portfolio, decisions=self.decisions, orders=self.orders)


def restore_paper(run: Run, at_ns: int) -> RestoredPaper:
    """The paper books of ``run`` as its last process has stored them, at the start of the next one.

    A paper order lives in its process only: one that was on its way has not traded, and never will. Raises
    LedgerMismatch for books that do not fit together, StorageError when they cannot be read.
    """
    lost = tuple(run.orders(unresolved=True))
    with run.batch():
        for order in lost:
            text = "the process that imitated its venue has ended before it landed"
            run.save_outcome(Denied(order.order_id, at_ns, LOST, text))
        restored = restore_states(run, at_ns)
    portfolio = recall_portfolio(run)
    recall_marks(run, portfolio)
    wallet = _wallet_of(run, portfolio)
    portfolio.ledger.check_against(wallet.balances())
    return RestoredPaper(
        portfolio=portfolio,
        wallet=wallet,
        decisions=max(map(_number, run.ids.newest_decisions()), default=0),
        orders=max(map(_number, run.ids.newest_orders()), default=0),
        restored=restored,
        lost=lost,
    )


def restore_states(run: Run, at_ns: int) -> Restored:
    """The locks of risk and the exits of what is still held, for paper and live runs alike.

    Buys that were ordered after risk was stored last are counted; exits of rounds that are over are forgotten;
    proposals of before have expired, since what was to be bought is to be judged anew.
    """
    held = {(position.pool, position.round) for position in run.open_positions()}
    exits = run.states.exits()
    kept = tuple(state for state in exits if (state.pool, state.round) in held)
    with run.batch():
        for state in exits:
            if state not in kept:
                run.states.drop_exits(state.pool)
        for proposal in (*run.proposals.waiting(), *run.proposals.decided()):
            if proposal.status is ProposalStatus.DECLINED:
                run.proposals.save(proposal)  # acted on: it is not waiting any more
                continue
            origin = proposal.origin or "the process that proposed it has ended"
            run.proposals.save(
                replace(proposal, status=ProposalStatus.EXPIRED, origin=origin, decided_ns=at_ns),
            )
    recent = run.proposals.declined_since(at_ns - _DECLINED_NS)
    declined = {proposal.mint: proposal.decided_ns or proposal.at_ns for proposal in recent}
    return Restored(_with_later_buys(run, run.states.risk(), at_ns), kept, declined)


def recall_marks(run: Run, portfolio: Portfolio) -> None:
    """Value what is held as it was valued last: without, equity would seem to fall by all of it, and lock the day. A
    mark that says why nothing could be quoted is no value: perhaps its pool could not be read.
    """
    for position in portfolio.positions.open_positions():
        mark = run.history.last_value(position)
        if mark is not None:
            portfolio.mark(mark)


def _with_later_buys(run: Run, state: RiskState | None, at_ns: int) -> RiskState | None:
    since = at_ns - _DAY_NS
    known = state.entries_ns if state is not None else ()
    after = max(known[-1] + 1 if known else 0, since)
    later = run.decided.buys_since(after)
    if not later:
        return state
    return replace(state or RiskState(), entries_ns=(*known, *later))


def _wallet_of(run: Run, portfolio: Portfolio) -> PaperWallet:
    """What a chain would hold for these books: every coin in an account whose rent one of its buys has paid, and one
    account for the volume, which the very first buy has made.
    """
    held = {asset: units for asset, units in portfolio.ledger.balances().items() if asset != SOL}
    first = run.books.first_of(EntryKind.RENT_PAID)
    accounts = {mint: -run.books.moved_by_orders_of(mint, tuple(RENT_KINDS)) for mint in held}
    accumulator = 0
    if first is not None:
        accumulator = rents_at(first.at_ns // NS_PER_SECOND).user_volume_accumulator
        maker = run.decided.order(first.order_id)
        if maker is not None and maker.mint in accounts:
            accounts[maker.mint] -= accumulator
    deposits = sum(accounts.values()) + accumulator
    if deposits != portfolio.rent_lamports:
        raise LedgerMismatch(
            f"{portfolio.rent_lamports} lamports of rent are in the ledger, {deposits} in the accounts that it made",
            hint="pumpswap ledger check tells what is wrong with the books; restore a backup",
        )
    return PaperWallet(portfolio.cash, held, accounts, has_volume_accumulator=first is not None)


def _number(stored_id: str) -> int:
    digits = stored_id[1:]
    return int(digits) if digits.isdigit() else 0
