"""Exits of our engine under Nautilus: orders that no strategy made, and that all of them hear of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import StrategyId

from pumpswap.model import TradeSide
from pumpswap.nautilus.constants import SOL
from pumpswap.nautilus.instruments import instrument_id
from pumpswap.nautilus.mirror import EXTERNAL, MIRROR, owner_of
from pumpswap.nautilus.money import lamports_of, units_of
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys, cash_of, sells_all
from tests.nautilus.backtest.world import Script, market_of, run, settings_for
from tests.support.market import graduate

STATE = graduate()


def test_a_stop_loss_closes_the_strategys_position_and_the_strategy_hears_of_it(tmp_path: Path) -> None:
    script = Script({2: buys(10**9)})
    chosen = settings_for(tmp_path, risk=FREE, exits={**NO_EXITS, "stop_loss_bps": 1_000})
    done = run(market_of(STATE, [0, 0, 0, 0, 0, -20, -20, -20, -20]), chosen, script)
    own, mirrored = sorted(done.engine.cache.orders(), key=lambda order: order.ts_init)
    assert mirrored.client_order_id.value.startswith("PS-")
    assert mirrored.tags[0] == MIRROR
    assert "loss" in mirrored.tags[1]
    assert (mirrored.strategy_id, mirrored.status, mirrored.side) == (script.id, OrderStatus.FILLED, OrderSide.SELL)
    assert mirrored.is_reduce_only
    fills = script.told("OrderFilled")
    assert [event.client_order_id for event in fills] == [own.client_order_id, mirrored.client_order_id]
    assert script.kinds()[-5:] == ["OrderSubmitted", "OrderAccepted", "OrderFilled", "PositionClosed"][-5:] or (
        script.kinds()[-1] == "PositionClosed"
    )
    assert done.engine.cache.positions_open() == []
    assert [trade.order.side for trade in done.curve.record.trades] == [TradeSide.BUY, TradeSide.SELL]
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_parts_are_mirrored_too_and_the_rest_can_be_sold_by_the_strategy(tmp_path: Path) -> None:
    script = Script({2: buys(10**9), 12: sells_all})
    exits = {**NO_EXITS, "take_profit_ladder": [{"gain_bps": 500, "sell_bps": 4_000}]}
    done = run(market_of(STATE, [0, 0, 0, 0, *([20] * 12)]), settings_for(tmp_path, risk=FREE, exits=exits), script)
    bought, part, rest = [units_of(event.last_qty, 6) for event in script.told("OrderFilled")]
    assert part == bought * 4_000 // 10_000
    assert part + rest == bought
    assert done.engine.cache.positions_open() == []
    account = done.engine.cache.account_for_venue(done.module.exchange.id)
    assert lamports_of(account.balance_total(SOL)) == done.curve.wallet_lamports
    done.engine.dispose()


def test_an_exit_and_a_sale_of_the_same_moment_sell_once(tmp_path: Path) -> None:
    """The engine sees the fall first and sells; the strategy, told the same quote, is refused."""
    script = Script({2: buys(10**9), 6: sells_all})
    chosen = settings_for(tmp_path, risk=FREE, exits={**NO_EXITS, "stop_loss_bps": 1_000})
    done = run(market_of(STATE, [0, 0, 0, 0, 0, -20, -20, -20, -20, -20]), chosen, script)
    sales = [trade for trade in done.curve.record.trades if trade.order.side is TradeSide.SELL]
    assert len(sales) == 1
    assert len(script.told("OrderDenied")) == 1
    assert done.engine.cache.positions_open() == []
    done.engine.dispose()


def test_an_exit_that_failed_is_tried_again_and_each_try_is_an_order(tmp_path: Path) -> None:
    script = Script({2: buys(10**9)})
    exits = {**NO_EXITS, "stop_loss_bps": 1_000, "slippage_bps": 100, "retry_seconds": 1}
    percents = [0, 0, 0, 0, -20, -40, -40, -40, -40, -40, -40, -40]
    done = run(market_of(STATE, percents), settings_for(tmp_path, risk=FREE, exits=exits), script)
    orders = sorted(done.engine.cache.orders(), key=lambda order: order.ts_init)
    assert [order.status for order in orders[1:]] == [OrderStatus.REJECTED, OrderStatus.FILLED]
    assert script.told("OrderRejected")[0].reason.startswith("6004 ExceededSlippage")
    assert cash_of(script) == done.curve.wallet_lamports
    done.engine.dispose()


def test_whose_a_mirrored_order_is() -> None:
    iid = instrument_id(str(STATE.address))

    def held(name: str, opened: int) -> Any:
        return SimpleNamespace(strategy_id=StrategyId(name), ts_opened=opened, id=SimpleNamespace(value=name))

    def cache(*positions: Any) -> Any:
        return SimpleNamespace(positions_open=lambda instrument_id: list(positions))

    later, sooner = held("B-001", 2), held("A-001", 1)
    assert owner_of(cache(later, sooner), iid, lambda _: None) == StrategyId("A-001")
    assert owner_of(cache(), iid, lambda _: StrategyId("Q50-001")) == StrategyId("Q50-001")
    assert owner_of(cache(), iid, lambda _: None) == EXTERNAL
