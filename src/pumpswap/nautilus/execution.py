"""PumpSwapExecutionClient: market orders of a Nautilus node go through our gate, and come back as they were booked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.execution.reports import (
    ExecutionMassStatus,
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import AccountType, OmsType, order_status_to_str
from nautilus_trader.model.identifiers import AccountId, ClientId, VenueOrderId
from nautilus_trader.model.orders import Order as NautilusOrder

from pumpswap.errors import BadInput, ConfigError, PumpSwapError
from pumpswap.model import AlertLevel, Intent, TradeSide
from pumpswap.nautilus.account import Held, balances_of, held_of
from pumpswap.nautilus.config import PumpSwapExecClientConfig
from pumpswap.nautilus.constants import PUMPSWAP, PUMPSWAP_CLIENT_ID, PUMPSWAP_VENUE
from pumpswap.nautilus.events import ClientEvents
from pumpswap.nautilus.instruments import mint_of, pool_of
from pumpswap.nautilus.orders import NautilusWish, OrderName, wish_of
from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
from pumpswap.nautilus.reports import BookReports
from pumpswap.nautilus.session import PumpSwapSession
from pumpswap.nautilus.venue_facts import VenueFacts, offer_venue

__all__ = ["PumpSwapExecutionClient"]

_NO_TAKING_BACK = "an order on its way cannot be taken back or changed: a signed transaction lands or does not"
_WAITING = "an order on this token is not finished; the sale is remembered and made as soon as it is"
_ENDED = "the engine has ended: its alerts tell why; start the node again"


class PumpSwapExecutionClient(LiveExecutionClient):
    """Live and sandbox are one client: what differs is the session's venue, the chain or the curve on paper.

    An order is told as submitted and accepted when it is stored. From then on only its outcome ends it: one that is
    unknown stays ACCEPTED until the chain proves what became of it, however long that takes. The account is our ledger.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: PumpSwapSession,
        provider: PumpSwapInstrumentProvider,
        bus: tuple[MessageBus, Cache, LiveClock],
        config: PumpSwapExecClientConfig,
        client_id: ClientId = PUMPSWAP_CLIENT_ID,
    ) -> None:
        msgbus, cache, clock = bus
        super().__init__(
            loop=loop,
            client_id=client_id,
            venue=PUMPSWAP_VENUE,
            oms_type=OmsType.NETTING,
            account_type=AccountType.CASH,
            base_currency=None,
            instrument_provider=provider,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        self._session, self._provider, self._bus = session, provider, msgbus
        self._set_account_id(AccountId(f"{PUMPSWAP}-{session.account}"))
        self._events = ClientEvents(self, cache, self._report_account, self._on_fault)
        self._reports = BookReports(session, cache, self.account_id, clock.timestamp_ns, provider.left_out)
        self._reported: Held = {}
        self._is_open = self._is_listening = False
        self._submitting: set[asyncio.Task[Any]] = set()

    # ------------------------------------------------------------------------------------------ connection

    async def _connect(self) -> None:
        try:
            await self._open()
        except Exception as failed:
            await self._let_go()
            told = f"{failed.what}; {failed.hint}" if isinstance(failed, PumpSwapError) and failed.hint else str(failed)
            self._log.error(f"pumpswap cannot begin: {told}")
            self.shutdown_system(f"pumpswap cannot begin: {told}")  # a node that waits for it would never trade
            raise

    async def _open(self) -> None:
        session = self._session
        if not self._is_listening:
            self._is_listening = True
            session.tell_orders(self._events)
            session.on_end(self._on_end)
            session.on_beat(self._report_account)
            self._bus.subscribe(f"reports.execution.{PUMPSWAP_VENUE}", self._on_reconciled)
        self._is_open = True
        await session.open()
        engine = session.engine
        facts = VenueFacts(
            session.settings,
            save=self._remember,
            load=session.run.states.load,
            fault=engine.fault,
            is_faulty=engine.is_faulty,
            hinder=session.hinder,
            analyse=self._analyse,
        )
        offer_venue(self._bus, facts)
        await self._provider.initialize()
        await self._provider.load_held(self._reports.pools())
        for pool, why in self._provider.left_out.items():
            text = f"what is held of pool {pool} is left to pumpswap alone, NautilusTrader cannot trade it: {why}"
            self._tell_owner(pool, AlertLevel.WARNING, text)
        # Not left to the data client: reports about an unknown instrument are skipped in silence.
        for instrument in self._provider.list_all():
            self._cache.add_instrument(instrument)
        self._report_account()
        await self._await_account_registered()
        if self.get_account().calculate_account_state:
            raise ConfigError(
                "Nautilus computes accounts of PUMPSWAP from fills, because a back-test of this process asked for it",
                hint="start the node in a process of its own",
            )

    def _remember(self, name: str, document: Mapping[str, object]) -> None:
        """Store a document with the books, for reports; not once the engine has ended: they may be another's by now."""
        if self._session.is_running:
            self._session.run.states.save(name, document, self._session.clock.now_ns())

    async def _disconnect(self) -> None:
        if self._submitting:  # a strategy that stops may be selling
            await asyncio.wait(set(self._submitting), timeout=self._session.settings.run.shutdown_seconds)
        await self._let_go()

    async def _let_go(self) -> None:
        if self._is_open:
            self._is_open = False
            await self._session.aclose()

    def _on_end(self, reason: str) -> None:
        self._log.error(f"pumpswap has ended: {reason or 'the engine has ended'}: every order is denied from now on")
        self._set_connected(False)

    def _on_fault(self, fault: str) -> None:
        """Orders of strategies are denied from now on, and somebody must know. Exits go on all the same."""
        self._tell_owner("events", AlertLevel.CRITICAL, f"{fault}; its strategies' orders are denied until then")

    def _tell_owner(self, subject: str, level: AlertLevel, text: str) -> None:
        if self._session.is_running:
            self._session.engine.desk.alert(level, "nautilus", subject, text)

    def _on_reconciled(self, _: Any) -> None:
        self._events.release()

    # ------------------------------------------------------------------------------------------ orders

    async def _submit_order(self, command: SubmitOrder) -> None:
        task = asyncio.current_task()
        assert task is not None, "Nautilus runs it as one"
        self._submitting.add(task)
        try:
            await self._submit(command)
        finally:
            self._submitting.discard(task)

    async def _submit_order_list(self, command: Any) -> None:
        """Each by itself, in order; contingent ones are denied, each with the reason."""
        for order in command.order_list.orders:
            await self._submit_order(
                SubmitOrder(
                    trader_id=command.trader_id,
                    strategy_id=command.strategy_id,
                    order=order,
                    command_id=UUID4(),
                    ts_init=command.ts_init,
                    client_id=command.client_id,
                    params=command.params,
                )
            )

    async def _submit(self, command: SubmitOrder) -> None:
        order = command.order
        self._events.release()  # a strategy trades: whatever there was to reconcile is reconciled
        try:
            wish = self._wish(command)
            self._check_new(order)
        except BadInput as refused:
            self._deny(order, f"{refused.what}; {refused.hint}" if refused.hint else refused.what)
            return
        try:
            await self._session.refresh(wish.pool, self._session.settings.nautilus.refresh_ms)
            if not self._session.is_running:
                self._deny(order, _ENDED)
                return
            self._events.ordered_by(wish.pool, order.strategy_id)
            self._session.do(lambda: self._decide(order, wish))
        except Exception as broken:  # it ends the engine, which tells it; the order must not stay open for ever
            told = f"the engine has ended: {broken.what if isinstance(broken, PumpSwapError) else broken!r}"
            name = OrderName(order.client_order_id.value, "", is_ours=False)
            tell = self._events.rejected if name.client in self._events.submitted_ids else self._events.denied
            tell(name, told, self._clock.timestamp_ns())
            self._log.exception("pumpswap has ended", broken)

    def _wish(self, command: SubmitOrder) -> NautilusWish:
        """Raises BadInput for what is to be denied before our gate is asked."""
        order = command.order
        if self._events.fault:
            raise BadInput(self._events.fault)
        instrument = self._cache.instrument(order.instrument_id)
        if instrument is None:
            raise BadInput(f"{order.instrument_id} is not known", hint="name its pool in the instrument provider")
        wish = wish_of(command, instrument)
        if not self._session.settings.nautilus.allow_shared_pools:
            for held in self._cache.positions_open(instrument_id=order.instrument_id):
                if held.strategy_id != order.strategy_id:
                    raise BadInput(
                        f"strategy {held.strategy_id} holds this pool",
                        hint="our books have one round in a pool: one strategy each, or nautilus.allow_shared_pools",
                    )
        return wish

    def _check_new(self, order: NautilusOrder) -> None:
        """Raises BadInput when our books have this order already, or cannot be read: nothing is ordered twice."""
        client_order_id = order.client_order_id
        if client_order_id.value in self._events.submitted_ids:
            raise BadInput(f"{client_order_id} was submitted before")
        try:
            report = self._reports.order(client_order_id, None)
        except PumpSwapError as unread:
            raise BadInput(f"nobody can tell whether it was ordered before: {unread.what}") from unread
        if report is not None:
            status = order_status_to_str(report.order_status)
            raise BadInput(f"{client_order_id} is in our books already, {status}", hint="a new order has a new id")

    def _decide(self, order: NautilusOrder, wish: NautilusWish) -> None:
        """Between two events of the engine. All that follows is told by the bridge, but for a sale that must wait."""
        engine, now = self._session.engine, self._session.clock.now_ns()
        engine.tick(now)
        intent = wish.intent(engine.clock.now_ns())
        if wish.side is TradeSide.BUY:
            engine.desk.decide(intent)
        elif engine.desk.wish(intent) is None:
            self._deny(order, _WAITING)

    def _analyse(self, intent: Intent, why: str) -> None:
        """Decide on a wish that a strategy does not order; nothing once the engine has ended, as for orders."""
        if self._session.is_running:
            self._session.do(lambda: self._decide_only(intent, why))

    def _decide_only(self, intent: Intent, why: str) -> None:
        engine = self._session.engine
        engine.tick(self._session.clock.now_ns())
        engine.desk.decide(intent, obstacle=why)

    def _deny(self, order: NautilusOrder, reason: str) -> None:
        now = self._clock.timestamp_ns()
        self.generate_order_denied(order.strategy_id, order.instrument_id, order.client_order_id, reason, now)

    async def _modify_order(self, command: Any) -> None:
        self.generate_order_modify_rejected(*_told_of(command), _NO_TAKING_BACK, self._clock.timestamp_ns())

    async def _cancel_order(self, command: Any) -> None:
        self.generate_order_cancel_rejected(*_told_of(command), _NO_TAKING_BACK, self._clock.timestamp_ns())

    async def _batch_cancel_orders(self, command: Any) -> None:
        for one in command.cancels:
            await self._cancel_order(one)

    async def _cancel_all_orders(self, command: Any) -> None:
        for order in self._cache.orders_open(instrument_id=command.instrument_id, strategy_id=command.strategy_id):
            await self._cancel_order(order)

    # ------------------------------------------------------------------------------------------ account

    async def _query_account(self, command: Any) -> None:
        self._reported = {}
        self._report_account()

    def _report_account(self) -> None:
        """Balances that have changed. All instruments are in it, zeros too: Nautilus keeps what it is not told."""
        if not self._session.is_running and self._session.is_over:
            return
        engine = self._session.engine
        currencies = {mint_of(one): one.base_currency for one in self._cache.instruments(venue=PUMPSWAP_VENUE)}
        held = held_of(engine.portfolio, engine.desk.orders, sorted(currencies))
        if held != self._reported:
            self._reported = held
            self.generate_account_state(balances_of(held, currencies), [], True, self._clock.timestamp_ns())

    # ------------------------------------------------------------------------------------------ reports

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus | None:
        """All of one moment, from the books: nothing happens in between, and nothing is told twice.

        ``lookback_mins`` is not heeded: what is held is told from its first order on, however old.
        """
        self.reconciliation_active = True
        status = ExecutionMassStatus(
            client_id=self.id,
            account_id=self.account_id,
            venue=self.venue,
            report_id=UUID4(),
            ts_init=self._clock.timestamp_ns(),
        )
        try:
            found = self._reports.everything()
        except Exception as refused:
            self._cannot_report(refused)
            return None
        finally:
            self.reconciliation_active = False
        self._events.forget()
        status.add_order_reports(found.orders)
        status.add_fill_reports(found.fills)
        status.add_position_reports(found.positions)
        return status

    def _cannot_report(self, refused: Exception) -> None:
        """The node does not begin to trade, and stays: somebody must know. Exits go on all the same."""
        told = refused.what if isinstance(refused, PumpSwapError) else repr(refused)
        text = f"the node of NautilusTrader cannot be told what is held, and trades nothing: {told}"
        self._log.exception(text, refused)
        self._tell_owner("reconciliation", AlertLevel.CRITICAL, text)

    async def generate_order_status_report(self, command: Any) -> OrderStatusReport | None:
        return self._reports.order(command.client_order_id, command.venue_order_id)

    async def generate_order_status_reports(self, command: Any) -> list[OrderStatusReport]:
        found = self._reports.open_orders() if command.open_only else self._reports.everything().orders
        return [one for one in found if command.instrument_id in (None, one.instrument_id)]

    async def generate_fill_reports(self, command: Any) -> list[FillReport]:
        found = self._reports.everything().fills
        wanted = (command.instrument_id, command.venue_order_id)
        return [
            one for one in found if wanted[0] in (None, one.instrument_id) and wanted[1] in (None, one.venue_order_id)
        ]

    async def generate_position_status_reports(self, command: Any) -> list[PositionStatusReport]:
        if command.instrument_id is not None:
            return [self._reports.position(pool_of(command.instrument_id))]
        return self._reports.everything().positions


def _told_of(command: Any) -> tuple[Any, Any, Any, VenueOrderId]:
    """Of a command, or of an order."""
    venue = command.venue_order_id or VenueOrderId("none")
    return command.strategy_id, command.instrument_id, command.client_order_id, venue
