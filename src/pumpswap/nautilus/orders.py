"""What a Nautilus order asks of our desk, and what our engine tells of it: no more is shared by live and back-test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.orders import Order as NautilusOrder

from pumpswap.amm.quote import amounts_of
from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.model import ExitKind, Filled, Intent, Order, Rejected, Signal, TradeSide
from pumpswap.nautilus.constants import SOL_DECIMALS
from pumpswap.nautilus.instruments import base_decimals_of, mint_of, pool_of
from pumpswap.nautilus.money import lamports_of, units_of
from pumpswap.storage.documents import load_signal
from pumpswap.units import BPS, I64_MAX

__all__ = [
    "EXPIRED",
    "PARAMS",
    "EventSink",
    "Fill",
    "NautilusWish",
    "OrderName",
    "fill_of",
    "name_of",
    "order_params",
    "rejection_text",
    "wish_of",
]

EXPIRED = "expired"  # the rule of an order that is proven absent from the chain
PARAMS = "pumpswap"  # the key of ``params`` under which a strategy tells us more
_KEYS = frozenset({"signal", "quote_lamports", "slippage_bps", "exit", "reason"})
_TIMES = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)  # on a chain an order is all or nothing: they are equal


def order_params(
    *,
    signal: Signal | None = None,
    quote_lamports: int | None = None,
    slippage_bps: int | None = None,
    exit: ExitKind | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """``params`` for ``Strategy.submit_order``: what the order itself cannot carry.

    With a ``signal`` our gate sizes the buy, and the order's quantity is the most it may cost. ``quote_lamports`` is
    the exact budget where the instrument's decimals cut it. ``exit`` says which rule wants a sale.
    """
    told = {
        "signal": signal,
        "quote_lamports": quote_lamports,
        "slippage_bps": slippage_bps,
        "exit": exit,
        "reason": reason or None,
    }
    return {PARAMS: {name: value for name, value in told.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class NautilusWish:
    """What a market order of a Nautilus strategy asks for, in our units.

    A buy has ``quote_lamports`` (a budget, fees in) or ``base_units`` (exactly so many); a sale has ``base_units``.
    ``strategy`` is Nautilus' strategy id.
    """

    client_order_id: str
    strategy: str
    side: TradeSide
    pool: str
    mint: str
    quote_lamports: int | None = None
    base_units: int | None = None
    signal: Signal | None = None
    slippage_bps: int | None = None
    exit: ExitKind | None = None
    reason: str = ""

    def intent(self, at_ns: int) -> Intent:
        """The wish for ``Desk.decide``. With a signal the gate sizes it, and the order's amount is the most."""
        is_sized = self.signal is not None and self.side is TradeSide.BUY
        return Intent(
            side=self.side,
            pool=self.pool,
            mint=self.mint,
            at_ns=at_ns,
            reason=self.reason or f"nautilus {self.strategy}",
            signal=self.signal,
            base_units=self.base_units,
            quote_lamports=None if is_sized else self.quote_lamports,
            exit=self.exit,
            slippage_bps=self.slippage_bps,
            strategy=f"nautilus:{self.strategy}",
            client_order_id=self.client_order_id,
            most_lamports=self.quote_lamports if is_sized else None,
        )


@dataclass(frozen=True, slots=True)
class OrderName:
    """What an order is called on both sides. ``venue`` is also the id of its only trade."""

    client: str
    venue: str
    is_ours: bool  # made by our engine without Nautilus: an exit, a command, an approval

    def __str__(self) -> str:
        return self.client


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill as Nautilus counts it: the price is ``gross_lamports`` for ``base_units``, before fees; ``commission`` is
    all that is gone for good besides: fees of the pool, of the network, and tips. Rent is a deposit and not in it.
    """

    base_units: int
    gross_lamports: int
    commission_lamports: int
    info: Mapping[str, str]


class EventSink(Protocol):
    """Where what happens to orders is told to Nautilus. Live and back-test clients are told the same."""

    def mirrored(self, order: Order, name: OrderName) -> None:
        """Our engine has made an order by itself: Nautilus must know it before anything is told of it."""
        ...

    def denied(self, name: OrderName, reason: str, at_ns: int) -> None:
        """Nothing was ordered, and nothing will be."""
        ...

    def submitted(self, name: OrderName, at_ns: int) -> None:
        """The order is stored."""
        ...

    def accepted(self, name: OrderName, at_ns: int) -> None:
        """It is on its way: from now on only its outcome ends it."""
        ...

    def filled(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        """It has traded; where the quantity differs from the order's, that is told first."""
        ...

    def rejected(self, name: OrderName, reason: str, at_ns: int) -> None:
        """It has failed; the network's fees may be paid all the same."""
        ...

    def expired(self, name: OrderName, at_ns: int) -> None:
        """It is proven that it never landed."""
        ...

    def account(self, at_ns: int) -> None:
        """Balances have changed."""
        ...


def name_of(order: Order, run_id: int) -> OrderName:
    """Names of an order. ``<run>-<order>`` is unique among all runs of a database, and short enough for a TradeId."""
    venue = f"{run_id}-{order.order_id}"
    return OrderName(order.client_order_id or f"PS-{venue}", venue, is_ours=not order.client_order_id)


def fill_of(filled: Filled) -> Fill:
    """What Nautilus is told of a fill."""
    quote, costs = filled.executed, filled.costs
    base_units, lamports = amounts_of(quote)
    told = {
        "signature": filled.signature,
        "slot": filled.slot,
        "gross_quote_lamports": quote.gross_quote,
        "user_quote_lamports": lamports,
        "lp_fee_lamports": quote.lp_fee,
        "protocol_fee_lamports": quote.protocol_fee,
        "creator_fee_lamports": quote.creator_fee,
        "cashback_lamports": quote.cashback,
        "network_fee_lamports": costs.network_fee,
        "priority_fee_lamports": costs.priority_fee,
        "tip_lamports": costs.tip,
        "rent_paid_lamports": costs.rent_paid,
        "rent_returned_lamports": costs.rent_returned,
    }
    # As text: Nautilus writes it as JSON, and most readers keep only 53 bits.
    info = {name: str(value) for name, value in told.items()}
    return Fill(base_units, quote.gross_quote, quote.fees + costs.spent, info)


def rejection_text(rejected: Rejected) -> str:
    """Code, name, words and cost of a transaction that the chain refused."""
    code = "" if rejected.code is None else f"{rejected.code} "
    return f"{code}{rejected.name}: {rejected.text}; it cost {rejected.costs.spent} lamports"


# ---------------------------------------------------------------------------------------------- what is asked for


def wish_of(command: SubmitOrder, instrument: CurrencyPair) -> NautilusWish:
    """What a command asks for. Raises BadInput for what this venue cannot do: deny the order with its words."""
    order = command.order
    _check_kind(order)
    side = TradeSide.BUY if order.side == OrderSide.BUY else TradeSide.SELL
    told = _told(command.params)
    if side is TradeSide.SELL and told.get("quote_lamports") is not None:
        raise BadInput("quote_lamports is the budget of a buy", hint="a sale gives its quantity of tokens")
    quote_lamports, base_units = _amounts(order, side, instrument, told.get("quote_lamports"))
    return NautilusWish(
        client_order_id=order.client_order_id.value,
        strategy=order.strategy_id.value,
        side=side,
        pool=pool_of(order.instrument_id),
        mint=mint_of(instrument),
        quote_lamports=quote_lamports,
        base_units=base_units,
        signal=told.get("signal"),
        slippage_bps=told.get("slippage_bps"),
        exit=told.get("exit"),
        reason=told.get("reason", ""),
    )


def _check_kind(order: NautilusOrder) -> None:
    if order.order_type != OrderType.MARKET:
        raise BadInput(
            "this venue takes market orders only", hint="a curve has no book to rest in; exits are in pumpswap.yaml"
        )
    if order.time_in_force not in _TIMES:
        raise BadInput("the time in force must be GTC, IOC or FOK", hint="on a chain an order is all or nothing")
    if order.emulation_trigger != TriggerType.NO_TRIGGER:
        raise BadInput("emulated orders are not supported", hint="submit a market order when it is time")
    if order.exec_algorithm_id is not None:
        raise BadInput("execution algorithms are not supported", hint="submit the parts as orders of their own")
    if order.contingency_type not in (ContingencyType.NO_CONTINGENCY, None) or order.parent_order_id is not None:
        raise BadInput("contingent orders are not supported", hint="exits are in pumpswap.yaml")
    if order.side == OrderSide.BUY and order.is_reduce_only:
        raise BadInput("a buy never reduces a position here", hint="nothing can be sold short on this venue")
    if order.side == OrderSide.SELL and order.init_event.quote_quantity:
        raise BadInput("a sale by an amount of SOL is not supported", hint="give the quantity of tokens")


def _amounts(
    order: NautilusOrder, side: TradeSide, instrument: CurrencyPair, exact: int | None
) -> tuple[int | None, int | None]:
    """(budget in lamports, base units), one of them None. Raises BadInput when they contradict each other."""
    # As the strategy made it: an execution engine of 1.221 that is not configured by ``node_config`` has made tokens at
    # the last ask of a budget by now, and so many tokens may cost more.
    asked = order.init_event
    if side is TradeSide.BUY and asked.quote_quantity:
        shown = lamports_of(asked.quantity)
        if exact is None:
            return shown, None
        # The order's quantity has no more decimals than the token; the exact budget must be the one that it shows.
        step = 10 ** max(SOL_DECIMALS - instrument.size_precision, 0)
        if abs(exact - shown) >= step:
            raise BadInput(
                f"the order is for {asked.quantity} SOL, and its quote_lamports say {exact}",
                hint=f"they may differ by less than {step} lamports, what the instrument's decimals cut",
            )
        return exact, None
    if exact is not None:
        raise BadInput(
            "quote_lamports contradicts a quantity of tokens", hint="set quote_quantity=True, or leave it out"
        )
    return None, units_of(order.quantity, base_decimals_of(instrument))


def _told(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``params`` tell, checked. Raises BadInput for a key or a value that nobody would heed."""
    told = dict((params or {}).get(PARAMS) or {})
    if unknown := sorted(set(told) - _KEYS):
        raise BadInput(f"params[{PARAMS!r}] has unknown keys: {', '.join(unknown)}", hint=f"known are {sorted(_KEYS)}")
    for name, most in (("quote_lamports", I64_MAX), ("slippage_bps", BPS)):
        value = told.get(name)
        if value is not None and (type(value) is not int or not 0 <= value <= most):
            raise BadInput(f"params {name} is {value!r}", hint=f"an integer from 0 to {most}")
    try:
        if isinstance(told.get("signal"), str):
            told["signal"] = load_signal(told["signal"])
        if isinstance(told.get("exit"), str):
            told["exit"] = ExitKind(told["exit"])
    except (PumpSwapError, ValueError) as refused:
        raise BadInput(f"params[{PARAMS!r}] cannot be read: {refused}", hint="make them with order_params") from refused
    kinds = (("signal", Signal), ("exit", ExitKind), ("reason", str))
    if wrong := [name for name, kind in kinds if not isinstance(told.get(name), kind | None)]:
        raise BadInput(f"params[{PARAMS!r}] has the wrong {', '.join(wrong)}", hint="make them with order_params")
    return {name: value for name, value in told.items() if value is not None}
