"""The books of a live wallet, over all its processes: opened again where the last one left them, however it ended.

A wallet has one unfinished live run per network. The first opening books what the wallet really holds as deposits.
Later ones recall ledger and positions; once the orders of before are resolved, ``reconcile`` compares the ledger with
the chain. What others have moved is found in the wallet's history, named and booked; what nothing explains stops
entries until it is explained or its owner has it booked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from solders.pubkey import Pubkey

from pumpswap.chain.balances import WalletHoldings, wallet_holdings
from pumpswap.chain.node import Node
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import LedgerMismatch
from pumpswap.execution.alarm import alert_of_difference, alert_of_event
from pumpswap.execution.compare import Compared, Comparison, balances_of
from pumpswap.execution.spending import Spending
from pumpswap.model import (
    OWN_MONEY,
    SOL,
    Adoption,
    Chore,
    ChoreResult,
    Decision,
    EntryKind,
    Filled,
    ForeignEvent,
    ForeignKind,
    Intent,
    LedgerEntry,
    Order,
    Outcome,
    Position,
    Reconciliation,
    ReconciliationStatus,
    Unknown,
)
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run
from pumpswap.storage.settlement import Settlement

__all__ = ["LIVE", "LiveBooks"]

LIVE = "live"
_DAYS_NS = 2 * 86_400 * NS_PER_SECOND


class LiveBooks:
    """Ledger, positions and orders of one wallet on one network, in step with the stored run.

    Made by ``open``. Use it from one thread. ``is_new``: this opening has booked the first deposits.
    """

    def __init__(self, run: Run, wallet: Pubkey, clock: Clock) -> None:
        self.run = run
        self.wallet = wallet
        self.is_new = False
        self.portfolio: Portfolio = recall_portfolio(run)
        self._clock = clock
        self._open: set[str] = set()  # admitted by this process, without a final outcome
        self._decided: set[str] = set()  # by this process; asking the database takes time that an order does not have
        self._spending = Spending(run, clock.now_ns() - _DAYS_NS)
        self._comparison = Comparison(run, self.portfolio, wallet)
        self._names: dict[str, str] = {}  # of coins that are being bought, by pool
        self._is_torn = False  # more is in memory than is stored
        self.on_capital: Callable[[int], None] = lambda _: None  # hears what the owner has put in or taken out, booked
        latest = run.reconciliations.latest()
        self._differences: Mapping[str, int] = latest.differences if latest is not None else {}
        # Ids may have been given out and never stored, so the highest counts, not how many there are.
        self._last_order = max(map(_number, run.ids.newest_orders()), default=0)
        self._last_decision = max(map(_number, run.ids.newest_decisions()), default=0)

    @classmethod
    async def open(
        cls,
        database: Database,
        node: Node,
        wallet: Pubkey,
        clock: Clock,
        settings: Mapping[str, object] | None = None,
    ) -> LiveBooks:
        """The books of ``wallet`` on the network that ``node`` serves: the stored ones, or new ones.

        Raises ChainError when the node cannot be asked, StorageError and LedgerMismatch for damaged books. Resolve the
        unresolved orders and call ``reconcile`` before anything is traded.
        """
        network = await node.genesis_hash()
        run = database.open_live(str(wallet), network)
        if run is None:
            started_ns = clock.now_ns()
            run = database.start_run(LIVE, started_ns, None, settings, wallet=str(wallet), network=network)
        books = cls(run, wallet, clock)
        # A process may have ended between the run and its first entries.
        if not books.portfolio.ledger.last_sequence and not books._last_order:
            books._deposit(await wallet_holdings(node, wallet))
            books.is_new = True
        return books

    # ------------------------------------------------------------------------------------------ orders

    def next_order_id(self) -> str:
        """An id that no order of these books has had, in this process or an earlier one. Each call gives another."""
        self._last_order += 1
        return f"l{self._last_order:06d}"

    def next_decision_id(self) -> str:
        """The same for decisions."""
        self._last_decision += 1
        return f"d{self._last_decision:06d}"

    def decide(self, decision: Decision) -> None:
        """Store a decision of the gate, accepted or refused."""
        self.run.save_decision(decision)
        self._decided.add(decision.decision_id)

    def admit(self, order: Order, decision: Decision | None = None) -> None:
        """Store an order, with its decision or one that says that the user has ordered it.

        Raises StorageError when the order is stored already.
        """
        with self.run.batch():
            if order.decision_id not in self._decided:  # of another process it may be stored all the same
                self.run.keep_decision(decision or _decision_of(order))
            self.run.save_order(order)
        self._decided.add(order.decision_id)
        self._open.add(order.order_id)
        self._spending.ordered(order.order_id, order.created_ns)

    def is_stored(self, order_id: str) -> bool:
        """Whether an order is in the books. Raises StorageError when the database cannot tell."""
        return self.run.ids.has_order(order_id)

    def know_decimals(self, mint: str, decimals: int) -> None:
        """Decimals of a mint, for the columns in whole tokens."""
        self.run.know_decimals(mint, decimals)

    def know_name(self, pool: str, name: str) -> None:
        """What the coin of a pool is called, for the position that an order on its way may open."""
        self._names[pool] = name

    def settle(self, order: Order, outcome: Outcome, foreign: Mapping[str, int]) -> None:
        """Book an outcome in one database transaction; ``foreign`` goes in beside it, under its signature.

        An outcome that is stored already is booked already: asking again what became of an order moves nothing.
        """
        entries: list[LedgerEntry] = []
        is_open = order.order_id in self._open
        self._open.discard(order.order_id)  # if this fails it may be stored all the same: the next try asks first
        with self._storing():
            if isinstance(outcome, Filled) and not foreign and is_open:
                entries = self._fill(order, outcome)
            elif self.run.save_outcome(outcome, self.portfolio.gain_of(order, outcome)):
                entries = self._book(order, outcome, foreign)
        self._spending.add(entries)
        if isinstance(outcome, Unknown) and is_open:
            self._open.add(order.order_id)
        else:
            self._names.pop(order.pool, None)

    def _fill(self, order: Order, filled: Filled) -> list[LedgerEntry]:
        """The usual end of an order of this process: all of it in as few questions as the database allows."""
        gain = self.portfolio.gain_of(order, filled)
        entries, position = self.portfolio.book(order, filled, self._names.get(order.pool, ""))
        assert position is not None, "a fill changes its position"
        self.run.settle(Settlement(order, filled, gain, entries, position))
        return entries

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """One database transaction; when it fails, the books in memory go back to what is stored: at once, or before
        they are used again when the database does not answer.
        """
        self._mend()
        try:
            with self.run.batch():
                yield
        except BaseException:
            self._is_torn = True
            self._mend()
            raise

    def _mend(self) -> None:
        if self._is_torn:
            stored, spending = recall_portfolio(self.run), Spending(self.run, self._clock.now_ns() - _DAYS_NS)
            stored.marks = self.portfolio.marks
            self.portfolio.__dict__.update(stored.__dict__)  # in place: others hold the portfolio too
            self._spending, self._is_torn = spending, False

    def _book(self, order: Order, outcome: Outcome, foreign: Mapping[str, int]) -> list[LedgerEntry]:
        entries, position = self.portfolio.book(order, outcome, self._names.get(order.pool, ""))
        others, cut = self.portfolio.book_remainder(order, outcome, foreign)
        self.run.append_entries([*entries, *others])
        for changed in ([position] if position is not None else []) + cut:
            self.run.save_position(changed)
        return [*entries, *others]

    def settle_chore(self, chore: Chore, result: ChoreResult, foreign_lamports: int = 0) -> None:
        """Book what became of upkeep of the wallet, in one database transaction."""
        with self._storing():
            entries = self.portfolio.book_chore(chore, result, foreign_lamports)
            self.run.chores.end(chore.order_id, result)
            self.run.append_entries(entries)
        self._spending.add(entries)

    def unresolved(self) -> Sequence[Order]:
        """Orders whose fate is not known."""
        return tuple(self.run.orders(unresolved=True))

    # ------------------------------------------------------------------------------------------ the chain

    def balance(self, asset: str) -> int:
        """What the ledger has of an asset."""
        return self.portfolio.ledger.balance(asset)

    def held(self, pool: str) -> int:
        """Base units of the open position in a pool, as far as the wallet has them: what the newest comparison has
        missed without an explanation is in the position still, and cannot be sold.
        """
        position = self.portfolio.positions.open_round(pool)
        if position is None:
            return 0
        missing = -self._differences.get(position.mint, 0)
        if missing <= 0:
            return position.base_units
        return max(min(position.base_units, self.balance(position.mint) - missing), 0)

    def spent_since(self, since_ns: int) -> int:
        """Lamports that orders have paid for tokens, fees and tips since then; proceeds are not set off."""
        return self._spending.since(since_ns)

    # ------------------------------------------------------------------------------------------ reconciliation

    async def reconcile(self, node: Node, unsent: str = "") -> Reconciliation:
        """Compare the ledger with the chain and book what others have moved, each transaction under its own name.

        Raises LedgerMismatch while orders are unresolved, but for ``unsent``, of which nothing is signed; ChainError
        when the chain cannot be asked. What stays unexplained is in the result, stored with an alert, and stops
        entries for its token (SOL: for all); ignored tokens are booked all the same.
        """
        self._mend()
        found = await self._comparison.compare(
            node, lambda asset: asset not in self.run.owned.ignored(), partial(self._check_settled, unsent)
        )
        with self._storing():
            result, capital = self._book_compared(found)
        self._differences = result.differences
        if capital:
            self.on_capital(capital)  # with nothing awaited in between: nobody has measured equity with it
        return result

    def _book_compared(self, found: Compared) -> tuple[Reconciliation, int]:
        now, slot, ignored = self._clock.now_ns(), found.holdings.slot, self.run.owned.ignored()
        quiet = {asset: units for asset, units in found.left.items() if asset in ignored}
        left = {asset: units for asset, units in found.left.items() if asset not in ignored}
        events = tuple(event if event.at_ns else replace(event, at_ns=now) for event in found.events)
        events += tuple(_unexplained({asset: units}, slot, now) for asset, units in quiet.items())
        capital = 0
        for event in events:
            capital += self._book_event(event)
            alert = alert_of_event(event, ignored, now)
            if alert is not None:
                self.run.alert(alert)
        status = ReconciliationStatus.EXPLAINED if events else ReconciliationStatus.CLEAN
        result = Reconciliation(now, slot, ReconciliationStatus.UNEXPLAINED if left else status, events, left)
        if not left or events or left != self._differences:
            self.run.reconciliations.add(result)
        for asset, units in left.items():
            if units != self._differences.get(asset):
                self.run.alert(alert_of_difference(asset, units, now))
        return result, capital

    def repair(self, found: Reconciliation) -> Reconciliation:
        """Book what no transaction explains, on the word of the wallet's owner; then nothing is stopped any more.

        Raises LedgerMismatch when the books have changed since ``found``: compare again.
        """
        if dict(found.differences) != dict(self._differences):
            raise LedgerMismatch("the books have changed since this comparison", hint="reconcile again, then repair")
        if found.is_balanced:
            return found
        now = self._clock.now_ns()
        event = _unexplained(found.differences, found.slot, now)
        result = Reconciliation(now, found.slot, ReconciliationStatus.REPAIRED, (event,))
        with self._storing():
            self._book_event(event)
            self.run.reconciliations.add(result)
        self._differences = {}
        return result

    def obstacle(self, mint: str) -> str:
        """Why nothing of a token may be bought; empty when nothing speaks against it."""
        for asset in (mint, SOL):
            units = self._differences.get(asset)
            if units is not None:
                return f"the wallet has {units:+d} units of {asset} beyond the books, and no transaction explains it"
        return ""

    def adopt(self, adoption: Adoption) -> Position:
        """Make tokens from outside a position. Raises what ``Portfolio.adopt`` raises."""
        with self._storing():
            position = self.portfolio.adopt(adoption, adoption.name)
            self.run.owned.adopt(adoption)
            self.run.save_position(position)
        return position

    async def check(self, node: Node) -> None:
        """Raises LedgerMismatch, naming every asset, when the ledger is not what the chain says the wallet holds."""
        self.portfolio.ledger.check_against(balances_of(await self._comparison.holdings(node)))

    def _book_event(self, event: ForeignEvent) -> int:
        """Returns the lamports of its owner that are in it."""
        entries, changed = self.portfolio.book_foreign(event)
        self.run.append_entries(entries)
        for position in changed:
            self.run.save_position(position)
        return sum(entry.units for entry in entries if entry.asset == SOL and entry.kind in OWN_MONEY)

    def _check_settled(self, unsent: str) -> None:
        waiting = [order.order_id for order in self.unresolved() if order.order_id != unsent]
        waiting += [chore.order_id for chore in self.run.chores.unresolved()]
        if waiting:
            raise LedgerMismatch(
                f"the ledger cannot be compared with the chain while orders are unresolved: {', '.join(waiting)}",
                hint="resolve them first; they may still land",
            )

    def _deposit(self, holdings: WalletHoldings) -> None:
        """What is there when the books begin. Rent in token accounts comes back one day: put in, and laid down."""
        now, rent = self._clock.now_ns(), sum(account.rent_lamports for account in holdings.accounts)
        moves = [(asset, units, EntryKind.DEPOSIT) for asset, units in sorted(balances_of(holdings).items())]
        moves += [(SOL, rent, EntryKind.DEPOSIT), (SOL, -rent, EntryKind.RENT_PAID)]
        with self._storing():
            self.run.append_entries(self.portfolio.begin(moves, now, holdings.slot))
            self.run.reconciliations.add(Reconciliation(now, holdings.slot, ReconciliationStatus.CLEAN))


def _number(identifier: str) -> int:
    """The digits at the end of an id of ours; 0 for the ids of somebody else."""
    digits = identifier.lstrip("abcdefghijklmnopqrstuvwxyz-")
    return int(digits) if digits.isdigit() else 0


def _decision_of(order: Order) -> Decision:
    base_units = order.base_units or None
    intent = Intent(order.side, order.pool, order.mint, order.created_ns, order.reason or "ordered", None, base_units)
    return Decision(order.decision_id, intent, True, (), (), order.quote_lamports, order.base_units)


def _unexplained(differences: Mapping[str, int], slot: int, at_ns: int) -> ForeignEvent:
    moves = tuple((asset, units, EntryKind.FOREIGN) for asset, units in sorted(differences.items()))
    return ForeignEvent(ForeignKind.UNEXPLAINED, "", slot, at_ns, moves)
