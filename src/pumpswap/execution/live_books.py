"""The books of a live wallet, over all its processes: opened again where the last one left them, however it ended.

A wallet has one unfinished live run per network. The first opening books what the wallet really holds as deposits.
Later ones restore ledger and positions; once the orders of before are resolved, ``reconcile`` compares the ledger with
the chain, and what somebody else has moved becomes foreign entries that are returned, to be shown loudly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.balances import WalletHoldings, wallet_holdings
from pumpswap.chain.node import Node
from pumpswap.clock import Clock
from pumpswap.errors import LedgerMismatch
from pumpswap.model import SOL, Chore, ChoreResult, Decision, EntryKind, Intent, LedgerEntry, Order, Outcome
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.restore import adjust_positions, recall_portfolio
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["LIVE", "LiveBooks", "balances_of"]

LIVE = "live"
_ALWAYS_SPENT = frozenset({EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP})
# A sale pays these out of its proceeds.
_SPENT_BY_BUYS = frozenset(
    {EntryKind.TRADE_QUOTE, EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.CREATOR_FEE, EntryKind.CASHBACK}
)


def balances_of(holdings: WalletHoldings) -> dict[str, int]:
    """What the chain says a wallet holds, as the ledger counts it: by asset, without zeros."""
    held = {SOL: holdings.sol_lamports, **holdings.tokens()}
    return {asset: units for asset, units in held.items() if units}


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
        self._names: dict[str, str] = {}
        self._decisions = {decision.decision_id for decision in run.decisions()}
        # Ids may have been given out and never stored, so the highest counts, not how many there are.
        self._ordered_ns = {order.order_id: order.created_ns for order in run.orders()}
        self._ordered_ns |= {chore.order_id: chore.created_ns for chore in run.chores.all()}
        self._last_order = max(map(_number, self._ordered_ns), default=0)
        self._last_decision = max(map(_number, self._decisions), default=0)

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
        self._decisions.add(decision.decision_id)

    def admit(self, order: Order, decision: Decision | None = None) -> None:
        """Store an order, with its decision or one that says that the user has ordered it.

        Raises StorageError when the order is stored already.
        """
        with self.run.batch():
            if order.decision_id not in self._decisions:
                self.run.save_decision(decision or _decision_of(order))
            self.run.save_order(order)
        self._decisions.add(order.decision_id)
        self._ordered_ns[order.order_id] = order.created_ns

    def know_decimals(self, mint: str, decimals: int) -> None:
        """Decimals of a mint, for the columns in whole tokens."""
        self.run.know_decimals(mint, decimals)

    def know_name(self, pool: str, name: str) -> None:
        """The name under which people will find the position of a pool."""
        self._names[pool] = name

    def settle(self, order: Order, outcome: Outcome, foreign: Mapping[str, int]) -> None:
        """Book an outcome in one database transaction; ``foreign`` goes in beside it, under its signature.

        An outcome that is stored already is booked already: asking again what became of an order moves nothing.
        """
        with self._storing():
            if self.run.save_outcome(outcome):
                self._book(order, outcome, foreign)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """One database transaction; when it fails, the books in memory go back to what is stored."""
        try:
            with self.run.batch():
                yield
        except BaseException:
            stored = recall_portfolio(self.run)
            stored.marks = self.portfolio.marks
            self.portfolio.__dict__.update(stored.__dict__)  # in place: others hold the portfolio too
            raise

    def _book(self, order: Order, outcome: Outcome, foreign: Mapping[str, int]) -> None:
        ledger = self.portfolio.ledger
        entries, position = self.portfolio.book(order, outcome, self._names.get(order.pool, ""))
        moves = [(asset, units, EntryKind.FOREIGN) for asset, units in sorted(foreign.items())]
        if moves:
            signature, slot = getattr(outcome, "signature", ""), getattr(outcome, "slot", 0)
            entries += ledger.post(moves, outcome.at_ns, slot=slot, order_id=order.order_id, signature=signature)
        self.run.append_entries(entries)
        if position is not None:
            self.run.save_position(position)

    def settle_chore(self, chore: Chore, result: ChoreResult, foreign_lamports: int = 0) -> None:
        """Book what became of upkeep of the wallet, in one database transaction."""
        with self._storing():
            entries = self.portfolio.book_chore(chore.order_id, result, foreign_lamports)
            self.run.chores.end(chore.order_id, result)
            self.run.append_entries(entries)

    def unresolved(self) -> Sequence[Order]:
        """Orders whose fate is not known."""
        return tuple(self.run.orders(unresolved=True))

    # ------------------------------------------------------------------------------------------ the chain

    def balance(self, asset: str) -> int:
        """What the ledger has of an asset."""
        return self.portfolio.ledger.balance(asset)

    def spent_since(self, since_ns: int) -> int:
        """Lamports that orders have paid for tokens, fees and tips since then; proceeds are not set off.

        An order counts when its block or our own clock puts it there: an endpoint that tells old block times must not
        make room for more.
        """

        def at_ns(entry: LedgerEntry) -> int:
            return max(entry.at_ns, self._ordered_ns.get(entry.order_id, 0))

        booked = self.portfolio.ledger.entries
        recent = [entry for entry in booked if entry.asset == SOL and entry.order_id and at_ns(entry) >= since_ns]
        bought = {entry.order_id for entry in recent if entry.kind is EntryKind.TRADE_QUOTE and entry.units < 0}
        counted = (
            entry
            for entry in recent
            if entry.kind in _ALWAYS_SPENT or (entry.order_id in bought and entry.kind in _SPENT_BY_BUYS)
        )
        return -sum(entry.units for entry in counted)

    async def reconcile(self, node: Node, unsent: str = "") -> Sequence[LedgerEntry]:
        """Compare the ledger with the chain; differences become foreign entries, which are returned.

        Nothing of ours may be on its way, or it would be booked twice: raises LedgerMismatch while orders are
        unresolved, but for ``unsent``, of which nothing is signed. Positions that hold more than is left of their token
        are cut down.
        """
        self._require_settled(unsent)
        holdings = await self._holdings(node)
        self._require_settled(unsent)  # an order may have started while the node was asked
        held, ours = balances_of(holdings), self.portfolio.ledger.balances()
        moves = [
            (asset, held.get(asset, 0) - ours.get(asset, 0), EntryKind.FOREIGN)
            for asset in sorted(held.keys() | ours.keys())
        ]
        at_ns = self._clock.now_ns()
        entries = self.portfolio.ledger.post(moves, at_ns, slot=holdings.slot)
        if entries:
            changed = adjust_positions(self.portfolio, at_ns)
            with self.run.batch():
                self.run.append_entries(entries)
                for position in changed:
                    self.run.save_position(position)
        return entries

    async def check(self, node: Node) -> None:
        """Raises LedgerMismatch, naming every asset, when the ledger is not what the chain says the wallet holds."""
        self.portfolio.ledger.check_against(balances_of(await self._holdings(node)))

    async def _holdings(self, node: Node) -> WalletHoldings:
        """The wallet as it is after everything in the ledger: a node that lags must not make foreign entries."""
        entries = self.portfolio.ledger.entries
        mints = [WSOL_MINT, *(Pubkey.from_string(asset) for asset in self.portfolio.ledger.balances() if asset != SOL)]
        known = [ata(self.wallet, mint, program) for mint in mints for program in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)]
        least_slot = max((entry.slot for entry in entries), default=0)
        return await wallet_holdings(node, self.wallet, least_slot=least_slot, known=known)

    def _require_settled(self, unsent: str) -> None:
        waiting = [order.order_id for order in self.unresolved() if order.order_id != unsent]
        waiting += [chore.order_id for chore in self.run.chores.unresolved()]
        if waiting:
            raise LedgerMismatch(
                f"the ledger cannot be compared with the chain while orders are unresolved: {', '.join(waiting)}",
                hint="resolve them first; they may still land",
            )

    def _deposit(self, holdings: WalletHoldings) -> None:
        moves = [(asset, units, EntryKind.DEPOSIT) for asset, units in sorted(balances_of(holdings).items())]
        self.run.append_entries(self.portfolio.ledger.post(moves, self._clock.now_ns(), slot=holdings.slot))


def _number(identifier: str) -> int:
    """The digits at the end of an id of ours; 0 for the ids of somebody else."""
    digits = identifier.lstrip("abcdefghijklmnopqrstuvwxyz-")
    return int(digits) if digits.isdigit() else 0


def _decision_of(order: Order) -> Decision:
    base_units = order.base_units or None
    intent = Intent(order.side, order.pool, order.mint, order.created_ns, order.reason or "ordered", None, base_units)
    return Decision(order.decision_id, intent, True, (), (), order.quote_lamports, order.base_units)
