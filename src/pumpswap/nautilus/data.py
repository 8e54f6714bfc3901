"""PumpSwapDataClient: what our engine hears, as Nautilus' data; history from the lake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.data import Data
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import DataType, QuoteTick, TradeTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.model.instruments import CurrencyPair

from pumpswap.errors import BadInput
from pumpswap.model import MarketUpdate, RiskState, RunObserver
from pumpswap.nautilus.compat import custom_answer
from pumpswap.nautilus.config import PumpSwapDataClientConfig
from pumpswap.nautilus.constants import PUMPSWAP_CLIENT_ID, PUMPSWAP_VENUE
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap, wrapped
from pumpswap.nautilus.instruments import instrument_id, pool_of
from pumpswap.nautilus.loaders.history import past_data
from pumpswap.nautilus.market_session import MarketSession
from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
from pumpswap.nautilus.subscriptions import Subscriptions
from pumpswap.nautilus.ticks import Standing, quote_tick, standing_of, status_tick, trade_tick

__all__ = ["PumpSwapDataClient"]

_CUSTOM = (PumpSwapSwap, PumpSwapPoolState)
_NO_BARS = "aggregate bars from trades or quotes: BarType …-INTERNAL"


class _Ear(RunObserver):
    """Passes on what the engine hears."""

    def __init__(self, update: Callable[[MarketUpdate], None], risk: Callable[[RiskState], None]) -> None:
        self._update, self._risk = update, risk

    def on_update(self, update: MarketUpdate) -> None:
        self._update(update)

    def on_risk(self, state: RiskState) -> None:
        self._risk(state)


class PumpSwapDataClient(LiveMarketDataClient):
    """Quotes and states come with every round in which the engine reads the chain (``run.state_poll_ms``), also when
    nothing has changed: they say that this is still so. Trades come as the chain confirms them.

    ``ts_event`` is when the state or the trade was, ``ts_init`` when we knew. A pool begins with what is known of it
    when it is subscribed. Order books do not exist on a curve; bars are aggregated by Nautilus itself.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: MarketSession,
        provider: PumpSwapInstrumentProvider,
        bus: tuple[MessageBus, Cache, LiveClock],
        config: PumpSwapDataClientConfig,
        client_id: ClientId = PUMPSWAP_CLIENT_ID,
    ) -> None:
        msgbus, cache, clock = bus
        super().__init__(
            loop=loop,
            client_id=client_id,
            venue=PUMPSWAP_VENUE,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
            config=config,
        )
        self._session, self._provider = session, provider
        self._lamports = session.settings.nautilus.lamports("quote_sol")
        self._asked = Subscriptions(session)
        self._standings: dict[str, Standing] = {}
        self._sequence = 0
        self._is_open = self._is_listening = False
        self._ended = ""

    # ------------------------------------------------------------------------------------------ connection

    async def _connect(self) -> None:
        await self._session.open()
        self._is_open = True
        try:
            await self._provider.initialize()
            await self._provider.load_held(self._session.held_pools())  # whatever was named
        except BaseException:
            await self._let_go()
            raise
        for instrument in self._provider.list_all():
            self._handle_data(instrument)
        if not self._is_listening:
            self._is_listening = True
            self._session.listen(_Ear(self._on_update, self._on_risk))
            self._session.on_end(self._on_end)

    async def _disconnect(self) -> None:
        self._asked.drop_all()
        await self._let_go()

    async def _let_go(self) -> None:
        if self._is_open:
            self._is_open = False
            await self._session.aclose()

    def _on_end(self, reason: str) -> None:
        self._ended = reason or "the engine has ended"
        self._log.error(f"pumpswap has ended: {self._ended}")
        self._tell_standings()
        self._set_connected(False)

    # ------------------------------------------------------------------------------------------ what is heard

    def _on_update(self, update: MarketUpdate) -> None:
        sequence, self._sequence = self._sequence, self._sequence + 1
        pool = update.pool
        if pool not in self._asked:
            return
        instrument: CurrencyPair | None = self._provider.find(instrument_id(pool))
        if instrument is None:
            return
        now = self._clock.timestamp_ns()
        state, swap = update.state, update.swap
        known_ns = min(update.at_ns if update.state_ns is None else update.state_ns, now)
        if self._asked.status(pool):
            self._tell_standing(pool)
        if state is not None and self._asked.quotes(pool):
            self._tell(quote_tick(state, self._session.schedule(), self._lamports, ts_event=known_ns, ts_init=now))
        if swap is not None:
            if self._asked.trades(pool):
                self._tell(trade_tick(swap, instrument.size_precision, ts_init=now))
            for data_type in self._asked.custom(pool, PumpSwapSwap):
                self._handle_data(wrapped(PumpSwapSwap.of(swap, ts_event=min(swap.at_ns, now), ts_init=now), data_type))
        for data_type in self._asked.custom(pool, PumpSwapPoolState):
            made = _state_data(update, known_ns, now, sequence)
            if made is not None:
                self._handle_data(wrapped(made, data_type))

    def _on_risk(self, state: RiskState) -> None:
        self._tell_standings()

    def _tell_standings(self) -> None:
        for pool in self._asked.pools():
            if self._asked.status(pool):
                self._tell_standing(pool)

    def _tell_standing(self, pool: str, *, again: bool = False) -> None:
        """On change, or ``again``."""
        if self._ended:
            standing = standing_of(self._ended, None, None)
        else:
            session = self._session
            standing = standing_of(session.book.obstacle(pool), session.schedule(), session.risk)
        if again or standing != self._standings.get(pool):
            self._standings[pool] = standing
            self._handle_data(status_tick(instrument_id(pool), standing, self._clock.timestamp_ns()))

    def _tell(self, data: Data | None) -> None:
        if data is not None:
            self._handle_data(data)

    # ------------------------------------------------------------------------------------------ subscriptions

    async def _subscribe_instruments(self, command: Any) -> None:
        for instrument in self._provider.list_all():
            self._handle_data(instrument)

    async def _subscribe_instrument(self, command: Any) -> None:
        self._handle_data(await self._known(command.instrument_id))

    async def _subscribe_quote_ticks(self, command: Any) -> None:
        pool = await self._pool(command.instrument_id)
        self._asked.add(pool, QuoteTick)
        state = self._session.book.state(pool)
        if state is not None:
            now = self._clock.timestamp_ns()
            known_ns = min(self._session.book.observed_ns(pool) or now, now)
            self._tell(quote_tick(state, self._session.schedule(), self._lamports, ts_event=known_ns, ts_init=now))

    async def _subscribe_trade_ticks(self, command: Any) -> None:
        self._asked.add(await self._pool(command.instrument_id), TradeTick)

    async def _subscribe_instrument_status(self, command: Any) -> None:
        pool = await self._pool(command.instrument_id)
        self._asked.add_status(pool)
        self._tell_standing(pool, again=True)

    async def _subscribe(self, command: Any) -> None:
        pool = await self._pool(_custom_id(command))
        for data_type in _topics_of(command):
            self._asked.add_custom(pool, data_type)

    async def _unsubscribe_instruments(self, command: Any) -> None:
        """Instruments are told once; there is nothing to end."""

    async def _unsubscribe_instrument(self, command: Any) -> None:
        """Instruments are told once; there is nothing to end."""

    async def _unsubscribe_quote_ticks(self, command: Any) -> None:
        self._asked.remove(pool_of(command.instrument_id), QuoteTick)

    async def _unsubscribe_trade_ticks(self, command: Any) -> None:
        self._asked.remove(pool_of(command.instrument_id), TradeTick)

    async def _unsubscribe_instrument_status(self, command: Any) -> None:
        pool = pool_of(command.instrument_id)
        self._asked.remove_status(pool)
        self._standings.pop(pool, None)

    async def _unsubscribe(self, command: Any) -> None:
        for data_type in _topics_of(command):
            self._asked.remove_custom(pool_of(_custom_id(command)), data_type)

    async def _subscribe_bars(self, command: Any) -> None:
        raise BadInput("PumpSwap has no bars of its own", hint=_NO_BARS)

    async def _subscribe_order_book_deltas(self, command: Any) -> None:
        raise BadInput("a curve has no order book", hint="subscribe to quotes, or to PumpSwapPoolState")

    # ------------------------------------------------------------------------------------------ requests

    async def _request_instrument(self, request: Any) -> None:
        instrument = await self._known(request.instrument_id)
        self._handle_instrument(instrument, request.id, request.start, request.end, request.params)

    async def _request_instruments(self, request: Any) -> None:
        every = self._provider.list_all()
        self._handle_instruments(PUMPSWAP_VENUE, every, request.id, request.start, request.end, request.params)

    async def _request_quote_ticks(self, request: Any) -> None:
        ticks = await self._past(request, request.instrument_id, QuoteTick)
        self._handle_quote_ticks(request.instrument_id, ticks, request.id, request.start, request.end, request.params)

    async def _request_trade_ticks(self, request: Any) -> None:
        ticks = await self._past(request, request.instrument_id, TradeTick)
        self._handle_trade_ticks(request.instrument_id, ticks, request.id, request.start, request.end, request.params)

    async def _request_bars(self, request: Any) -> None:
        raise BadInput("PumpSwap has no bars of its own", hint=_NO_BARS)

    async def _request(self, request: Any) -> None:
        found = await self._past(request, _custom_id(request), request.data_type.type)
        answer = custom_answer(request.data_type, found)
        self._handle_data_response(request.data_type, answer, request.id, request.start, request.end, request.params)

    async def _past(self, request: Any, of: InstrumentId, kind: type[Data]) -> list[Data]:
        """From the lake, in a thread: a day of a busy pool takes seconds."""
        instrument = await self._known(of)
        tape = (kind, self._lamports, request.limit)
        span = (request.start, request.end)
        return await asyncio.to_thread(
            past_data, self._session.settings, self._session.schedule(), instrument, tape, span
        )

    # ------------------------------------------------------------------------------------------ instruments

    async def _pool(self, of: InstrumentId) -> str:
        await self._known(of)
        return pool_of(of)

    async def _known(self, of: InstrumentId) -> CurrencyPair:
        """The instrument; one that was not loaded is read now and told before anything of it."""
        found: CurrencyPair | None = self._provider.find(of)
        if found is not None:
            return found
        (made,) = await self._provider.load_pools([pool_of(of)])
        self._handle_data(made)
        return made


def _state_data(update: MarketUpdate, known_ns: int, now: int, sequence: int) -> PumpSwapPoolState | None:
    if update.state is not None:
        return PumpSwapPoolState.of(update.state, ts_event=known_ns, ts_init=now, sequence=sequence)
    if update.obstacle:
        return PumpSwapPoolState.blocked(update.pool, update.obstacle, ts_init=now, sequence=sequence)
    return None


def _topics_of(command: Any) -> tuple[DataType, ...]:
    """The data types under which whoever has subscribed may be listening.

    A strategy that names the instrument beside a data type without metadata listens under the instrument alone, but the
    command tells it as metadata: both are told then, one of them to nobody.
    """
    data_type: DataType = command.data_type
    if getattr(command, "instrument_id", None) is None:
        return (data_type,)
    return data_type, DataType(data_type.type)


def _custom_id(command: Any) -> InstrumentId:
    """Which instrument a command about custom data means. Raises BadInput for another type, or for none named."""
    data_type: DataType = command.data_type
    if data_type.type not in _CUSTOM:
        known = " and ".join(kind.__name__ for kind in _CUSTOM)
        raise BadInput(f"PumpSwap has no data of the type {data_type.type.__name__}", hint=f"there is {known}")
    named = getattr(command, "instrument_id", None) or (data_type.metadata or {}).get("instrument_id")
    if named is None:
        raise BadInput(
            f"{data_type} names no instrument", hint="data_type_of(PumpSwapSwap, instrument_id) makes one that does"
        )
    return named if isinstance(named, InstrumentId) else InstrumentId.from_str(str(named))
