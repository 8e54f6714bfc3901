"""PositionManager: positions by coin, from the executor's books. Nothing is booked here: the books follow the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumpswap.sdk.executor import ExecutionResult, HostConfig, PumpSwapTradingExecutor
from pumpswap.sdk.executor.position_view import position_view
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["PositionManager"]


class PositionManager:
    """Of an ``executor``, or of one of its own with ``config``."""

    def __init__(self, config: HostConfig = None, *, executor: PumpSwapTradingExecutor | None = None) -> None:
        """Raises ConfigError."""
        self.executor = executor or PumpSwapTradingExecutor(config)
        self._is_own = executor is None

    async def initialize(self) -> bool:
        """Open the books. Raises what ``PumpSwapTradingExecutor.open`` raises."""
        await self.executor.open()
        return True

    async def close(self) -> None:
        """Close an executor of its own; that of somebody else stays open."""
        if self._is_own:
            await self.executor.close()

    async def get_position(self, mint_address: str) -> dict[str, object] | None:
        """The open position in a coin, None when nothing is held."""
        found = [one for one in await self.executor.positions(refresh=False) if one["mint_address"] == mint_address]
        return found[-1] if found else None

    async def update_position(
        self, mint_address: str, amount: float, action: str, result: Mapping[str, Any]
    ) -> dict[str, object] | None:
        """The position after a trade of the executor, valued. The trade is in the books already, with the amounts that
        really moved: ``amount`` and ``action`` change nothing, and neither does calling this twice.
        """
        if result.get("mint_address") != mint_address or result.get("status") not in ("executed", "filled"):
            return await self.get_position(mint_address)
        return await self.executor.update_position_tracking(result)

    async def update_position_prices(self, prices: Mapping[str, float] | None = None) -> int:
        """Value every position by the exact quote of a sale at its pool as it is now; how many there are.

        ``prices`` are not used: a price times an amount is not what a sale would bring.
        """
        return len(await self.executor.positions(refresh=True))

    async def get_all_positions(self, active_only: bool = True) -> list[dict[str, object]]:
        """Open positions, and without ``active_only`` the closed rounds too."""
        views = await self.executor.positions(refresh=False)
        if active_only:
            return views
        room = await self.executor.room()
        closed = [one for one in room.executed.run.positions() if not one.is_open]
        return [*(position_view(one, room.desk.parts.book.state(one.pool)) for one in closed), *views]

    async def get_portfolio_summary(self) -> dict[str, object]:
        """Cash, value and gains of all books, after all costs; SOL for people, lamports exact."""
        room = await self.executor.room()
        views = await self.executor.positions(refresh=True)
        portfolio = room.desk.parts.keeper.portfolio
        realised = sum(one.realised_lamports for one in room.executed.run.positions())
        point = portfolio.equity_at(self.executor.clock.now_ns())
        value, cost = point.marks_lamports, portfolio.exposure
        return {
            "total_positions": len(views),
            "active_positions": len(views),
            "available_sol": portfolio.cash / LAMPORTS_PER_SOL,
            "total_sol_invested": cost / LAMPORTS_PER_SOL,
            "current_value_sol": value / LAMPORTS_PER_SOL,
            "unrealized_pnl_sol": (value - cost) / LAMPORTS_PER_SOL,
            "realized_pnl_sol": realised / LAMPORTS_PER_SOL,
            "equity_sol": point.equity_lamports / LAMPORTS_PER_SOL,
            "equity_lamports": point.equity_lamports,
            "cash_lamports": portfolio.cash,
            "realised_lamports": realised,
            "obstacles": [view["obstacle"] for view in views if view["obstacle"]],
        }

    async def check_exits(self) -> list[ExecutionResult]:
        """Sell what an exit rule wants sold; see ``PumpSwapTradingExecutor.check_exits``."""
        return await self.executor.check_exits()
