"""Outside: our own strategies wish nothing; another system decides, and its wishes come to the desk directly."""

from __future__ import annotations

from pumpswap.engine.strategy import Strategy

__all__ = ["Outside"]


class Outside(Strategy):
    """Hears nothing and wishes nothing. Exits, gate, books and alerts work as ever."""

    name = "outside"
