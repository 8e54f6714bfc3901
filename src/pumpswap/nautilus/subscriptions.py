"""Subscriptions: what of which pool is asked for, and what the session must therefore watch."""

from __future__ import annotations

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import DataType, InstrumentStatus, QuoteTick, TradeTick

from pumpswap.nautilus.data_types import PumpSwapSwap
from pumpswap.nautilus.market_session import MarketSession

__all__ = ["Subscriptions"]

Key = tuple[type[Data], DataType | None]


class Subscriptions:
    """By pool. The session watches a pool while anything of it is asked for, and hears its trades while those are."""

    def __init__(self, session: MarketSession) -> None:
        self._session = session
        self._asked: dict[str, dict[Key, None]] = {}

    def __contains__(self, pool: object) -> bool:
        return pool in self._asked

    def pools(self) -> tuple[str, ...]:
        """Pools of which anything is asked for."""
        return tuple(self._asked)

    def quotes(self, pool: str) -> bool:
        return (QuoteTick, None) in self._asked.get(pool, ())

    def trades(self, pool: str) -> bool:
        return (TradeTick, None) in self._asked.get(pool, ())

    def status(self, pool: str) -> bool:
        return (InstrumentStatus, None) in self._asked.get(pool, ())

    def custom(self, pool: str, kind: type[Data]) -> tuple[DataType, ...]:
        """The data types under which somebody wants this kind: each is a topic of its own."""
        return tuple(named for of, named in self._asked.get(pool, ()) if of is kind and named is not None)

    def add(self, pool: str, kind: type[Data]) -> None:
        """Quotes or trades; asking again changes nothing."""
        self._add(pool, (kind, None))

    def add_status(self, pool: str) -> None:
        self._add(pool, (InstrumentStatus, None))

    def add_custom(self, pool: str, data_type: DataType) -> None:
        self._add(pool, (data_type.type, data_type))

    def remove(self, pool: str, kind: type[Data]) -> None:
        self._remove(pool, (kind, None))

    def remove_status(self, pool: str) -> None:
        self._remove(pool, (InstrumentStatus, None))

    def remove_custom(self, pool: str, data_type: DataType) -> None:
        self._remove(pool, (data_type.type, data_type))

    def drop_all(self) -> None:
        """Nothing is asked for any more."""
        for pool in self.pools():
            for key in tuple(self._asked[pool]):
                self._remove(pool, key)

    def _add(self, pool: str, key: Key) -> None:
        asked = self._asked.setdefault(pool, {})
        if key not in asked:
            asked[key] = None
            self._session.watch(pool, trades=_is_of_trades(key))

    def _remove(self, pool: str, key: Key) -> None:
        asked = self._asked.get(pool, {})
        if key not in asked:
            return
        del asked[key]
        self._session.unwatch(pool, trades=_is_of_trades(key))
        if not asked:
            del self._asked[pool]


def _is_of_trades(key: Key) -> bool:
    return key[0] in (TradeTick, PumpSwapSwap)
