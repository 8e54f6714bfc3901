"""ClientEvents: what our engine tells of orders becomes events of a live execution client."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import LiquiditySide
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId, TradeId, VenueOrderId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.orders import Order as NautilusOrder

from pumpswap.model import Order
from pumpswap.nautilus.compat import QUOTE_DONE
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID, SOL
from pumpswap.nautilus.instruments import base_decimals_of, instrument_id
from pumpswap.nautilus.mirror import EXTERNAL, mirrored_order, owner_of
from pumpswap.nautilus.money import price, qty, sol
from pumpswap.nautilus.orders import Fill, OrderName

__all__ = ["ClientEvents", "tell_fill"]


def tell_fill(client: Any, order: NautilusOrder, venue: VenueOrderId, fill: Fill, *, decimals: int, at_ns: int) -> None:
    """The events of an executed order, from a live client or a back-test's: first the quantity, where what was executed
    is not what was asked for, then the fill. ``decimals``: of the token.
    """
    quantity = qty(fill.base_units, decimals)
    if order.is_quote_quantity or order.quantity != quantity:
        client.generate_order_updated(*_ids(order), venue, quantity, None, None, at_ns, **QUOTE_DONE)
    client.generate_order_filled(
        *_ids(order),
        venue,
        None,
        TradeId(venue.value),
        order.side,
        order.order_type,
        quantity,
        price(fill.gross_lamports, fill.base_units, decimals),
        SOL,
        sol(fill.commission_lamports),
        LiquiditySide.TAKER,
        at_ns,
        dict(fill.info),
    )


class ClientEvents:
    """An ``EventSink`` over a live client. Until Nautilus has taken over the reports of the start nothing is told: what
    happens before they are made is in them (``forget``), what happens after is told when they are in (``release``).
    """

    def __init__(
        self,
        client: LiveExecutionClient,
        cache: Any,
        report_account: Callable[[], None],
        tell_fault: Callable[[str], None],
    ) -> None:
        self._client, self._cache, self._report, self._tell_fault = client, cache, report_account, tell_fault
        self._held: list[tuple[OrderName, Callable[[], None]]] | None = []
        self._owners: dict[str, StrategyId] = {}  # who has ordered last, by pool
        self.fault = ""  # why Nautilus does not know what our books know; empty: it does
        self.submitted_ids: set[str] = set()  # client order ids that Nautilus was told of

    def ordered_by(self, pool: str, strategy: StrategyId) -> None:
        """A strategy has ordered in this pool: what our engine does there by itself is its, too."""
        self._owners[pool] = strategy

    def forget(self) -> None:
        """The reports are being made: they tell what has happened so far."""
        if self._held is not None:
            self._held.clear()

    def release(self) -> None:
        """Nautilus knows the reports: tell what has happened since, and everything else at once from now on."""
        held, self._held = self._held or [], None
        for name, tell in held:
            order = self._order(name)
            if order is None or not order.is_closed:  # else the reports had it already
                self._try(name, tell)

    # ------------------------------------------------------------------------------------------ EventSink

    def mirrored(self, order: Order, name: OrderName) -> None:
        self._tell(name, partial(self._mirror, order, name))

    def denied(self, name: OrderName, reason: str, at_ns: int) -> None:
        self._tell(name, partial(self._deny, name, reason, at_ns))

    def submitted(self, name: OrderName, at_ns: int) -> None:
        self.submitted_ids.add(name.client)
        self._tell(name, partial(self._submit, name, at_ns))

    def accepted(self, name: OrderName, at_ns: int) -> None:
        self._tell(name, partial(self._accept, name, at_ns))

    def filled(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        self._account()  # a strategy that hears of its fill sees the account with it
        self._tell(name, partial(self._fill, name, fill, at_ns))

    def rejected(self, name: OrderName, reason: str, at_ns: int) -> None:
        self._account()
        self._tell(name, partial(self._reject, name, reason, at_ns))

    def expired(self, name: OrderName, at_ns: int) -> None:
        self._tell(name, partial(self._expire, name, at_ns))

    def account(self, at_ns: int) -> None:
        self._account()

    # ------------------------------------------------------------------------------------------ events

    def _tell(self, name: OrderName, tell: Callable[[], None]) -> None:
        if self._held is None:
            self._try(name, tell)
        else:
            self._held.append((name, tell))

    def _account(self) -> None:
        self._try("the account", self._report)

    def _try(self, what: OrderName | str, tell: Callable[[], None]) -> None:
        """Our engine goes on whatever Nautilus makes of it: it looks after what is held."""
        try:
            tell()
        except Exception as broken:
            told = what if isinstance(what, str) else f"what became of order {what}"
            self._client._log.exception(f"Nautilus did not take {told}", broken)
            if not self.fault:
                self.fault = f"Nautilus does not know {told}: start the node again"
                self._tell_fault(self.fault)

    def _mirror(self, order: Order, name: OrderName) -> None:
        instrument: CurrencyPair | None = self._cache.instrument(instrument_id(order.pool))
        if instrument is None:
            self._client._log.error(f"pool {order.pool} is no instrument: order {name} is in our books only")
            return
        if self._order(name) is None:
            owner = owner_of(self._cache, instrument.id, self._claimed)
            if owner == EXTERNAL and not self._cache.positions_open(instrument_id=instrument.id):
                # Nautilus was never told of what is sold here: it would open a short position of nobody.
                self._client._log.error(f"nothing is held in {instrument.id} here: order {name} is in our books only")
                return
            made = mirrored_order(order, name, self._client.trader_id, owner, instrument)
            self._cache.add_order(made, None, PUMPSWAP_CLIENT_ID)

    def _claimed(self, of: InstrumentId) -> StrategyId | None:
        return self._owners.get(of.symbol.value)

    def _deny(self, name: OrderName, reason: str, at_ns: int) -> None:
        order = self._known(name)
        if order is not None:
            self._client.generate_order_denied(*_ids(order), reason, at_ns)

    def _submit(self, name: OrderName, at_ns: int) -> None:
        order = self._known(name)
        if order is not None:
            self._client.generate_order_submitted(*_ids(order), at_ns)

    def _accept(self, name: OrderName, at_ns: int) -> None:
        order = self._known(name)
        if order is not None:
            self._client.generate_order_accepted(*_ids(order), VenueOrderId(name.venue), at_ns)

    def _fill(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        order = self._known(name)
        if order is None:
            return
        decimals = base_decimals_of(self._cache.instrument(order.instrument_id))
        tell_fill(self._client, order, VenueOrderId(name.venue), fill, decimals=decimals, at_ns=at_ns)

    def _reject(self, name: OrderName, reason: str, at_ns: int) -> None:
        order = self._known(name)
        if order is not None:
            self._client.generate_order_rejected(*_ids(order), reason, at_ns)

    def _expire(self, name: OrderName, at_ns: int) -> None:
        order = self._known(name)
        if order is not None:
            self._client.generate_order_expired(*_ids(order), VenueOrderId(name.venue), at_ns)

    def _order(self, name: OrderName) -> NautilusOrder | None:
        return self._cache.order(ClientOrderId(name.client))

    def _known(self, name: OrderName) -> NautilusOrder | None:
        order = self._order(name)
        if order is None:  # of a pool that is no instrument here; the books have it
            self._client._log.warning(f"order {name} is not known here: what became of it is in our books only")
        return order


def _ids(order: NautilusOrder) -> tuple[StrategyId, InstrumentId, ClientOrderId]:
    return order.strategy_id, order.instrument_id, order.client_order_id
