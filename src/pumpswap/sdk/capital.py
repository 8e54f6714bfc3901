"""Capital: what a wallet's owner puts in or takes out is neither gain nor loss of the day."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.clock import Clock
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.monitor import put_in
from pumpswap.risk.tracker import RiskTracker

__all__ = ["Capital"]

_CAPITAL = "capital"

Also = Callable[[Callable[[], object]], None]


class Capital:
    """Tells risk of deposits and withdrawals that the books have found, each once, over restarts too.

    ``also`` does something in the transaction that stores what risk remembers of it: neither counts without the other.
    """

    def __init__(self, books: LiveBooks, risk: RiskTracker, clock: Clock, also: Also) -> None:
        self._books, self._risk, self._clock, self._also = books, risk, clock, also
        self._known = 0

    def follow(self) -> None:
        """What was booked while nobody listened, and from now on everything in the moment in which it is booked.

        Raises StorageError.
        """
        document, found = self._books.run.states.load(_CAPITAL), put_in(self._books.run.books.totals())
        self._known = found if document is None else int(str(document["put_in_lamports"]))
        if document is None:
            self._remember()
        elif found != self._known:
            self._hear(found - self._known)
        self._books.on_capital = self._hear

    def _hear(self, lamports: int) -> None:
        self._known += lamports
        equity = self._books.portfolio.equity_at(self._clock.now_ns()).equity_lamports
        before = equity - lamports
        self._risk.moved(lamports, before if before > 0 else None)
        self._remember()

    def _remember(self) -> None:
        document, at_ns = {"put_in_lamports": str(self._known)}, self._clock.now_ns()
        self._also(lambda: self._books.run.states.save(_CAPITAL, document, at_ns))
