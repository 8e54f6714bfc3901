"""What a starting node is told of our books: orders, fills and positions. The books answer, never the chain."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType, PositionSide, TimeInForce
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, TradeId, VenueOrderId
from nautilus_trader.model.instruments import CurrencyPair

from pumpswap.errors import PumpSwapError
from pumpswap.model import Denied, Filled, Order, Outcome, Rejected, TradeSide
from pumpswap.nautilus.constants import PUMPSWAP_VENUE
from pumpswap.nautilus.instruments import base_decimals_of, instrument_id, pool_of
from pumpswap.nautilus.money import price, qty, sol
from pumpswap.nautilus.orders import EXPIRED, fill_of, name_of, rejection_text
from pumpswap.nautilus.session import PumpSwapSession

__all__ = ["BookReports", "Reported"]


@dataclass(frozen=True, slots=True)
class Reported:
    """Reports of one moment: they agree with each other."""

    orders: list[OrderStatusReport]
    fills: list[FillReport]
    positions: list[PositionStatusReport]


@dataclass(frozen=True, slots=True)
class _Lot:
    """A fill as positions count it: signed base units for lamports before fees."""

    units: int
    lamports: int


class BookReports:
    """Of one session for one account. ``now`` is Nautilus' time; ``left_out`` are pools that can be no instruments:
    Nautilus is told nothing of them, our engine looks after what is held there.
    """

    def __init__(
        self,
        session: PumpSwapSession,
        cache: Any,
        account_id: AccountId,
        now: Callable[[], int],
        left_out: Container[str] = (),
    ) -> None:
        self._session, self._cache, self._account_id, self._now = session, cache, account_id, now
        self._left_out = left_out

    def pools(self) -> list[str]:
        """Pools that reports may be about: their instruments must be known before anything is reported."""
        return list(dict.fromkeys([*self._session.held_pools(), *(order.pool for order in self._session.unresolved())]))

    def everything(self) -> Reported:
        """All that Nautilus needs to begin: what is held and how it came to be, what is on the way, and what became of
        everything that its own cache believes to be open.

        Raises StorageError when the books cannot be read, PumpSwapError for an instrument that is not known.
        """
        orders, fills = [], []
        lots: dict[str, list[_Lot]] = {}
        for order, outcome in self._story():
            if order.pool in self._left_out:
                continue
            orders.append(self._order_report(order, outcome))
            if isinstance(outcome, Filled):
                fills.append(self._fill_report(order, outcome))
                lots.setdefault(order.pool, []).append(_lot_of(order, outcome))
        positions = []
        for pool in sorted({*lots, *self._session.held_pools(), *self._cached_pools()}):
            if pool in self._left_out:
                continue
            known = lots.get(pool, [])
            difference = self._held(pool) - sum(lot.units for lot in known)
            if difference:
                adopted = self._adopted(pool, difference, known)
                orders.append(adopted[0])
                fills.append(adopted[1])
                known.append(adopted[2])
            positions.append(self._position_report(pool, known))
        return Reported(orders, fills, positions)

    def open_orders(self) -> list[OrderStatusReport]:
        """Orders of instruments that have not ended, from memory: this cannot fail."""
        on_the_way = self._session.engine.desk.orders
        known = [order for order in on_the_way if self._cache.instrument(instrument_id(order.pool)) is not None]
        return [self._order_report(order, None) for order in known]

    def order(self, client: ClientOrderId | None, venue: VenueOrderId | None) -> OrderStatusReport | None:
        """One order; None for one that is not in the books."""
        for order in self._session.engine.desk.orders:  # from memory where that tells: it cannot fail
            name = name_of(order, self._session.run.run_id)
            if (client is not None and client.value == name.client) or (
                venue is not None and venue.value == name.venue
            ):
                return self._order_report(order, None)
        found = self._stored(client, venue)
        return None if found is None else self._order_report(*found)

    def position(self, pool: str) -> PositionStatusReport:
        """What is held of a pool, flat where nothing is."""
        return self._position_report(pool, [])

    # ------------------------------------------------------------------------------------------ what there is to tell

    def _story(self) -> list[tuple[Order, Outcome | None]]:
        """Orders with what became of them, oldest first: of the open rounds, and of positions that Nautilus holds;
        those on their way; those that its cache believes to be on their way.
        """
        session = self._session
        session.flush()
        history, found = session.run.history, dict[str, tuple[Order, Outcome | None]]()
        since = {position.pool: position.opened_ns for position in session.engine.portfolio.positions.open_positions()}
        for cached in self._cache.positions_open(venue=PUMPSWAP_VENUE):
            pool = pool_of(cached.instrument_id)
            since[pool] = min(cached.ts_opened, since.get(pool, cached.ts_opened))
        for pool, from_ns in since.items():
            for trade in history.trades_between(pool, from_ns, None):
                found[trade.order.order_id] = trade.order, trade.filled
        for order in session.unresolved():
            outcome = session.run.decided.outcome(order.order_id)
            # One that has closed a round which Nautilus does not know would open a short position there.
            if not isinstance(outcome, Filled):
                found.setdefault(order.order_id, (order, outcome))
        for cached in (
            *self._cache.orders_open(venue=PUMPSWAP_VENUE),
            *self._cache.orders_inflight(venue=PUMPSWAP_VENUE),
        ):
            stored = self._stored(cached.client_order_id, cached.venue_order_id)
            if stored is not None:
                found.setdefault(stored[0].order_id, stored)
        return sorted(found.values(), key=lambda one: (one[0].created_ns, one[0].order_id))

    def _stored(self, client: ClientOrderId | None, venue: VenueOrderId | None) -> tuple[Order, Outcome | None] | None:
        run = self._session.run
        order = None if client is None else run.ids.order_of_client(client.value)
        if order is None:
            prefix = f"{run.run_id}-"
            ours = f"PS-{prefix}"
            if client is not None and client.value.startswith(ours):
                order = run.decided.order(client.value.removeprefix(ours))
            elif venue is not None and venue.value.startswith(prefix):
                order = run.decided.order(venue.value.removeprefix(prefix))
        return None if order is None else (order, run.decided.outcome(order.order_id))

    def _held(self, pool: str) -> int:
        keeper = self._session.engine.desk.parts.keeper
        position = keeper.portfolio.positions.open_round(pool)
        return 0 if position is None else keeper.held(position)

    def _cached_pools(self) -> list[str]:
        return [pool_of(one.instrument_id) for one in self._cache.positions_open(venue=PUMPSWAP_VENUE)]

    # ------------------------------------------------------------------------------------------ one report

    def _order_report(self, order: Order, outcome: Outcome | None) -> OrderStatusReport:
        instrument, name = self._instrument(order.pool), name_of(order, self._session.run.run_id)
        decimals = base_decimals_of(instrument)
        cached = self._cache.order(ClientOrderId(name.client))
        filled = fill_of(outcome) if isinstance(outcome, Filled) else None
        if filled is not None:
            quantity = qty(filled.base_units, decimals)
        elif cached is not None:
            quantity = cached.quantity
        else:
            quantity = qty(order.base_units or getattr(order.quote, "base_out", 1), decimals)
        average = None if filled is None else price(filled.gross_lamports, filled.base_units, decimals).as_decimal()
        return OrderStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(name.venue),
            order_side=_side(order),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC if cached is None else cached.time_in_force,
            order_status=_status(outcome),
            quantity=quantity,
            filled_qty=quantity if filled is not None else qty(0, decimals),
            report_id=UUID4(),
            ts_accepted=order.created_ns,
            ts_last=order.created_ns if outcome is None else outcome.at_ns,
            ts_init=self._now(),
            client_order_id=ClientOrderId(name.client),
            avg_px=average,
            cancel_reason=_reason(outcome),
        )

    def _fill_report(self, order: Order, filled: Filled) -> FillReport:
        instrument, name, fill = self._instrument(order.pool), name_of(order, self._session.run.run_id), fill_of(filled)
        decimals = base_decimals_of(instrument)
        return FillReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(name.venue),
            trade_id=TradeId(name.venue),
            order_side=_side(order),
            last_qty=qty(fill.base_units, decimals),
            last_px=price(fill.gross_lamports, fill.base_units, decimals),
            commission=sol(fill.commission_lamports),
            liquidity_side=LiquiditySide.TAKER,
            report_id=UUID4(),
            ts_event=filled.at_ns,
            ts_init=self._now(),
            client_order_id=ClientOrderId(name.client),
        )

    def _adopted(self, pool: str, units: int, known: list[_Lot]) -> tuple[OrderStatusReport, FillReport, _Lot]:
        """What no order of ours explains: tokens that were adopted, at what they cost their owner; tokens that others
        have moved away, at what they had cost. Told as one order more, so that Nautilus invents none.
        """
        instrument = self._instrument(pool)
        decimals = base_decimals_of(instrument)
        lamports = self._cost_of(pool, units, known)
        name = f"A{self._session.run.run_id}-{pool[:6]}-{units}"
        quantity, px, now = qty(abs(units), decimals), price(lamports, abs(units), decimals), self._now()
        side = OrderSide.BUY if units > 0 else OrderSide.SELL
        shared: dict[str, Any] = {
            "account_id": self._account_id,
            "instrument_id": instrument.id,
            "venue_order_id": VenueOrderId(name),
            "order_side": side,
            "report_id": UUID4(),
            "ts_init": now,
            "client_order_id": ClientOrderId(f"PS-{name}"),
        }
        order = OrderStatusReport(
            **shared,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
            order_status=OrderStatus.FILLED,
            quantity=quantity,
            filled_qty=quantity,
            ts_accepted=now,
            ts_last=now,
            avg_px=px.as_decimal(),
        )
        fill = FillReport(
            **shared,
            trade_id=TradeId(name),
            last_qty=quantity,
            last_px=px,
            commission=sol(0),
            liquidity_side=LiquiditySide.NO_LIQUIDITY_SIDE,
            ts_event=now,
        )
        return order, fill, _Lot(units, lamports)

    def _cost_of(self, pool: str, units: int, known: list[_Lot]) -> int:
        bought, paid = (
            sum(lot.units for lot in known if lot.units > 0),
            sum(lot.lamports for lot in known if lot.units > 0),
        )
        position = self._session.engine.portfolio.positions.open_round(pool)
        if units > 0 and position is not None and not known:
            return position.cost_lamports * units // max(position.base_units, 1)
        if units > 0 and position is not None:
            return max(position.bought_lamports - paid, 0)
        return paid * abs(units) // max(bought, 1)

    def _position_report(self, pool: str, lots: list[_Lot]) -> PositionStatusReport:
        instrument, units, now = self._instrument(pool), self._held(pool), self._now()
        decimals = base_decimals_of(instrument)
        return PositionStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            position_side=PositionSide.LONG if units else PositionSide.FLAT,
            quantity=qty(units, decimals),
            report_id=UUID4(),
            ts_last=now,
            ts_init=now,
            avg_px_open=_average(lots, decimals) if units else None,
        )

    def _instrument(self, pool: str) -> CurrencyPair:
        found = self._cache.instrument(instrument_id(pool))
        if found is None:
            raise PumpSwapError(
                f"pool {pool} is no instrument of this node", hint="its books are known: name the pool in the provider"
            )
        return found


def _lot_of(order: Order, filled: Filled) -> _Lot:
    fill = fill_of(filled)
    return _Lot(fill.base_units if order.side is TradeSide.BUY else -fill.base_units, fill.gross_lamports)


def _average(lots: Iterable[_Lot], decimals: int) -> Decimal | None:
    """The open average as Nautilus computes it: buys are weighed with what is still held, sales change nothing."""
    held, average = 0, Decimal(0)
    for lot in lots:
        if lot.units > 0:
            px = price(lot.lamports, lot.units, decimals).as_decimal()
            average = (average * held + px * lot.units) / (held + lot.units)
        held += lot.units
    return average if average else None


def _side(order: Order) -> OrderSide:
    return OrderSide.BUY if order.side is TradeSide.BUY else OrderSide.SELL


def _status(outcome: Outcome | None) -> OrderStatus:
    match outcome:
        case Filled():
            return OrderStatus.FILLED
        case Denied() if outcome.rule == EXPIRED:
            return OrderStatus.EXPIRED
        case Denied() | Rejected():
            return OrderStatus.REJECTED
        case _:  # on its way, or unknown: it may land until the chain proves that it did not
            return OrderStatus.ACCEPTED


def _reason(outcome: Outcome | None) -> str | None:
    match outcome:
        case Rejected():
            return rejection_text(outcome)
        case Denied():
            return f"{outcome.rule}: {outcome.text}"
        case _:
            return None
