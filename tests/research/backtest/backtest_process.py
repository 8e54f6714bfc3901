"""A back-test in a process of its own: prints its document's digest and that of its ledger."""

from __future__ import annotations

import hashlib
import sys

from pumpswap.research.backtest.result import ledger_bytes
from tests.research.backtest.test_runner import momentum_on_simulated

if __name__ == "__main__":
    done = momentum_on_simulated(sys.argv[1])
    sys.stdout.write(f"{done.result.sha256} {hashlib.sha256(ledger_bytes(done.record)).hexdigest()}\n")
