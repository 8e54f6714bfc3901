"""Run: the books of one run, written once and read back as the same objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Insert, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.errors import StorageError
from pumpswap.model import Alert, Decision, Filled, LedgerEntry, Mark, Order, Outcome, Position, RealisedGain
from pumpswap.storage import rows
from pumpswap.storage.alerts import Alerts
from pumpswap.storage.attempts import Attempts
from pumpswap.storage.book_tables import ROUND
from pumpswap.storage.chores import Chores
from pumpswap.storage.commands import Commands
from pumpswap.storage.connections import Connections
from pumpswap.storage.decided import Decided
from pumpswap.storage.documents import dump_mapping
from pumpswap.storage.earned import Earned
from pumpswap.storage.equity import EquityCurve
from pumpswap.storage.history import History
from pumpswap.storage.host.pool_ids import with_pool_id
from pumpswap.storage.ledger_store import LedgerStore, check_follow_each_other, out_of_sequence
from pumpswap.storage.ledger_writer import last_sequence
from pumpswap.storage.listings import Listings
from pumpswap.storage.order_ids import OrderIds
from pumpswap.storage.outcomes import UNRESOLVED, outcome_of, outcome_values, select_outcomes
from pumpswap.storage.owned import Owned
from pumpswap.storage.proposals import Proposals
from pumpswap.storage.q50_history import Q50History
from pumpswap.storage.reconciliations import Reconciliations
from pumpswap.storage.run_header import RunHeader, header_of
from pumpswap.storage.settlement import Settlement, settle_at_once
from pumpswap.storage.spells import Spells
from pumpswap.storage.states import States
from pumpswap.storage.tables import DECISIONS, MARKS, ORDERS, POSITIONS, RUNS, TRADES
from pumpswap.storage.what_ifs import WhatIfs

__all__ = ["Run"]

# Made once: building a statement takes longer than running it, and these stand between a price and the transaction that
# takes it, or between one fill and the next order. What an update sets are the names of the values that it is given.
_INSERT_DECISION, _INSERT_ORDER, _INSERT_TRADE = insert(DECISIONS), insert(ORDERS), insert(TRADES)
_INSERT_MARK = insert(MARKS)
_SIGNAL = ("signal_score", "signal_strength", "q50_value", "vol_regime")
_THE_ORDER = (ORDERS.c.run_id == bindparam("the_run"), ORDERS.c.order_id == bindparam("the_order"))
# SQLite's RETURNING knows no names of tables: each select in it must be clear by its own table alone.
_DECISION_ID = select(ORDERS.c.decision_id).where(*_THE_ORDER).correlate(None).scalar_subquery()
_DECIDED = (DECISIONS.c.run_id == bindparam("the_run"), DECISIONS.c.decision_id == _DECISION_ID)
# With what its trade says of the order and of the signal behind it.
_END_ORDER = (
    update(ORDERS)
    .where(*_THE_ORDER, ORDERS.c.status.in_(UNRESOLVED))
    .returning(
        *(ORDERS.c.side, ORDERS.c.pool, ORDERS.c.mint),
        *(select(DECISIONS.c[name]).where(*_DECIDED).scalar_subquery().label(name) for name in _SIGNAL),
    )
)
_IN_THE_POOL = (POSITIONS.c.run_id == bindparam("the_run"), POSITIONS.c.pair_address == bindparam("the_pool"))
_HELD = select(POSITIONS.c.id, POSITIONS.c.cost_lamports).where(
    *_IN_THE_POOL, POSITIONS.c.closed_ns.is_(None), POSITIONS.c.base_units == bindparam("the_units")
)
_UPDATE_VALUATION = update(POSITIONS).where(POSITIONS.c.id == bindparam("the_position"))


_DECIDED_ONCE = (DECISIONS.c.run_id, DECISIONS.c.decision_id)
_KEEP_DECISION: Mapping[str, Insert] = {
    "sqlite": sqlite.insert(DECISIONS).on_conflict_do_nothing(index_elements=_DECIDED_ONCE),
    "postgresql": postgresql.insert(DECISIONS).on_conflict_do_nothing(index_elements=_DECIDED_ONCE),
}


def _replacing(stored: sqlite.Insert | postgresql.Insert) -> Insert:
    """Insert a round, or replace the one that is stored."""
    changed = {column.name: column for column in stored.excluded if column.name not in ("id", *ROUND)}
    return stored.on_conflict_do_update(index_elements=ROUND, set_=changed)


_SAVE_POSITION = {
    "sqlite": _replacing(sqlite.insert(POSITIONS)),
    "postgresql": _replacing(postgresql.insert(POSITIONS)),
}


class Run:
    """Writers and readers of one run. Made by ``Database.start_run`` and ``Database.run``.

    Every writer raises AmountOutOfRange for an amount beyond signed 64 bits, and StorageError when the row contradicts
    what is stored or the database fails. Outside of ``batch`` each call is a transaction of its own: it is on the disk
    when the call returns.

    Readers are iterators over one moment of the database; inside a batch they see what it has written. They raise
    StorageError when something stored cannot be read.
    """

    def __init__(self, connections: Connections, run_id: int) -> None:
        self.run_id = run_id
        self._connections = connections
        self._decimals: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Run({self.run_id})"

    @property
    def attempts(self) -> Attempts:
        """Signed transactions of the orders of this run."""
        return Attempts(self._connections, self.run_id)

    @property
    def chores(self) -> Chores:
        """Upkeep of the wallet of this run."""
        return Chores(self._connections, self.run_id)

    @property
    def commands(self) -> Commands:
        """What people at other terminals want of the running engine."""
        return Commands(self._connections, self.run_id)

    @property
    def books(self) -> LedgerStore:
        """The ledger of this run."""
        return LedgerStore(self._connections, self.run_id)

    @property
    def decided(self) -> Decided:
        """Decisions one by one."""
        return Decided(self._connections, self.run_id)

    @property
    def earned(self) -> Earned:
        """What its books say of its earnings."""
        return Earned(self._connections, self.run_id)

    @property
    def equity(self) -> EquityCurve:
        """Equity over time."""
        return EquityCurve(self._connections, self.run_id)

    @property
    def history(self) -> History:
        """What people look up: trades beside their orders, rounds by name, marks of a pool."""
        return History(self._connections, self.run_id)

    @property
    def ids(self) -> OrderIds:
        """Ids that were given out."""
        return OrderIds(self._connections, self.run_id)

    @property
    def proposals(self) -> Proposals:
        """Accepted buys that wait for a person."""
        return Proposals(self._connections, self.run_id)

    @property
    def q50_history(self) -> Q50History:
        """The plan's record of Q50 signals."""
        return Q50History(self._connections, self.run_id)

    @property
    def spells(self) -> Spells:
        """When its engine was able to buy."""
        return Spells(self._connections, self.run_id)

    @property
    def what_ifs(self) -> WhatIfs:
        """What refused buys would have earned."""
        return WhatIfs(self._connections, self.run_id)

    @property
    def states(self) -> States:
        """What the engine must remember over a restart, and its heartbeat."""
        return States(self._connections, self.run_id)

    @property
    def reconciliations(self) -> Reconciliations:
        """Comparisons with the chain."""
        return Reconciliations(self._connections, self.run_id)

    def alert(self, alert: Alert) -> int:
        """Store an alert of this run; its number."""
        return Alerts(self._connections).add(alert, self.run_id)

    @property
    def listings(self) -> Listings:
        """Trades and decisions without their documents, for lists and charts."""
        return Listings(self._connections, self.run_id)

    @property
    def owned(self) -> Owned:
        """Adopted and ignored tokens."""
        return Owned(self._connections, self.run_id)

    # ------------------------------------------------------------------------------------------ writing

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Group writes: all of the block is stored, or nothing of it when it ends with an error.

        A batch inside a batch joins it. After a write that the database has refused, nothing of the batch can be kept:
        if its error was caught on the way, whatever comes next in the batch raises StorageError, and so does its end.
        """
        with self._connections.writing("the batch"):
            yield

    def know_decimals(self, mint: str, decimals: int) -> None:
        """Tell the decimals of a mint, for the columns in whole tokens of what is saved from now on.

        Without them these columns stay empty: decimals are never assumed. The exact integers do not depend on it.
        """
        self._decimals[mint] = decimals

    def tell_decimals(self, mint: str, decimals: int) -> None:
        """As ``know_decimals``, and for the open positions of the mint that were saved without them."""
        self.know_decimals(mint, decimals)
        columns = select(POSITIONS.c.id, POSITIONS.c.base_units, POSITIONS.c.cost_lamports)
        this = (POSITIONS.c.run_id == self.run_id, POSITIONS.c.closed_ns.is_(None), POSITIONS.c.mint_address == mint)
        with self._connections.writing(f"the decimals of {mint}") as connection:
            for row in connection.execute(columns.where(*this, POSITIONS.c.token_amount.is_(None))).all():
                shown = rows.token_values(row.base_units, row.cost_lamports, decimals)
                connection.execute(update(POSITIONS).where(POSITIONS.c.id == row.id).values(shown))

    def save_decision(self, decision: Decision) -> None:
        """Store a decision, accepted or refused."""
        values = rows.decision_values(decision)
        with self._connections.writing(f"decision {decision.decision_id}") as connection:
            connection.execute(_INSERT_DECISION, {"run_id": self.run_id} | values)

    def keep_decision(self, decision: Decision) -> None:
        """Store a decision unless one with its id is stored."""
        values = rows.decision_values(decision)
        with self._connections.writing(f"decision {decision.decision_id}") as connection:
            connection.execute(_KEEP_DECISION[connection.dialect.name], {"run_id": self.run_id} | values)

    def save_order(self, order: Order) -> None:
        """Store an order before it goes anywhere. Its decision must be stored."""
        values = rows.order_values(order)
        with self._connections.writing(f"order {order.order_id}") as connection:
            connection.execute(_INSERT_ORDER, {"run_id": self.run_id} | values)

    def save_outcome(self, outcome: Outcome, gain: RealisedGain | None = None) -> bool:
        """Store how an order ended; for a filled one also its trade, both or neither. Its order must be stored.

        Unknown may be followed by another outcome. The others are final: the same outcome again changes nothing, a
        different one is refused. Returns whether it was stored now. ``gain`` is what a sale has realised, for people.
        """
        values = outcome_values(outcome)
        exact = rows.trade_integers(outcome) | rows.gain_values(gain) if isinstance(outcome, Filled) else {}
        order_id = outcome.order_id
        with self._connections.writing(f"the outcome of order {order_id}") as connection:
            key = {"the_run": self.run_id, "the_order": order_id}
            order = connection.execute(_END_ORDER, key | values).one_or_none()
            if order is None:
                self._check_repeated(connection, outcome)
                return False
            if isinstance(outcome, Filled):
                exact |= rows.trade_values(outcome, order, self._decimals.get(order.mint))
                with_pool_id(connection, order.pool, lambda known: self._insert_trade(connection, exact, known))
        return True

    def settle(self, settlement: Settlement) -> None:
        """Store a fill of an order that is open, with its entries and its position, all or nothing.

        Raises StorageError when the order is not open any more, or when the entries do not follow what is stored.
        """
        order, entries = settlement.order, settlement.entries
        check_follow_each_other(entries)
        with self._connections.writing(f"the fill of order {order.order_id}") as connection:
            if connection.dialect.name == "postgresql":
                decimals = self._decimals.get(order.mint)
                is_open, follows = settle_at_once(connection, self.run_id, settlement, decimals)
                if is_open and not follows:
                    raise out_of_sequence(entries[0].sequence, last_sequence(connection, self.run_id) + 1)
            else:
                is_open = self.save_outcome(settlement.filled, settlement.gain)
                if is_open:
                    self.append_entries(entries)
                    self.save_position(settlement.position)
            if not is_open:
                raise StorageError(
                    f"order {order.order_id} has ended already, or is not stored", hint="this is a bug in the venue"
                )

    def append_entries(self, entries: Sequence[LedgerEntry]) -> None:
        """Append to the ledger, all or none. Sequence numbers go on where the stored ones end, without a gap."""
        self.books.append(entries)

    def save_position(self, position: Position) -> None:
        """Store a position as it is now; the one that was stored of the same pool and round is replaced."""
        values = rows.position_values(position, self._decimals.get(position.mint))
        values["run_id"] = self.run_id
        with self._connections.writing(f"the position in {position.pool}") as connection:

            def write(known: str | None) -> None:
                connection.execute(_SAVE_POSITION[connection.dialect.name], values | {"pool_id": known})

            with_pool_id(connection, position.pool, write)

    def save_mark(self, mark: Mark) -> None:
        """Store a mark, and show it in the open position of the pool when it values what that position holds."""
        values = rows.mark_values(mark)
        key = {"the_run": self.run_id, "the_pool": mark.pool, "the_units": mark.base_units}
        with self._connections.writing(f"the mark of {mark.pool}") as connection:
            connection.execute(_INSERT_MARK, {"run_id": self.run_id} | values)
            held = connection.execute(_HELD, key).first()
            if held is not None:
                shown = rows.valuation_values(mark, held.cost_lamports)
                connection.execute(_UPDATE_VALUATION, {"the_position": held.id} | shown)

    def finish(self, finished_ns: int, summary: Mapping[str, object]) -> None:
        """Close the run with its figures, once. Raises UsageError for a summary that is no JSON."""
        rows.check_integers({"finished_ns": finished_ns}, f"run {self.run_id}")
        values = {"finished_ns": finished_ns, "summary": dump_mapping(summary, "the summary of the run")}
        unfinished = (RUNS.c.run_id == self.run_id, RUNS.c.finished_ns.is_(None))
        with self._connections.writing(f"the end of run {self.run_id}") as connection:
            if connection.execute(update(RUNS).where(*unfinished).values(values)).rowcount == 0:
                raise StorageError(f"run {self.run_id} is finished already", hint="start a new run")

    # ------------------------------------------------------------------------------------------ reading

    def header(self) -> RunHeader:
        """Kind, times, seed, settings and summary."""
        (header,) = self._connections.rows(select(RUNS).where(RUNS.c.run_id == self.run_id), header_of)
        return header

    def summary(self) -> Mapping[str, object] | None:
        """What ``finish`` was given; None while the run is not finished."""
        return self.header().summary

    def decisions(self, accepted: bool | None = None) -> Iterator[Decision]:
        """Decisions as they were made: all of them, or only the accepted or the refused ones."""
        query = select(DECISIONS).where(DECISIONS.c.run_id == self.run_id).order_by(DECISIONS.c.id)
        if accepted is not None:
            query = query.where(DECISIONS.c.accepted.is_(accepted))
        return self._connections.rows(query, rows.decision_of)

    def orders(self, *, unresolved: bool = False) -> Iterator[Order]:
        """Orders as they were made; ``unresolved``: only those whose fate is not known."""
        query = select(ORDERS).where(ORDERS.c.run_id == self.run_id).order_by(ORDERS.c.id)
        if unresolved:
            query = query.where(ORDERS.c.status.in_(UNRESOLVED))
        return self._connections.rows(query, rows.order_of)

    def fates(self, order_ids: Collection[str]) -> list[tuple[Order, Outcome | None]]:
        """What became of these orders so far, in the order in which they were made; those that are not stored are left
        out.
        """
        these = (ORDERS.c.run_id == self.run_id, ORDERS.c.order_id.in_(order_ids))
        orders = self._connections.all_rows(select(ORDERS).where(*these).order_by(ORDERS.c.id), rows.order_of)
        ended = self._connections.all_rows(select_outcomes(self.run_id).where(these[1]), outcome_of)
        known = {outcome.order_id: outcome for outcome in ended}
        return [(order, known.get(order.order_id)) for order in orders]

    def outcomes(self) -> Iterator[Outcome]:
        """The outcome of every order that has one, in the order in which the orders were made."""
        return self._connections.rows(select_outcomes(self.run_id), outcome_of)

    def trades(self) -> Iterator[Filled]:
        """Trades in the order in which they were booked."""
        query = select(TRADES).where(TRADES.c.run_id == self.run_id).order_by(TRADES.c.id)
        return self._connections.rows(query, rows.filled_of)

    def ledger(self) -> Iterator[LedgerEntry]:
        """The ledger in sequence."""
        return self.books.entries()

    def positions(self) -> Iterator[Position]:
        """Positions, open and closed, in the order in which they were opened."""
        query = select(POSITIONS).where(POSITIONS.c.run_id == self.run_id).order_by(POSITIONS.c.id)
        return self._connections.rows(query, rows.position_of)

    def open_positions(self) -> Iterator[Position]:
        """Open positions in the order in which they were opened."""
        query = select(POSITIONS).where(POSITIONS.c.run_id == self.run_id, POSITIONS.c.closed_ns.is_(None))
        return self._connections.rows(query.order_by(POSITIONS.c.id), rows.position_of)

    def latest_position(self, pool: str) -> Position | None:
        """The newest round in a pool."""
        query = select(POSITIONS).where(POSITIONS.c.run_id == self.run_id, POSITIONS.c.pair_address == pool)
        newest = query.order_by(POSITIONS.c.round.desc()).limit(1)
        return next(self._connections.rows(newest, rows.position_of), None)

    def marks(self) -> Iterator[Mark]:
        """Marks in the order in which they were made."""
        query = select(MARKS).where(MARKS.c.run_id == self.run_id).order_by(MARKS.c.id)
        return self._connections.rows(query, rows.mark_of)

    def balances(self) -> dict[str, int]:
        """Sum of the ledger per asset, exactly, however large."""
        return self.books.balances()

    # ------------------------------------------------------------------------------------------ helpers

    def _insert_trade(self, connection: Connection, values: rows.Values, pool_id: str | None) -> None:
        connection.execute(_INSERT_TRADE, {"run_id": self.run_id} | values | {"pool_id": pool_id})

    def _check_repeated(self, connection: Connection, outcome: Outcome) -> None:
        """Raises StorageError for an order that is not stored, and for one that has ended otherwise."""
        query = select_outcomes(self.run_id).where(ORDERS.c.order_id == outcome.order_id)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise StorageError(
                f"order {outcome.order_id} has an outcome but is not stored", hint="save the order before it is sent"
            )
        stored = outcome_of(row)
        if stored != outcome:
            raise StorageError(
                f"order {outcome.order_id} has ended as {type(stored).__name__} already and cannot end again",
                hint="an order has one outcome; this is a bug in the venue",
            )
