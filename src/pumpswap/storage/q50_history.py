"""Q50History: the plan's own record of Q50 signals: what each was, what was made of it, how its order ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Decision, Outcome, Signal
from pumpswap.storage.book_tables import Q50_HISTORY
from pumpswap.storage.connections import Connections
from pumpswap.storage.display import figure, sol, utc_time
from pumpswap.storage.host.pool_ids import with_pool_id
from pumpswap.storage.outcomes import outcome_values
from pumpswap.storage.rows import check_integers

__all__ = ["NAUTILUS_STATISTICS", "STATUSES", "Q50History", "q50_of"]

NAUTILUS_STATISTICS = "nautilus/statistics"  # and a strategy's id: its counts, among the states of a run
STATUSES = ("filled", "pending", "unknown", "rejected", "denied", "accepted", "refused", "analysis")

_INSERT = insert(Q50_HISTORY).returning(Q50_HISTORY.c.id)
_COLUMNS = [column for column in Q50_HISTORY.c if column.name not in ("created_at", "run_id")]
_OF_RUN = Q50_HISTORY.c.run_id == bindparam("the_run")
_ORDERED = (
    update(Q50_HISTORY)
    .where(_OF_RUN, Q50_HISTORY.c.id == bindparam("the_row"))
    .values(nautilus_order_id=bindparam("the_name"), execution_status="pending")
)
_ENDED = (
    update(Q50_HISTORY)
    .where(_OF_RUN, Q50_HISTORY.c.nautilus_order_id == bindparam("the_name"))
    .values(execution_status=bindparam("the_status"))
)
_MODE = "mode"  # the policy that refuses everything where only signals are wanted


def q50_of(decision: Decision) -> Signal | None:
    """The signal of a decision that a Q50 row is behind."""
    signal = decision.intent.signal
    return None if signal is None or signal.q50 is None else signal


class Q50History:
    """Of one run; errors as of ``Run``. ``nautilus_order_id`` is the client order id that NautilusTrader knows the
    order by, or would: ``PS-<run>-<order>`` for those that it has not given one.

    ``execution_status``: ``refused`` by the gate, ``analysis`` where nothing may be ordered, ``accepted`` and not
    ordered (yet), then as of the order: ``pending``, ``filled``, ``rejected``, ``denied``, ``unknown``.
    """

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, decision: Decision, signal: Signal) -> int:
        """What the gate made of a signal; the number of its row."""
        seconds = signal.at_ns // NS_PER_SECOND
        check_integers({"timestamp": seconds}, f"the Q50 signal of {decision.decision_id}")
        values: dict[str, Any] = {
            "run_id": self._run_id,
            "timestamp": seconds,
            "q50_signal": figure(signal.q50),
            "regime_classification": signal.regime or None,
            "position_size": sol(decision.quote_lamports),
            "nautilus_order_id": decision.intent.client_order_id or None,
            "execution_status": _status(decision),
            "created_at": utc_time(decision.intent.at_ns),
        }
        found: list[int] = []
        with self._connections.writing(f"the Q50 signal of {decision.decision_id}") as connection:

            def write(known: str | None) -> None:
                found.append(int(connection.execute(_INSERT, values | {"pool_id": known}).scalar_one()))

            with_pool_id(connection, decision.intent.pool, write)
        return found[-1]

    def ordered(self, row: int, name: str) -> None:
        """An order of this name was made of it."""
        key = {"the_run": self._run_id, "the_row": row, "the_name": name}
        with self._connections.writing(f"the Q50 signal of order {name}") as connection:
            connection.execute(_ORDERED, key)

    def ended(self, name: str, outcome: Outcome) -> None:
        """What became of the order of this name; nothing where it has no row."""
        key = {"the_run": self._run_id, "the_name": name, "the_status": str(outcome_values(outcome)["status"])}
        with self._connections.writing(f"the Q50 signal of order {name}") as connection:
            connection.execute(_ENDED, key)

    def unfinished(self) -> Collection[str]:
        """Names of the orders whose fate it does not know."""
        status = Q50_HISTORY.c.execution_status
        query = select(Q50_HISTORY.c.nautilus_order_id).where(_OF_RUN, status.in_(("pending", "unknown")))
        with self._connections.reading() as connection:
            return [str(one) for one in connection.execute(query, {"the_run": self._run_id}).scalars()]

    def counted(self, since_ns: int, until_ns: int) -> list[tuple[str, str, int]]:
        """(regime, status, how many) of the signals from then on, up to the end, which is not part of it."""
        regime, status = Q50_HISTORY.c.regime_classification, Q50_HISTORY.c.execution_status
        seconds = Q50_HISTORY.c.timestamp
        # Whole seconds: a signal counts to the time in which its second begins.
        within = (seconds >= -(-since_ns // NS_PER_SECOND), seconds < -(-until_ns // NS_PER_SECOND))
        query = select(regime, status, func.count()).where(_OF_RUN, *within).group_by(regime, status)
        with self._connections.reading() as connection:
            found = connection.execute(query.order_by(regime, status), {"the_run": self._run_id})
            return [(row[0] or "", row[1] or "", int(row[2])) for row in found]

    def rows(self) -> list[Mapping[str, Any]]:
        """All of them in order, for reports: pool_id, timestamp (Unix seconds), q50_signal, regime_classification,
        position_size (SOL), nautilus_order_id, execution_status, feature_vector_id.
        """
        query = select(*_COLUMNS).where(_OF_RUN).order_by(Q50_HISTORY.c.id)
        with self._connections.reading() as connection:
            return [dict(row) for row in connection.execute(query, {"the_run": self._run_id}).mappings()]


def _status(decision: Decision) -> str:
    if decision:
        return "accepted"
    return "analysis" if any(verdict.policy == _MODE for verdict in decision.refusals) else "refused"
