"""SyncPumpSwapSDK: the same calls without await, for notebooks and scripts. One event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from pumpswap.amm import PoolState
from pumpswap.errors import UsageError
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.sdk.results import PoolData, TradeResult
from pumpswap.sdk.sdk import Amount, PumpSwapSDK
from pumpswap.sdk.trader import LimitedSigner
from pumpswap.settings import Settings

__all__ = ["SyncPumpSwapSDK"]

T = TypeVar("T")


class SyncPumpSwapSDK:
    """See ``PumpSwapSDK``; works inside a running loop too, as notebooks have one."""

    def __init__(
        self, settings: Settings | None = None, *, live: bool = False, signer: LimitedSigner | None = None
    ) -> None:
        self._sdk = PumpSwapSDK(settings, live=live, signer=signer)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pumpswap sdk", daemon=True)
        self._thread.start()

    def open(self) -> Self:
        """Connect now rather than at the first call."""
        self._wait(self._sdk.open())
        return self

    def close(self) -> None:
        """Close connections, books and the thread. Harmless when closed."""
        if self._thread.is_alive():
            self._wait(self._sdk.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        try:
            return self.open()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get_pair_address(self, mint: str) -> str | None:
        """See ``PumpSwapSDK.get_pair_address``."""
        return self._wait(self._sdk.get_pair_address(mint))

    def get_pool_state(self, pair_or_mint: str) -> PoolState:
        """See ``PumpSwapSDK.get_pool_state``."""
        return self._wait(self._sdk.get_pool_state(pair_or_mint))

    def get_pool_data(self, pair_or_mint: str) -> PoolData:
        """See ``PumpSwapSDK.get_pool_data``."""
        return self._wait(self._sdk.get_pool_data(pair_or_mint))

    def get_token_price(self, pair_or_mint: str) -> float:
        """See ``PumpSwapSDK.get_token_price``."""
        return self._wait(self._sdk.get_token_price(pair_or_mint))

    def buy(
        self,
        mint: str,
        sol_amount: Amount,
        payer_pk: str | None = None,
        *,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> TradeResult:
        """See ``PumpSwapSDK.buy``."""
        return self._wait(self._sdk.buy(mint, sol_amount, payer_pk, slippage_bps=slippage_bps, policy=policy))

    def sell(
        self,
        mint: str,
        token_amount: Amount | None = None,
        payer_pk: str | None = None,
        *,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> TradeResult:
        """See ``PumpSwapSDK.sell``."""
        return self._wait(self._sdk.sell(mint, token_amount, payer_pk, slippage_bps=slippage_bps, policy=policy))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            work.close()
            raise UsageError("the SDK is closed", hint="make a new one")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
