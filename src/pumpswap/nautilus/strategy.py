"""Q50PumpSwapStrategy: the Q50 frame traded in NautilusTrader; one class for back-test, sandbox and live.

It decides with the policy that our engine's own strategy ``q50`` has, at the same moments: every quote of an
instrument. Sizes, limits, exits and books are those of the engine behind the execution client, from ``pumpswap.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from nautilus_trader.common.component import LiveClock
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.data import InstrumentStatus, QuoteTick, TradeTick
from nautilus_trader.model.enums import MarketStatusAction, OrderSide, PriceType, TimeInForce
from nautilus_trader.model.events import (
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    PositionClosed,
    PositionOpened,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.position import Position as NautilusPosition
from nautilus_trader.trading.strategy import Strategy

from pumpswap.engine.strategies.q50 import FrameSignaller, policy_of, rules_of
from pumpswap.errors import BadInput, ConfigError, PumpSwapError
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import ExitKind
from pumpswap.nautilus.by_executor import ByExecutor
from pumpswap.nautilus.config import Q50PumpSwapStrategyConfig
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID, PUMPSWAP_VENUE, SOL
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap, data_type_of
from pumpswap.nautilus.instruments import base_decimals_of, mint_of, pool_of
from pumpswap.nautilus.money import lamports_of, qty, units_of
from pumpswap.nautilus.orders import order_params
from pumpswap.nautilus.regime_check import RegimeCheck
from pumpswap.nautilus.statistics import Q50Statistics
from pumpswap.nautilus.strategy_memory import StrategyMemory
from pumpswap.nautilus.strategy_setup import TraderClock, budget, configured, instruments_here
from pumpswap.nautilus.traded_market import TradedMarket
from pumpswap.nautilus.venue_facts import require_same, venue_of
from pumpswap.risk.caps import Caps
from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor
from pumpswap.settings import Settings
from pumpswap.settings.nearest import shown_path
from pumpswap.signals.q50_policy import Q50Action, Q50Verdict
from pumpswap.signals.regimes import RegimeDetector
from pumpswap.units import BPS

__all__ = ["Q50PumpSwapStrategy"]

_FRAME, _STATISTICS = "q50-frame", "q50-statistics"


class Q50PumpSwapStrategy(Strategy):
    """``config`` is a Q50PumpSwapStrategyConfig, or what the plan's class takes: nothing, or a mapping with sections of
    ours or the plan's and any fields of Q50PumpSwapStrategyConfig. ``settings`` are those of the engine behind the
    venue, where the caller has them as an object; otherwise they are read from ``settings_path``, or ``pumpswap.yaml``.

    All handlers are synchronous. Raises ConfigError for settings that cannot be used, without ``q50.path`` above all.
    """

    def __init__(
        self,
        config: Q50PumpSwapStrategyConfig | Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
    ) -> None:
        used, found = configured(config, settings)
        super().__init__(used)
        self.settings = found
        self.pumpswap_executor = PumpSwapTradingExecutor(found)
        self.q50_signal_loader = Q50SignalLoader(found.q50, clock=TraderClock(self), complete=rules_of(found.q50))
        self.regime_detector = RegimeDetector(found)
        self.statistics = Q50Statistics()
        self.policy = policy_of(found)
        self._frames = FrameSignaller(self.q50_signal_loader, found)
        self._regimes = RegimeCheck(self.regime_detector, found)
        self._caps = Caps.of(found.risk)
        self._markets: dict[InstrumentId, TradedMarket] = {}
        self._by_executor: ByExecutor | None = None
        self._memory = StrategyMemory(None, "")
        self._broken = ""  # by which error; until it is started anew

    @property
    def is_live(self) -> bool:
        """Whether time is the machine's: in a node, on paper or with money."""
        return isinstance(self.clock, LiveClock)

    # ------------------------------------------------------------------------------------------ life

    def on_start(self) -> None:
        """Read the frame, subscribe. In a back-test a frame that cannot be read is raised: one without signals would
        look like a result. Live it is told, and read as soon as it can be: exits of what is held go on meanwhile. What
        keeps it from beginning is told too: raised, it would leave a node behind that neither trades nor ends.
        """
        try:
            self._set_out()
        except Exception as broken:
            self._markets.clear()
            self._break(broken)
            self._memory = StrategyMemory(None, "")  # what is kept there was not taken up: it must stay as it is

    def _set_out(self) -> None:
        is_live, venue, self._broken = self.is_live, venue_of(self.msgbus), ""
        self._memory = StrategyMemory(venue, str(self.id))
        if venue is not None:
            require_same(self.settings, venue.settings)
        try:
            self.q50_signal_loader.load()
        except PumpSwapError as failed:
            if not is_live:
                raise
            self.log.error(f"no Q50 frame, so nothing is bought: {failed.what} ({failed.hint})")
        if (why_not := self._tell_frame()) and not is_live:
            raise ConfigError(why_not, hint="`pumpswap signal q50 inspect` says what the frame has")
        if is_live and not self.config.instrument_ids:
            raise ConfigError(
                "the strategy names no instruments", hint="name them: positions come back to it only for those"
            )
        for instrument in instruments_here(self.cache, self.config.instrument_ids, self.log.error):
            self._begin(instrument)
        if not self._markets:
            raise ConfigError(
                "none of the strategy's instruments is known",
                hint="name pools or mints in the instrument provider's configuration, or add the instruments first",
            )
        self._choose_way()
        self._recall()
        if is_live:
            self.clock.set_timer(_FRAME, timedelta(seconds=self.config.frame_seconds), callback=self._look_at_frame)
            seconds = timedelta(seconds=self.config.statistics_seconds)
            self.clock.set_timer(_STATISTICS, seconds, callback=self._save_statistics)
        self.log.info(f"Q50 on {len(self._markets)} pools, {len(self.q50_signal_loader.frame or ())} rows")

    def on_stop(self) -> None:
        """What is held stays held and its exits go on with the engine, unless ``nautilus.close_on_stop``."""
        for name in (_FRAME, _STATISTICS):
            if name in self.clock.timer_names:
                self.clock.cancel_timer(name)
        if self.settings.nautilus.close_on_stop:
            for market in self._markets.values():
                self.close_all_positions(market.id, client_id=PUMPSWAP_CLIENT_ID)
        self._save_statistics()
        self._memory.hindered("")  # who has stopped needs no frame
        if self._by_executor is not None:
            self._by_executor.end()

    def on_reset(self) -> None:
        """Everything as it was when it was made."""
        self.policy = policy_of(self.settings)
        self.statistics = Q50Statistics()
        self.regime_detector.reset_history()
        self._regimes = RegimeCheck(self.regime_detector, self.settings)
        self._markets.clear()

    def on_dispose(self) -> None:
        """The frame is let go."""
        self.q50_signal_loader.close()

    def on_save(self) -> dict[str, bytes]:
        """Which rows were traded, and the counts. Regimes follow from the frame."""
        return {
            "policy": msgspec.json.encode(self.policy.state()),
            "statistics": msgspec.json.encode(self.statistics.to_json()),
        }

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take up what ``on_save`` gave. Raises BadInput for what is damaged."""
        try:
            found = {name: msgspec.json.decode(state[name]) for name in ("policy", "statistics") if name in state}
        except msgspec.DecodeError:
            raise BadInput("the saved state of the Q50 strategy is damaged", hint="drop the saved state") from None
        if "policy" in found:
            self.policy.restore(found["policy"])
            self.policy.warm_up_again()
        if "statistics" in found:
            self.statistics = Q50Statistics.of_json(found["statistics"])

    # ------------------------------------------------------------------------------------------ market

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """A new state of a pool: the moment of a decision."""
        market = self._markets.get(tick.instrument_id)
        if market is None:
            return
        self.statistics.ticks += 1
        if self._broken and not self._is_revived():
            return
        try:
            self._decide(market, tick)
        except Exception as broken:
            self._break(broken)

    def on_trade_tick(self, tick: TradeTick) -> None:
        """Trades of others move quotes too, and quotes decide."""

    def on_data(self, data: Any) -> None:
        """Exact states and swaps, for heirs: the decision needs neither."""

    def on_instrument_status(self, data: InstrumentStatus) -> None:
        """What is paused or halted is not bought; sales are the engine's to judge."""
        market = self._markets.get(data.instrument_id)
        if market is None:
            return
        is_trading = data.action == MarketStatusAction.TRADING
        market.closed_to_us = "" if is_trading else f"the pool is not trading: {data.reason or 'no reason told'}"

    # ------------------------------------------------------------------------------------------ orders

    def on_order_denied(self, event: OrderDenied) -> None:
        self.statistics.hear_denied(event)
        self.log.info(f"{event.client_order_id} denied: {event.reason}")

    def on_order_rejected(self, event: OrderRejected) -> None:
        self.statistics.hear_rejected(event)
        self.log.warning(f"{event.client_order_id} rejected: {event.reason}")

    def on_order_expired(self, event: OrderExpired) -> None:
        self.statistics.expired += 1
        self.log.warning(f"{event.client_order_id} never landed")

    def on_order_filled(self, event: OrderFilled) -> None:
        self.statistics.hear_filled(event)

    def on_position_opened(self, event: PositionOpened) -> None:
        self.statistics.opened += 1

    def on_position_closed(self, event: PositionClosed) -> None:
        self.statistics.closed += 1

    # ------------------------------------------------------------------------------------------ inside

    def _decide(self, market: TradedMarket, tick: QuoteTick) -> None:
        at_ns = self.clock.timestamp_ns()
        verdict = self.policy.decide(self._frames(), at_ns, market.pool, market.mint, self._held(market))
        if verdict.action is not Q50Action.WAIT:
            self._act(market, verdict, tick)

    def _begin(self, instrument: CurrencyPair) -> None:
        warm_up, mean = self.settings.q50.warm_up_quotes, None
        if warm_up:
            mean = ExponentialMovingAverage(warm_up, PriceType.MID)
            self.register_indicator_for_quote_ticks(instrument.id, mean)
        market = TradedMarket(instrument.id, instrument, pool_of(instrument.id), mint_of(instrument), mean)
        self._markets[instrument.id] = market
        self.subscribe_quote_ticks(instrument.id, client_id=PUMPSWAP_CLIENT_ID)
        self.subscribe_instrument_status(instrument.id, client_id=PUMPSWAP_CLIENT_ID)
        if self.config.subscribe_trades:
            self.subscribe_trade_ticks(instrument.id, client_id=PUMPSWAP_CLIENT_ID)
            for kind in (PumpSwapSwap, PumpSwapPoolState):
                self.subscribe_data(data_type_of(kind, instrument.id), client_id=PUMPSWAP_CLIENT_ID)

    def _choose_way(self) -> None:
        """How wishes are carried out; analysis only where there is no way."""
        has_account = self.portfolio.account(PUMPSWAP_VENUE) is not None
        if self.config.mode == "executor":
            if has_account or not self.is_live:
                raise ConfigError(
                    "this node has an execution client for PUMPSWAP already, or is a back-test",
                    hint="mode: trade uses it; mode: executor is for a node without one",
                )
            self._by_executor = ByExecutor(self.pumpswap_executor, self.log.info)
            self._by_executor.begin()
        elif self.config.mode == "trade" and not has_account:
            self.log.warning("there is no execution client for PUMPSWAP: signals are analysed, nothing is ordered")

    def _held(self, market: TradedMarket) -> int | None:
        """Which round is held, told apart by when it was opened."""
        if self._by_executor is not None:
            return self._by_executor.held(market.pool)
        position = self._position(market)
        return None if position is None else int(position.ts_opened)

    def _position(self, market: TradedMarket) -> NautilusPosition | None:
        held = self.cache.positions_open(instrument_id=market.id, strategy_id=self.id)
        return held[0] if held else None

    def _act(self, market: TradedMarket, verdict: Q50Verdict, tick: QuoteTick) -> None:
        """Carry out a wish, or count why it is only analysed."""
        why_not = self._obstacle(market, verdict)
        if not why_not and self._by_executor is not None:
            row = self.q50_signal_loader.row_at(verdict.at_ns)
            why_not = "no row applies" if row is None else self._by_executor.execute(verdict, row)
        elif not why_not:
            is_buy = verdict.action is Q50Action.BUY
            why_not = self._buy(market, verdict, tick) if is_buy else self._sell(market, verdict)
        if why_not:
            self.statistics.left(why_not)
            self.log.info(f"{verdict.action.value} {market.pool}: only analysed, {why_not}")
            held = None if self._by_executor is not None else self._position(market)
            self._memory.analysed(market.analysed(verdict, tick, held, str(self.id)), why_not)
        elif verdict.signal is not None:
            self.statistics.wished(verdict.signal.side)
        if self.is_live:
            self._memory.keep(self.policy)  # a process that dies must not buy the same row again

    def _obstacle(self, market: TradedMarket, verdict: Q50Verdict) -> str:
        """Why this wish may not be carried out; empty when it may. Leaving never depends on a model or a status."""
        if self.config.mode == "analysis":
            return "mode analysis orders nothing"
        if self._by_executor is None and self.portfolio.account(PUMPSWAP_VENUE) is None:
            return "there is no execution client"
        if verdict.action is not Q50Action.BUY:
            return ""
        signaller = self._frames()
        if market.closed_to_us or verdict.signal is None or verdict.row_ns is None or signaller is None:
            return market.closed_to_us or "there is no signal"
        if market.mean is not None and not market.mean.initialized:
            return "the indicators are not warm yet"
        series, _ = signaller.series_for(market.mint, market.pool)
        if series is None:
            return "no instrument of the frame speaks for this pool"
        return self._regimes.objection(series, verdict.row_ns, verdict.signal)

    def _buy(self, market: TradedMarket, verdict: Q50Verdict, tick: QuoteTick) -> str:
        """Order a buy by quote quantity; the engine's gate finds its size, the order's amount is the most."""
        account = self.portfolio.account(PUMPSWAP_VENUE)
        balance = account.balance_free(SOL)
        free = 0 if balance is None else lamports_of(balance)
        most = min(self._caps.max_position, free - self._caps.native_reserve - self._caps.cost_allowance)
        if most <= 0:
            return "no SOL is free above the reserve"
        order = self.order_factory.market(
            market.id, OrderSide.BUY, budget(most, market.instrument), TimeInForce.FOK, quote_quantity=True
        )
        told = order_params(signal=verdict.signal, quote_lamports=most, reason=market.reason(verdict.why, tick))
        self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID, params=told)
        return ""

    def _sell(self, market: TradedMarket, verdict: Q50Verdict) -> str:
        """Order the sale of a share of what is held: it becomes an exit of the engine, which goes on until done."""
        position = self._position(market)
        if position is None:
            return "nothing is held"
        decimals = base_decimals_of(market.instrument)
        units = units_of(position.quantity, decimals) * verdict.share_bps // BPS
        if not units:
            return "the share is less than one unit"
        order = self.order_factory.market(
            market.id, OrderSide.SELL, qty(units, decimals), TimeInForce.FOK, reduce_only=True
        )
        told = order_params(signal=verdict.signal, exit=ExitKind.SIGNAL, reason=verdict.why)
        self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID, params=told)
        return ""

    def _break(self, error: Exception) -> None:
        """Raises it in a back-test. Live nothing is ordered any more: Nautilus ends the process for an error in a
        handler, and with it the exits of what is held.
        """
        if not self.is_live:
            raise error
        hint = f" ({error.hint})" if isinstance(error, PumpSwapError) and error.hint else ""
        self._broken = f"{type(error).__name__}: {error}{hint}"
        self.log.error(f"the strategy is broken and orders nothing, exits go on: {self._broken}")
        self._memory.broken(self._broken)

    def _is_revived(self) -> bool:
        """Whether a person has resumed since the strategy broke."""
        if self._memory.is_resumed():
            self.log.info(f"resumed by a person, after: {self._broken}")
            self._broken = ""
        return not self._broken

    def _look_at_frame(self, _event: object) -> None:
        """The file is read and calibrated away from the loop; the frame in use changes in one step."""
        self.run_in_executor(self._refresh)

    def _refresh(self) -> None:
        self.q50_signal_loader.refresh()
        self._tell_frame()

    def _tell_frame(self) -> str:
        """Whether the file, as it was at the last look, can be used: what is remembered of it grows old."""
        why_not = self.q50_signal_loader.failure or self._frames.why_none
        path = shown_path(self.q50_signal_loader.path)
        told = f"the Q50 frame {path} cannot be used: {why_not}" if why_not else ""
        self._memory.hindered(told)
        return told

    def _recall(self) -> None:
        """Take up what an earlier process has left with the run. It is written with every decision, and goes before
        what Nautilus has given back: that is of the last time that somebody stopped in order.
        """
        try:
            self.statistics = self._memory.recall(self.policy) or self.statistics
        except BadInput as damaged:  # what is held, and rests after a sale, are known to the engine all the same
            self.log.warning(f"begun without a memory: {damaged.what}")

    def _save_statistics(self, _event: object = None) -> None:
        """The counts so far, and what must be known after a restart, into the books of the run."""
        self._memory.count(self.statistics, self.clock.timestamp_ns())
        self._memory.keep(self.policy)
