"""What is not done, and what Nautilus is told about it: denied by our gate, rejected by the program, not taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce, TriggerType
from nautilus_trader.model.identifiers import ExecAlgorithmId
from nautilus_trader.model.objects import Price

from pumpswap.model import EntryKind
from pumpswap.nautilus.compat import FIXED
from pumpswap.nautilus.constants import PRICE_PRECISION, PUMPSWAP_CLIENT_ID
from pumpswap.nautilus.money import qty
from pumpswap.nautilus.orders import order_params
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys, buys_units, cash_of, sells_all, sol_of
from tests.nautilus.backtest.world import Script, market_of, run, settings_for
from tests.support.market import graduate

STATE = graduate()


def free(folder: Path, **sections: Any) -> Settings:
    return settings_for(folder, **{"exits": NO_EXITS, "risk": FREE, **sections})


def test_the_gates_refusal_is_a_denial_with_its_words_and_is_stored(tmp_path: Path) -> None:
    script = Script({2: buys(40 * 10**9)})
    chosen = settings_for(tmp_path)
    done = run(market_of(STATE, [0] * 5), chosen, script)
    assert script.kinds() == ["OrderInitialized", "OrderDenied"]
    (denied,) = script.told("OrderDenied")
    assert denied.reason.startswith("d000001: ")
    assert "40 SOL asked for, the limits allow" in denied.reason
    assert done.curve.wallet_lamports == cash_of(script) == 50 * 10**9
    done.engine.dispose()
    with open_database(chosen.database_target) as database:
        (decision,) = list(database.run(1).decisions())
        assert not decision.accepted
        assert decision.decision_id == "d000001"
        assert decision.intent.strategy == "nautilus:Script-001"


def test_999_sol_never_reach_the_curve(tmp_path: Path) -> None:
    """Nautilus' own risk engine sees the free balance; without it our gate refuses as well."""
    script = Script({2: buys(999 * 10**9)})
    done = run(market_of(STATE, [0] * 5), free(tmp_path), script)
    assert script.kinds() == ["OrderInitialized", "OrderDenied"]
    assert done.curve.record.trades == []
    assert cash_of(script) == 50 * 10**9
    done.engine.dispose()


def _limit(self: Script, tick: Any) -> None:
    price = Price.from_raw(10 ** (FIXED - 9), PRICE_PRECISION)
    order = self.order_factory.limit(tick.instrument_id, OrderSide.BUY, qty(1_000_000, 6), price)
    self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID)


def _day(self: Script, tick: Any) -> None:
    self.market(tick.instrument_id, OrderSide.BUY, qty(1_000_000, 6), time_in_force=TimeInForce.DAY)


def _reduce(self: Script, tick: Any) -> None:
    self.market(tick.instrument_id, OrderSide.BUY, qty(1_000_000, 6), reduce_only=True)


def _quote_sale(self: Script, tick: Any) -> None:
    self.market(tick.instrument_id, OrderSide.SELL, sol_of(10**6, 6), quote_quantity=True)


def _bracket(self: Script, tick: Any) -> None:
    price = Price.from_raw(10 ** (FIXED - 9), PRICE_PRECISION)
    orders = self.order_factory.bracket(
        tick.instrument_id, OrderSide.BUY, qty(1_000_000_000, 6), sl_trigger_price=price, tp_price=tick.ask_price
    )
    self.submit_order_list(orders, client_id=PUMPSWAP_CLIENT_ID)


def _params(self: Script, tick: Any) -> None:
    params = {"pumpswap": {"sloppiness": 3}}
    self.market(tick.instrument_id, OrderSide.BUY, qty(10**9, 6), params=params)


def _contradiction(self: Script, tick: Any) -> None:
    params = order_params(quote_lamports=600_000_000)
    self.market(tick.instrument_id, OrderSide.BUY, sol_of(5 * 10**8, 6), quote_quantity=True, params=params)


def _stop(self: Script, tick: Any) -> None:
    order = self.order_factory.stop_market(
        tick.instrument_id, OrderSide.BUY, qty(1_000_000, 6), tick.ask_price, trigger_type=TriggerType.DEFAULT
    )
    self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (_limit, "market orders only"),
        (_stop, "market orders only"),
        (_day, "GTC, IOC or FOK"),
        (_quote_sale, "by an amount of SOL"),
        (_params, "unknown keys: sloppiness"),
        (_contradiction, "they may differ by less than 1000 lamports"),
    ],
)
def test_what_this_venue_cannot_do_is_denied_with_the_reason(tmp_path: Path, act: Any, said: str) -> None:
    script = Script({2: buys(10**9), 6: act})
    done = run(market_of(STATE, [0] * 10), free(tmp_path), script)
    denied = script.told("OrderDenied")
    assert len(denied) == 1, script.kinds()
    assert said in denied[0].reason
    assert len(done.curve.record.trades) == 1
    done.engine.dispose()


def test_a_bracket_is_denied_order_by_order(tmp_path: Path) -> None:
    script = Script({2: _bracket})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    assert {order.status for order in done.engine.cache.orders()} == {OrderStatus.DENIED}
    assert len(done.engine.cache.orders()) == 3
    assert done.curve.record.trades == []
    done.engine.dispose()


def test_each_order_of_a_plain_list_is_decided_by_itself(tmp_path: Path) -> None:
    def act(self: Script, tick: Any) -> None:
        made = [
            self.order_factory.market(tick.instrument_id, OrderSide.BUY, qty(10**12, 6), time_in_force=TimeInForce.FOK)
            for _ in range(2)
        ]
        self.submit_order_list(self.order_factory.create_list(made), client_id=PUMPSWAP_CLIENT_ID)

    script = Script({2: act})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    first, second = sorted(done.engine.cache.orders(), key=lambda order: order.client_order_id.value)
    assert (first.status, second.status) == (OrderStatus.FILLED, OrderStatus.DENIED)
    assert "an order on this token is not finished" in script.told("OrderDenied")[0].reason
    done.engine.dispose()


def test_a_price_that_ran_away_is_rejected_with_the_programs_code_and_the_fee_is_paid(tmp_path: Path) -> None:
    script = Script({2: buys(10**9), 5: buys_units(10**13)})
    done = run(market_of(STATE, [0, 0, 30, 0, 0, 30, 30, 30]), free(tmp_path), script)
    first, second = script.told("OrderRejected")
    assert first.reason.startswith("6040 BuySlippageBelowMinBaseAmountOut: ")
    assert second.reason.startswith("6004 ExceededSlippage: ")
    fees = [-one.units for one in done.curve.record.entries if one.kind is not EntryKind.DEPOSIT]
    assert "cost 35000 lamports" in first.reason
    assert sum(fees) == 2 * 35_000
    assert cash_of(script) == done.curve.wallet_lamports == 50 * 10**9 - 70_000
    assert all(order.status == OrderStatus.REJECTED for order in done.engine.cache.orders())
    done.engine.dispose()


def test_orders_on_their_way_are_neither_changed_nor_taken_back(tmp_path: Path) -> None:
    def act(self: Script, tick: Any) -> None:
        order = self.market(tick.instrument_id, OrderSide.BUY, qty(10**12, 6))
        self.cancel_order(order)
        self.cancel_all_orders(tick.instrument_id)

    script = Script({2: act})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    rejected = script.told("OrderCancelRejected")
    assert rejected
    assert all("cannot be taken back" in event.reason for event in rejected)
    (order,) = done.engine.cache.orders()
    assert order.status == OrderStatus.FILLED
    done.engine.dispose()


def test_what_is_not_held_is_not_sold(tmp_path: Path) -> None:
    def act(self: Script, tick: Any) -> None:
        self.market(tick.instrument_id, OrderSide.SELL, qty(10**12, 6))

    script = Script({2: act})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    assert script.kinds() == ["OrderInitialized", "OrderDenied"]
    assert done.curve.record.trades == []
    done.engine.dispose()


def test_a_sale_while_another_is_on_its_way_is_denied_and_nothing_is_sold_twice(tmp_path: Path) -> None:
    script = Script({2: buys(10**9), 6: sells_all, 7: sells_all})
    done = run(market_of(STATE, [0] * 12), free(tmp_path), script)
    (denied,) = script.told("OrderDenied")
    assert "order on this token is not finished" in denied.reason or "CUM_NOTIONAL" in denied.reason
    assert len(done.curve.record.trades) == 2
    assert done.engine.cache.positions_open() == []
    done.engine.dispose()


def test_one_strategy_per_pool_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    first, second = Script({2: buys(10**9)}, name="First"), Script({6: buys(10**9)}, name="Second", tag="002")
    done = run(market_of(STATE, [0] * 12), free(tmp_path), first, second)
    assert "strategy First-001 holds this pool" in second.told("OrderDenied")[0].reason
    done.engine.dispose()
    first, second = Script({2: buys(10**9)}, name="First"), Script({6: buys(10**9)}, name="Second", tag="002")
    done = run(market_of(STATE, [0] * 12), free(tmp_path, nautilus={"allow_shared_pools": True}), first, second)
    assert second.told("OrderFilled")
    done.engine.dispose()


def test_algorithms_are_not_run(tmp_path: Path) -> None:
    def act(self: Script, tick: Any) -> None:
        self.market(tick.instrument_id, OrderSide.BUY, qty(10**12, 6), exec_algorithm_id=ExecAlgorithmId("TWAP"))

    script = Script({2: act})
    done = run(market_of(STATE, [0] * 6), free(tmp_path), script)
    assert done.curve.record.trades == []
    done.engine.dispose()
