"""Fill and fee model for Nautilus' own exchange: a user's plain ``add_venue``, or a BacktestNode's configuration.

They fill at once: the order is put to our gate and executed on the curve in the moment in which the exchange asks for
a book. No latency, no exits of ours before the next order; a refusal cannot be told to Nautilus and ends the run with
UsageError. ``add_pumpswap_venue`` and ``install_client`` have none of these limits.
"""

from __future__ import annotations

from typing import Any

from nautilus_trader.backtest.config import FeeModelConfig, FillModelConfig
from nautilus_trader.backtest.models import FeeModel, FillModel
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import BookType, OrderSide, OrderType
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import Order as NautilusOrder

from pumpswap.errors import UsageError
from pumpswap.model import Filled, Intent, Order, Outcome, Position, RunObserver, TradeSide
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.shared import Role, claim
from pumpswap.nautilus.instruments import base_decimals_of, mint_of, pool_of
from pumpswap.nautilus.money import price, qty, sol, units_of
from pumpswap.nautilus.orders import Fill, fill_of

__all__ = ["CurveFeeModel", "CurveFeeModelConfig", "CurveFillModel", "CurveFillModelConfig", "Executions"]

_HINT = "add_pumpswap_venue (or install_client, for a BacktestNode) tells Nautilus of refusals and rejections"


class CurveFillModelConfig(FillModelConfig, frozen=True):  # type: ignore[call-arg]
    """``source`` and ``settings_path`` as of ``CurveModuleConfig``: the same values give the same curve."""

    source: str = ""
    settings_path: str | None = None


class CurveFeeModelConfig(FeeModelConfig, frozen=True):  # type: ignore[call-arg]
    """As ``CurveFillModelConfig``."""

    source: str = ""
    settings_path: str | None = None


class Executions(RunObserver):
    """What the curve has executed for Nautilus' orders, by client order id."""

    def __init__(self, curve: Curve) -> None:
        if curve.settings.paper.latency_ms or curve.settings.paper.latency_slots:
            raise UsageError(
                "under Nautilus' own exchange every order is filled at once, and the settings ask for a latency",
                hint=f"set paper.latency_ms to 0, or do without the fill model: {_HINT}",
            )
        self.curve = curve
        self._outcomes: dict[str, Outcome] = {}
        curve.engine.listen(self)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if order.client_order_id:
            self._outcomes[order.client_order_id] = outcome

    def fill(self, order: NautilusOrder, instrument: CurrencyPair) -> Fill:
        """The execution of an order, made when it is first asked for. Raises UsageError for a refusal."""
        name = order.client_order_id.value
        if name not in self._outcomes:
            self._execute(order, instrument)
        outcome = self._outcomes.get(name)
        if not isinstance(outcome, Filled):
            raise UsageError(f"order {name} was not filled: {outcome}", hint=_HINT)
        return fill_of(outcome)

    def _execute(self, order: NautilusOrder, instrument: CurrencyPair) -> None:
        if order.order_type != OrderType.MARKET or order.is_quote_quantity:
            raise UsageError(
                f"order {order.client_order_id} is no market order for a quantity of tokens",
                hint=f"the exchange of Nautilus gives no other to a fill model; {_HINT}",
            )
        side = TradeSide.BUY if order.side == OrderSide.BUY else TradeSide.SELL
        now = self.curve.now_ns
        intent = Intent(
            side=side,
            pool=pool_of(instrument.id),
            mint=mint_of(instrument),
            at_ns=now,
            reason=f"nautilus {order.strategy_id.value}",
            base_units=units_of(order.quantity, base_decimals_of(instrument)),
            strategy=f"nautilus:{order.strategy_id.value}",
            client_order_id=order.client_order_id.value,
        )
        decision, made = self.curve.engine.desk.decide(intent)
        if made is None:
            why = "; ".join(verdict.text for verdict in decision.refusals) or "it could not be ordered"
            raise UsageError(f"the gate refused order {order.client_order_id}: {why}", hint=_HINT)
        self.curve.land(now)


class CurveFillModel(FillModel):
    """Gives the exchange a book with one level: the curve's execution of the very order that it asks for."""

    def __init__(self, config: CurveFillModelConfig | None = None, executions: Executions | None = None) -> None:
        super().__init__()
        self.executions = executions if executions is not None else _shared(config, "fill model")

    def get_orderbook_for_fill_simulation(
        self, instrument: CurrencyPair, order: NautilusOrder, best_bid: Price, best_ask: Price
    ) -> OrderBook:
        """Never None: Nautilus would fill on its own book then."""
        fill = self.executions.fill(order, instrument)
        decimals = base_decimals_of(instrument)
        at = price(fill.gross_lamports, fill.base_units, decimals)
        opposite = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
        book = OrderBook(instrument.id, BookType.L2_MBP)
        book.add(BookOrder(opposite, at, qty(fill.base_units, decimals), 1), 0, 0)
        return book


class CurveFeeModel(FeeModel):
    """The fees that were really paid, of the pool and of the network."""

    def __init__(self, config: CurveFeeModelConfig | None = None, executions: Executions | None = None) -> None:
        super().__init__()
        self.executions = executions if executions is not None else _shared(config, "fee model")

    def get_commission(
        self, order: NautilusOrder, fill_qty: Quantity, fill_px: Price, instrument: CurrencyPair
    ) -> Money:
        """Of the execution, not of a formula."""
        return sol(self.executions.fill(order, instrument).commission_lamports)


def _shared(config: Any, role: Role) -> Executions:
    if config is None or not config.source:
        raise UsageError("a curve model needs its source", hint="CurveFillModelConfig(source=...), or executions=")
    shared = claim(config.source, config.settings_path, role)
    if shared.executions is None:
        shared.executions = Executions(shared.curve)
    made: Executions = shared.executions
    return made
