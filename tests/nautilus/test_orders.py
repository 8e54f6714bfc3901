"""What a Nautilus order asks of our desk: exact amounts, and a named refusal for all that this venue cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.client import ExecutionClient
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientId, ExecAlgorithmId, StrategyId, TraderId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Quantity

from pumpswap.amm import current_schedule
from pumpswap.errors import BadInput
from pumpswap.model import Costs, ExitKind, Rejected, TradeSide
from pumpswap.nautilus.compat import IS_1231
from pumpswap.nautilus.instruments import instrument_of, mint_of, pool_of
from pumpswap.nautilus.money import qty
from pumpswap.nautilus.orders import fill_of, name_of, order_params, rejection_text, wish_of
from pumpswap.storage.documents import dump_signal
from tests.storage import samples
from tests.support.market import graduate

TRADER, STRATEGY = TraderId("TRADER-001"), StrategyId("Q50-001")
FACTORY = OrderFactory(trader_id=TRADER, strategy_id=STRATEGY, clock=TestClock())


def instrument() -> CurrencyPair:
    return instrument_of(graduate(), current_schedule())


def command(order: Any, params: dict[str, Any] | None = None) -> SubmitOrder:
    return SubmitOrder(
        trader_id=TRADER, strategy_id=STRATEGY, order=order, command_id=UUID4(), ts_init=1, params=params
    )


def market(side: OrderSide, quantity: Quantity, **more: Any) -> Any:
    return FACTORY.market(instrument().id, side, quantity, **more)


def refused(order: Any, params: dict[str, Any] | None = None) -> str:
    with pytest.raises(BadInput) as raised:
        wish_of(command(order, params), instrument())
    return raised.value.what


@given(st.integers(1, 10**13))
def test_a_budget_arrives_to_the_lamport_though_the_quantity_cannot_show_it(lamports: int) -> None:
    of = instrument()
    shown = qty(lamports // 1_000, of.size_precision)  # 6 decimals of SOL: steps of 1,000 lamports
    if shown.raw == 0:
        return
    order = market(OrderSide.BUY, shown, quote_quantity=True)
    wish = wish_of(command(order, order_params(quote_lamports=lamports)), of)
    assert (wish.quote_lamports, wish.base_units) == (lamports, None)
    plain = wish_of(command(order), of)
    assert plain.quote_lamports == lamports // 1_000 * 1_000
    intent = wish.intent(7)
    assert (intent.quote_lamports, intent.at_ns, intent.is_by_hand) == (lamports, 7, True)
    assert intent.strategy == "nautilus:Q50-001"
    assert intent.client_order_id == order.client_order_id.value


def test_a_budget_that_the_order_does_not_show_is_refused() -> None:
    order = market(OrderSide.BUY, qty(500_000, 6), quote_quantity=True)
    assert "0.500000 SOL" in refused(order, order_params(quote_lamports=500_001_000))
    assert "0.500000 SOL" in refused(order, order_params(quote_lamports=499_999_000))


@given(st.integers(1, 10**15))
def test_units_are_exact_on_both_sides(units: int) -> None:
    of = instrument()
    for side in (OrderSide.BUY, OrderSide.SELL):
        wish = wish_of(command(market(side, qty(units, of.size_precision))), of)
        assert (wish.base_units, wish.quote_lamports) == (units, None)
        assert (wish.pool, wish.mint) == (pool_of(of.id), mint_of(of))


def test_with_a_signal_the_gate_sizes_it_and_the_order_is_the_most() -> None:
    order = market(OrderSide.BUY, qty(500_000, 6), quote_quantity=True)
    for signal in (samples.SIGNAL, dump_signal(samples.SIGNAL)):
        told = {"pumpswap": {"signal": signal, "slippage_bps": 70, "reason": "row 5"}}
        intent = wish_of(command(order, told), instrument()).intent(1)
        assert (intent.signal, intent.quote_lamports, intent.most_lamports) == (samples.SIGNAL, None, 500_000_000)
        assert (intent.slippage_bps, intent.reason, intent.is_by_hand) == (70, "row 5", False)


class _Venue(ExecutionClient):
    """Keeps what reaches it, as an execution client gets it."""

    def __init__(self, bus: MessageBus, cache: Cache, clock: TestClock) -> None:
        super().__init__(
            ClientId("PUMPSWAP"), Venue("PUMPSWAP"), OmsType.NETTING, AccountType.CASH, None, bus, cache, clock
        )
        self.got: list[SubmitOrder] = []

    def submit_order(self, command: SubmitOrder) -> None:
        self.got.append(command)


def test_a_budget_stays_one_whatever_the_users_own_engine_makes_of_it() -> None:
    """The plain execution engine of 1.221 makes tokens of a budget before the client sees it."""
    of, clock, cache = instrument(), TestClock(), Cache()
    bus = MessageBus(TRADER, clock)
    engine, venue = ExecutionEngine(bus, cache, clock), _Venue(bus, cache, clock)
    engine.register_client(venue)
    cache.add_instrument(of)
    sizes = (qty(10**9, of.size_precision),) * 2
    cache.add_quote_tick(QuoteTick(of.id, of.make_price("0.0001"), of.make_price("0.0001"), *sizes, 1, 1))
    engine.start()
    engine.execute(command(market(OrderSide.BUY, qty(500_000, of.size_precision), quote_quantity=True)))
    (got,) = venue.got
    assert got.order.is_quote_quantity is IS_1231  # else it has made 5,000 tokens of it
    wish = wish_of(got, of)
    assert (wish.quote_lamports, wish.base_units) == (500_000_000, None)
    engine.execute(command(market(OrderSide.SELL, qty(500_000, of.size_precision), quote_quantity=True)))
    with pytest.raises(BadInput, match="by an amount of SOL"):
        wish_of(venue.got[-1], of)


def test_a_sale_names_its_exit() -> None:
    order = market(OrderSide.SELL, qty(5, 6), reduce_only=True)
    intent = wish_of(command(order, order_params(exit=ExitKind.TAKE_PROFIT)), instrument()).intent(1)
    assert (intent.side, intent.base_units, intent.exit) == (TradeSide.SELL, 5, ExitKind.TAKE_PROFIT)


def test_what_the_venue_cannot_do_is_named() -> None:
    of = instrument()
    one = qty(10**6, 6)
    limit = FACTORY.limit(of.id, OrderSide.BUY, one, of.make_price(1))
    assert "market orders only" in refused(limit)
    assert "GTC, IOC or FOK" in refused(market(OrderSide.BUY, one, time_in_force=TimeInForce.DAY))
    assert "never reduces" in refused(market(OrderSide.BUY, one, reduce_only=True))
    assert "by an amount of SOL" in refused(market(OrderSide.SELL, one, quote_quantity=True))
    assert "algorithms" in refused(market(OrderSide.BUY, one, exec_algorithm_id=ExecAlgorithmId("TWAP")))
    for tif in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK):
        assert wish_of(command(market(OrderSide.BUY, one, time_in_force=tif)), of).base_units == 10**6


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"pumpswap": {"slipage_bps": 5}}, "unknown keys: slipage_bps"),
        ({"pumpswap": {"slippage_bps": 10_001}}, "slippage_bps is 10001"),
        ({"pumpswap": {"slippage_bps": True}}, "slippage_bps is True"),
        ({"pumpswap": {"quote_lamports": 1.5}}, "quote_lamports is 1.5"),
        ({"pumpswap": {"signal": "{"}}, "cannot be read"),
        ({"pumpswap": {"exit": "sometimes"}}, "cannot be read"),
        ({"pumpswap": {"signal": 5}}, "wrong signal"),
    ],
)
def test_params_that_nobody_would_heed_are_refused(params: dict[str, Any], words: str) -> None:
    assert words in refused(market(OrderSide.BUY, qty(500_000, 6), quote_quantity=True), params)


def test_names_are_short_enough_for_nautilus_and_differ_between_runs() -> None:
    ours = name_of(samples.order(), 12)
    assert (ours.client, ours.venue, ours.is_ours) == ("PS-12-o000001", "12-o000001", True)
    theirs = name_of(samples.order(client_order_id="O-1"), 12)
    assert (theirs.client, theirs.venue, theirs.is_ours) == ("O-1", "12-o000001", False)
    assert len(name_of(samples.order(999_999), 10**9).venue) <= 36


def test_a_fill_is_told_before_fees_with_everything_that_is_gone_as_commission() -> None:
    filled = samples.filled()
    fill = fill_of(filled)
    quote, costs = filled.executed, filled.costs
    assert fill.gross_lamports == quote.gross_quote
    assert fill.commission_lamports == quote.fees + costs.network_fee + costs.priority_fee + costs.tip
    assert fill.info["signature"] == filled.signature
    assert fill.info["rent_paid_lamports"] == str(costs.rent_paid)
    assert all(type(value) is str for value in fill.info.values())


def test_a_rejection_says_what_it_cost() -> None:
    rejected = Rejected("o1", 1, 2, 6004, "ExceededSlippage", "the price moved", Costs(5_000, 700), "sig")
    text = rejection_text(rejected)
    assert text.startswith(f"{rejected.code} {rejected.name}: ")
    assert text.endswith(f"it cost {rejected.costs.spent} lamports")
