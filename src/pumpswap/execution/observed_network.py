"""What recorded transactions say of failures and priority fees. Made by ``scripts/observe_network.py``.

Source: 30 mainnet transactions with trades on PumpSwap or the bonding curve (2025-07-29 to 2026-08-15), published in
public repositories; none of them failed. Few, and picked by people: the share is the rule of succession, (0 + 1) / 32.
Measure your own on your own endpoint, and set ``paper.failed_bps``.
"""

from __future__ import annotations

__all__ = ["FAILED_BPS", "PRIORITY_LAMPORTS"]

FAILED_BPS = 312
# Paid beside 5,000 lamports a signature, by the eight whose fee was recorded and who only traded.
PRIORITY_LAMPORTS = (0, 3_600, 5_416, 8_020, 17_500, 19_778, 20_000, 1_000_000)
