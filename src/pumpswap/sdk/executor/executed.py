"""ExecutedSignals: which signals have led to an order, kept with the books, so that none of them trades twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pumpswap.model import Filled, Intent, Order, Outcome, Unknown
from pumpswap.storage.run import Run

__all__ = ["ExecutedSignals", "Trace"]

_PREFIX = "signal/"


@dataclass(frozen=True, slots=True)
class Trace:
    """A signal that may have traded. ``order_id`` is empty while its order is not known: it was being made when the
    process ended.
    """

    signal_id: str
    mint: str
    side: str
    at_ns: int
    order_id: str = ""


class ExecutedSignals:
    """One document per signal, under the hash of its id. Inside of ``Run.batch`` it is stored with the order.

    A trace is written before its order may go anywhere, and taken back when the order has proven to trade nothing: what
    lies between counts as traded. An empty id leaves none.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def find(self, signal_id: str) -> Trace | None:
        """The trace of a signal, None when it has led to nothing."""
        if not signal_id:
            return None
        found = self.run.states.load(_name(signal_id))
        return None if found is None else _trace(signal_id, found)

    def announce(self, signal_id: str, intent: Intent) -> None:
        """An order may be made for the signal from now on."""
        self._save(Trace(signal_id, intent.mint, intent.side.value, intent.at_ns))

    def begin(self, signal_id: str, order: Order) -> None:
        """This order is made for the signal."""
        self._save(Trace(signal_id, order.mint, order.side.value, order.created_ns, order.order_id))

    def ended(self, signal_id: str, order: Order, outcome: Outcome) -> None:
        """Its order has ended; one that has traded, or may still trade, stays."""
        if isinstance(outcome, Filled | Unknown):
            self.begin(signal_id, order)
        else:
            self.forget(signal_id)

    def forget(self, signal_id: str) -> None:
        """Nothing came of it: it may be tried again."""
        if signal_id:
            self.run.states.drop(_name(signal_id))

    def fate(self, trace: Trace) -> tuple[Order | None, Outcome | None]:
        """(order, outcome) of a trace as they are stored; no order: none was ever made."""
        if trace.order_id:
            return next(iter(self.run.fates([trace.order_id])), (None, None))
        # Only its making is known, so whatever was ordered on the token since then counts as its order.
        made = [order.order_id for order in self.run.orders() if _may_be_of(order, trace)]
        return next(iter(self.run.fates(made[-1:])), (None, None)) if made else (None, None)

    def _save(self, trace: Trace) -> None:
        if trace.signal_id:
            document = {
                "signal_id": trace.signal_id,
                "mint": trace.mint,
                "side": trace.side,
                "order_id": trace.order_id,
                "at_ns": str(trace.at_ns),
            }
            self.run.states.save(_name(trace.signal_id), document, trace.at_ns)


def _may_be_of(order: Order, trace: Trace) -> bool:
    return order.mint == trace.mint and order.side.value == trace.side and order.created_ns >= trace.at_ns


def _name(signal_id: str) -> str:
    return _PREFIX + sha256(signal_id.encode()).hexdigest()[:40]


def _trace(signal_id: str, document: Mapping[str, object]) -> Trace:
    return Trace(
        signal_id,
        str(document.get("mint", "")),
        str(document.get("side", "")),
        int(str(document.get("at_ns", "0"))),
        str(document.get("order_id", "")),
    )
