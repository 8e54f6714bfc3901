"""CurveExecClient: orders of a Nautilus back-test go to our engine, and come back as what it has done with them.

Nautilus' exchange and matching engine see no order. Fills carry the real price, fees, times and signature, and the
account is what our wallet holds: Nautilus computes neither.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nautilus_trader.accounting.accounts.cash import CashAccount
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId, VenueOrderId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import AccountBalance, Currency, Money
from nautilus_trader.model.orders import Order as NautilusOrder

from pumpswap.errors import BadInput, ConfigError, PumpSwapError, UsageError
from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import Intent, Order, TradeSide
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.bridge import OrderBridge
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID, SOL
from pumpswap.nautilus.events import tell_fill
from pumpswap.nautilus.instruments import base_decimals_of, instrument_id, mint_of
from pumpswap.nautilus.mirror import mirrored_order, owner_of
from pumpswap.nautilus.money import lamports_of, sol, tokens
from pumpswap.nautilus.orders import Fill, OrderName, wish_of
from pumpswap.nautilus.venue_facts import VenueFacts, offer_venue

__all__ = ["CurveExecClient"]

_NO_TAKING_BACK = "an order on its way cannot be taken back or changed: a signed transaction lands or does not"
_WAITING = "an order on this token is not finished; the sale is remembered and made as soon as it is"

Balances = Mapping[str, tuple[int, int]]  # (total, locked) in raw units, by asset


class CurveExecClient(BacktestExecClient):
    """An ``EventSink``. Our engine tells things in the middle of its own work, when a strategy must not call it again:
    so they are kept, and ``flush`` tells them when the engine is at rest.
    """

    def __init__(
        self,
        curve: Curve,
        *,
        exchange: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
        claimed: Callable[[InstrumentId], StrategyId | None],
    ) -> None:
        # Frozen is Nautilus' word for an account that it does not compute from fills: ours is reported.
        super().__init__(exchange=exchange, msgbus=msgbus, cache=cache, clock=clock, frozen_account=True)
        self._curve, self._known, self._time, self._claimed = curve, cache, clock, claimed
        self._told: deque[Callable[[], None]] = deque()
        self._is_telling = False
        self._reported: dict[str, tuple[int, int]] = {}
        self._currencies: dict[str, Currency] = {}
        self._alarms: set[int] = set()
        self.orders_told = 0
        self._open_account()
        curve.engine.listen(OrderBridge(curve.run_id, self))
        engine = curve.engine
        offer_venue(
            msgbus,
            VenueFacts(
                curve.settings,
                save=curve.remember,
                load=lambda _name: None,
                fault=engine.fault,
                is_faulty=engine.is_faulty,
                hinder=lambda _strategy, _obstacle: None,  # a back-test without a frame is an error
                analyse=self._analyse,
            ),
        )

    # ------------------------------------------------------------------------------------------ commands

    def submit_order(self, command: SubmitOrder) -> None:
        """Ask our gate; what it accepts is on its way at once."""
        order = command.order
        try:
            instrument = self._known.instrument(order.instrument_id)
            if instrument is None:
                raise BadInput(f"{order.instrument_id} is not known", hint="add the instruments of the recording first")
            self._check_owner(order)
            wish = wish_of(command, instrument)
        except BadInput as refused:
            self._deny(order, f"{refused.what}; {refused.hint}" if refused.hint else refused.what)
            return
        now = self._time.timestamp_ns()
        if self._curve.wish(wish.intent(now), now) is None:
            self._told.append(partial(self._deny, order, _WAITING))
        self.flush()

    def _analyse(self, intent: Intent, why: str) -> None:
        """Put a wish to the desk that is not to be ordered: it is refused for that, and told."""
        engine, now = self._curve.engine, self._time.timestamp_ns()
        self._curve.land(now)
        engine.clock.advance_to(now)
        engine.desk.decide(intent, obstacle=why)
        self.flush()

    def submit_order_list(self, command: Any) -> None:
        """Each order by itself; contingent ones are denied, each with the reason."""
        for order in command.order_list.orders:
            self.submit_order(
                SubmitOrder(
                    trader_id=command.trader_id,
                    strategy_id=command.strategy_id,
                    order=order,
                    command_id=command.id,
                    ts_init=command.ts_init,
                    client_id=command.client_id,
                    params=command.params,
                )
            )

    def modify_order(self, command: Any) -> None:
        """Rejected: nothing on its way can be changed."""
        self._refuse(self.generate_order_modify_rejected, command.client_order_id)

    def cancel_order(self, command: Any) -> None:
        """Rejected: nothing on its way can be taken back."""
        self._refuse(self.generate_order_cancel_rejected, command.client_order_id)

    def cancel_all_orders(self, command: Any) -> None:
        """Rejected for each open order."""
        for order in self._known.orders_open(instrument_id=command.instrument_id, strategy_id=command.strategy_id):
            self._refuse(self.generate_order_cancel_rejected, order.client_order_id)

    def batch_cancel_orders(self, command: Any) -> None:
        """Rejected for each of them."""
        for one in command.cancels:
            self._refuse(self.generate_order_cancel_rejected, one.client_order_id)

    def _start(self) -> None:
        """Raises ConfigError when the venue begins with other money than the settings say."""
        super()._start()
        told = lamports_of(self.get_account().balance_total(SOL))
        if told != self._curve.wallet_lamports:
            raise ConfigError(
                f"the venue begins with {told} lamports, the settings with {self._curve.wallet_lamports}",
                hint="make starting_balances of the venue what paper.start_sol says",
            )

    def _stop(self) -> None:
        """The engine stops: what is on its way lands now. A strategy has stopped already and hears none of it."""
        self._curve.finish(self._time.timestamp_ns())
        self.flush()
        super()._stop()

    # ------------------------------------------------------------------------------------------ telling

    def flush(self) -> None:
        """Tell what the engine has done. What a strategy does about it is told after what happened before."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._told:
                self._told.popleft()()
        finally:
            self._is_telling = False
        self._set_alarms()

    def land(self, at_ns: int) -> None:
        """Execute what is due, and tell it."""
        self._curve.land(at_ns)
        self.flush()

    def land_due(self, at_ns: int) -> None:
        """The same where something is due at all: an order without latency lands when its quote has been told."""
        due = self._curve.next_landing_ns
        if due is not None and due <= at_ns:
            self.land(at_ns)

    def _set_alarms(self) -> None:
        """Wake up when an order lands: its fill is told at its own time, not with the next quote. For all of them at
        once: an alarm that is set because of an alarm comes late.
        """
        if self._curve.next_landing_ns is None:
            return
        now = self._time.timestamp_ns()
        for due in self._curve.landings_ns:
            if due > now and due not in self._alarms:
                self._alarms.add(due)
                self._time.set_time_alert_ns(f"pumpswap-landing-{due}", due, self._on_alarm)

    def _on_alarm(self, event: Any) -> None:
        # A late one comes with the clock set back; the curve's time stands then.
        self._alarms.discard(event.ts_event)
        self.land(event.ts_event)

    # ------------------------------------------------------------------------------------------ EventSink

    def mirrored(self, order: Order, name: OrderName) -> None:
        self._told.append(partial(self._mirror, order, name))

    def denied(self, name: OrderName, reason: str, at_ns: int) -> None:
        self._told.append(lambda: self._deny(self._order(name), reason))

    def submitted(self, name: OrderName, at_ns: int) -> None:
        self._told.append(partial(self._submitted, name, at_ns))

    def accepted(self, name: OrderName, at_ns: int) -> None:
        self._told.append(partial(self._accepted, name, at_ns))

    def filled(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        self.account(at_ns)  # a strategy that hears of its fill sees the account with it
        self._told.append(partial(self._filled, name, fill, at_ns))

    def rejected(self, name: OrderName, reason: str, at_ns: int) -> None:
        self.account(at_ns)
        self._told.append(partial(self._rejected, name, reason, at_ns))

    def expired(self, name: OrderName, at_ns: int) -> None:
        self._told.append(partial(self._expired, name, at_ns))

    def account(self, at_ns: int) -> None:
        self._told.append(partial(self._report, self._balances(), at_ns))

    # ------------------------------------------------------------------------------------------ events

    def _deny(self, order: NautilusOrder, reason: str) -> None:
        self.generate_order_denied(
            order.strategy_id, order.instrument_id, order.client_order_id, reason, self._time.timestamp_ns()
        )

    def _refuse(self, tell: Callable[..., None], client_order_id: ClientOrderId) -> None:
        order = self._known.order(client_order_id)
        if order is None:
            raise UsageError(f"there is no order {client_order_id}", hint="submit it before anything else")
        venue = order.venue_order_id or VenueOrderId("none")
        now = self._time.timestamp_ns()
        tell(order.strategy_id, order.instrument_id, order.client_order_id, venue, _NO_TAKING_BACK, now)

    def _mirror(self, order: Order, name: OrderName) -> None:
        instrument = self._instrument(order.pool)
        owner = owner_of(self._known, instrument.id, self._claimed)
        made = mirrored_order(order, name, self.trader_id, owner, instrument)
        self._known.add_order(made, None, PUMPSWAP_CLIENT_ID)

    def _submitted(self, name: OrderName, at_ns: int) -> None:
        order = self._order(name)
        self.orders_told += 1
        self.generate_order_submitted(order.strategy_id, order.instrument_id, order.client_order_id, at_ns)

    def _accepted(self, name: OrderName, at_ns: int) -> None:
        order = self._order(name)
        venue = VenueOrderId(name.venue)
        self.generate_order_accepted(order.strategy_id, order.instrument_id, order.client_order_id, venue, at_ns)

    def _filled(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        order = self._order(name)
        decimals = base_decimals_of(self._known.instrument(order.instrument_id))
        tell_fill(self, order, VenueOrderId(name.venue), fill, decimals=decimals, at_ns=at_ns)
        self._check_closed(name)

    def _rejected(self, name: OrderName, reason: str, at_ns: int) -> None:
        order = self._order(name)
        self.generate_order_rejected(order.strategy_id, order.instrument_id, order.client_order_id, reason, at_ns)
        self._check_closed(name)

    def _expired(self, name: OrderName, at_ns: int) -> None:
        order, venue = self._order(name), VenueOrderId(name.venue)
        self.generate_order_expired(order.strategy_id, order.instrument_id, order.client_order_id, venue, at_ns)
        self._check_closed(name)

    # ------------------------------------------------------------------------------------------ account

    def _balances(self) -> Balances:
        """What the wallet holds at this moment of the engine, and what of it orders on their way may take."""
        wallet, orders = self._curve.venue.wallet, self._curve.engine.desk.orders
        spent = sum(order.quote_lamports for order in orders if order.side is TradeSide.BUY)
        found = {SOL_ASSET: (wallet.lamports, min(spent, wallet.lamports))}
        for mint, units in wallet.tokens.items():
            sold = sum(order.base_units for order in orders if order.side is TradeSide.SELL and order.mint == mint)
            found[mint] = (units, min(sold, units))
        return found

    def _open_account(self) -> None:
        """An account that is reported and not computed, also where another back-test of this process has made Nautilus
        compute those of this venue.
        """
        if self._known.account(self.account_id) is not None:
            raise UsageError("this engine has an account of PUMPSWAP already", hint="make a new engine")
        made = [self._balance(asset, *amounts) for asset, amounts in self._balances().items()]
        opened = AccountState(self.account_id, AccountType.CASH, None, True, made, [], {}, UUID4(), 0, 0)
        self._known.add_account(CashAccount(opened, False))

    def _report(self, balances: Balances, at_ns: int) -> None:
        """Balances that have changed; Nautilus keeps the others."""
        changed = {asset: now for asset, now in balances.items() if self._reported.get(asset) != now}
        if not changed:
            return
        made = [self._balance(asset, total, locked) for asset, (total, locked) in changed.items()]
        self.generate_account_state(made, [], True, at_ns)
        self._reported.update(changed)

    def _balance(self, asset: str, total: int, locked: int) -> AccountBalance:
        def money(units: int) -> Money:
            return sol(units) if asset == SOL_ASSET else tokens(units, self._currency(asset))

        return AccountBalance(money(total), money(locked), money(total - locked))

    def _currency(self, mint: str) -> Currency:
        if mint not in self._currencies:
            for instrument in self._known.instruments():
                self._currencies[mint_of(instrument)] = instrument.base_currency
        return self._currencies[mint]

    # ------------------------------------------------------------------------------------------ checks

    def _check_owner(self, order: NautilusOrder) -> None:
        """One round per pool in our books: two strategies in it could not be told apart. Raises BadInput."""
        if self._curve.settings.nautilus.allow_shared_pools:
            return
        for held in self._known.positions_open(instrument_id=order.instrument_id):
            if held.strategy_id != order.strategy_id:
                raise BadInput(
                    f"strategy {held.strategy_id} holds this pool",
                    hint="one strategy per pool: nautilus.allow_shared_pools",
                )

    def _check_closed(self, name: OrderName) -> None:
        order = self._order(name)
        if not order.is_closed:
            raise PumpSwapError(
                f"Nautilus left order {name} {order.status_string()} after its outcome",
                hint="this is a bug of the adapter: keep the log and report it",
            )

    def _order(self, name: OrderName) -> NautilusOrder:
        order = self._known.order(ClientOrderId(name.client))
        if order is None:
            raise PumpSwapError(f"Nautilus does not know order {name}", hint="this is a bug of the adapter: report it")
        return order

    def _instrument(self, pool: str) -> CurrencyPair:
        found = self._known.instrument(instrument_id(pool))
        if found is None:
            raise UsageError(
                f"pool {pool} is no instrument of this back-test", hint="add the instruments of the recording first"
            )
        return found
