"""Capital: what a wallet's owner puts in or takes out is neither gain nor loss of the day."""

from __future__ import annotations

from pumpswap.clock import Clock
from pumpswap.execution.monitor import put_in
from pumpswap.risk.tracker import RiskTracker
from pumpswap.storage.run import Run

__all__ = ["Capital"]

_CAPITAL = "capital"


class Capital:
    """Tells risk of deposits and withdrawals that the books have found, each once, over restarts too."""

    def __init__(self, run: Run, risk: RiskTracker, clock: Clock) -> None:
        self._run, self._risk, self._clock = run, risk, clock
        document = run.states.load(_CAPITAL)
        self._known = None if document is None else int(str(document["put_in_lamports"]))
        self.look()

    def look(self) -> None:
        """Compare with the ledger. Raises StorageError."""
        found = put_in(self._run.books.totals())
        if found == self._known:
            return
        with self._run.batch():
            if self._known is not None:
                self._risk.moved(found - self._known)
                self._run.states.save_risk(self._risk.state, self._clock.now_ns())
            self._run.states.save(_CAPITAL, {"put_in_lamports": str(found)}, self._clock.now_ns())
        self._known = found
