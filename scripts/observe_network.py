"""What recorded transactions say of failures and priority fees, for ``execution/observed_network.py``.

    python scripts/observe_network.py ../shared/chain/transactions

Counts trades on PumpSwap and on the bonding curve, which compete for the same blocks. A folder that somebody has picked
is no fair sample: the share of failures is estimated by the rule of succession, (failed + 1) / (all + 2).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_PER_SIGNATURE = 5_000
_TRADES = ("buy", "sell")


def main(folder: Path) -> None:
    """Print the figures."""
    recorded = [json.loads(path.read_text()) for part in ("full", "logs") for path in sorted((folder / part).glob("*"))]
    trades = [one for one in recorded if _is_trade(one)]
    failed = sum(one.get("err") is not None or _says_failed(one) for one in trades)
    fees = sorted(
        one["fee"] - _PER_SIGNATURE * max(len(one.get("signatures") or ()), 1) for one in trades if _paid(one)
    )
    print(f"trades: {len(trades)}, failed: {failed}")
    print(f"FAILED_BPS = {10_000 * (failed + 1) // (len(trades) + 2)}")
    print(f"PRIORITY_LAMPORTS = {tuple(fees)}")


def _is_trade(one: dict[str, Any]) -> bool:
    names = [str(step.get("name") or "") for step in one.get("instructions") or ()]
    events = [str(event.get("name") or event.get("event") or "") for event in one.get("events") or ()]
    traded = any(name.partition(".")[2].startswith(_TRADES) for name in names)
    return traded or any(event in ("BuyEvent", "SellEvent", "TradeEvent") for event in events)


def _says_failed(one: dict[str, Any]) -> bool:
    return any(" failed: " in line for line in one.get("logs") or ())


def _paid(one: dict[str, Any]) -> bool:
    # A migration or the making of a coin is paid for by others, and for other reasons.
    names = [str(step.get("name") or "") for step in one.get("instructions") or ()]
    return one.get("fee") is not None and not any("create" in name or "migrate" in name for name in names)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
