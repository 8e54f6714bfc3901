"""PumpSwap as a venue of a BacktestEngine, and a back-test from a recording to its checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.data import InstrumentStatus
from nautilus_trader.model.enums import AccountType, BookType, MarketStatusAction, OmsType
from nautilus_trader.model.identifiers import TraderId

from pumpswap.amm import schedule_at
from pumpswap.errors import ConfigError, PumpSwapError, UsageError
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.backtest.client import CurveExecClient
from pumpswap.nautilus.backtest.curve import Curve, open_curve
from pumpswap.nautilus.backtest.feed import CurveMarket, chronicle_market, chronicle_updates, recorded_market
from pumpswap.nautilus.backtest.module import CurveModule
from pumpswap.nautilus.backtest.shared import shared_of
from pumpswap.nautilus.compat import exec_engine_config, unconverted_quotes
from pumpswap.nautilus.config import CurveModuleConfig
from pumpswap.nautilus.constants import PUMPSWAP_VENUE
from pumpswap.nautilus.loaders.recording import RecordedMarket, load_market
from pumpswap.nautilus.money import sol
from pumpswap.nautilus.ticks import Tape
from pumpswap.research.backtest.spec import BacktestSpec
from pumpswap.research.chronicle.step import Chronicle, ScheduleFor
from pumpswap.settings import Settings

__all__ = [
    "CurveBacktest",
    "add_market",
    "add_pumpswap_venue",
    "backtest_config",
    "check_finished",
    "install_client",
    "run_on_chronicle",
    "run_on_curve",
]

MakeStrategies = Callable[[RecordedMarket], Sequence[Any]]

_SUBMITS = "1000/00:00:01"  # our gate has the limits of rates; Nautilus' must not be the narrower


@dataclass(frozen=True, slots=True)
class CurveBacktest:
    """A finished back-test: its engine (not disposed: ask it for reports), its curve, and what was put in."""

    engine: BacktestEngine
    curve: Curve
    module: CurveModule
    market: RecordedMarket


def backtest_config(settings: Settings, *, logging: LoggingConfig | None = None, **fields: Any) -> BacktestEngineConfig:
    """For an engine that trades PumpSwap: quote quantities reach us as they are, and Nautilus' limits are wide."""
    told: dict[str, Any] = {
        "trader_id": TraderId(settings.nautilus.trader_id),
        "logging": logging or LoggingConfig(bypass_logging=True),
        "exec_engine": exec_engine_config(),
        "risk_engine": RiskEngineConfig(max_order_submit_rate=_SUBMITS, max_order_modify_rate=_SUBMITS),
    }
    return BacktestEngineConfig(**{**told, **fields})


def add_pumpswap_venue(engine: BacktestEngine, curve: Curve) -> CurveModule:
    """Add the venue: a cash account in SOL that holds what the curve's wallet holds, and our execution client.

    Nautilus' log calls the account frozen: it does not compute it, we report it. Latency is that of ``paper`` in the
    settings; there is no other.
    """
    module = CurveModule(CurveModuleConfig(source=curve.location), curve)
    engine.add_venue(
        PUMPSWAP_VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [sol(curve.wallet_lamports)],
        base_currency=None,
        modules=[module],
        latency_model=None,
        book_type=BookType.L1_MBP,
        bar_execution=False,
        trade_execution=False,
        use_reduce_only=False,
        frozen_account=True,
    )
    _install(engine, module)
    return module


def install_client(engine: BacktestEngine, source: str, settings_path: str | None = None) -> CurveExecClient:
    """Our execution client for an engine that a ``BacktestNode`` has built, with a ``CurveModule`` of this source among
    the venue's modules and ``frozen_account: true``. Call it between ``node.build()`` and ``node.run()``.

    Raises UsageError when there is no such module.
    """
    module = shared_of(source, settings_path, msgbus=engine.kernel.msgbus).module
    return _install(engine, module)


def add_market(engine: BacktestEngine, market: RecordedMarket, tail_ns: int) -> None:
    """Instruments and data of a recording. Its pools are closed ``tail_ns`` after the end: nobody is quoted any more,
    but what is on its way lands before.
    """
    for instrument in market.instruments:
        engine.add_instrument(instrument)
    at_ns = market.last_ns + tail_ns
    closing = [
        InstrumentStatus(one.id, MarketStatusAction.CLOSE, at_ns, at_ns, reason="the recording ends")
        for one in market.instruments
    ]
    engine.add_data([*market.data, *closing], sort=True)


def check_finished(engine: BacktestEngine, market: RecordedMarket, module: CurveModule) -> None:
    """Raises PumpSwapError when the run ended before its data did, or left an order open: Nautilus logs what ends a
    back-test early, and returns as if nothing had been.
    """
    wanted = len(market.data) + len(market.instruments)
    if engine.iteration != wanted:
        raise PumpSwapError(
            f"the back-test has processed {engine.iteration} of {wanted} elements of data",
            hint="Nautilus' log says why it stopped; give LoggingConfig() to see it",
        )
    if module.quotes != market.quotes:
        raise PumpSwapError(
            f"{module.quotes} of {market.quotes} quotes moved the curve", hint="add all data of the market, once"
        )
    left = [order.client_order_id.value for order in (*engine.cache.orders_open(), *engine.cache.orders_inflight())]
    if left:
        raise PumpSwapError(f"orders are still open: {', '.join(left)}", hint="this is a bug of the adapter: report it")


def run_on_curve(
    source: str | Path | Sequence[MarketUpdate],
    settings: Settings,
    strategies: MakeStrategies,
    *,
    logging: LoggingConfig | None = None,
    schedule_for: ScheduleFor = schedule_at,
) -> CurveBacktest:
    """Back-test Nautilus ``strategies`` on a recording, or on market updates; the run is stored and checked.

    ``strategies`` makes them when the instruments are known. The market is held in memory. Raises what
    ``open_recording``, the strategies and ``check_finished`` raise, BadInput where there is nothing to replay.
    """
    if isinstance(source, str | Path):
        recording = open_recording(source)
        # Read once: the quotes and the curve are then made of the same updates, whatever happens to the files.
        location, told = recording.location, tuple(recording.updates())
    else:
        location, told = "updates", tuple(source)
    loaded = load_market(told, _tape(settings), location=location, schedule_for=schedule_for)
    market = recorded_market(told, settings, location=location, schedule_for=schedule_for)
    return _run(market, loaded, settings, strategies, logging)


def run_on_chronicle(
    spec: BacktestSpec,
    chronicle: Chronicle,
    settings: Settings,
    strategies: MakeStrategies,
    *,
    logging: LoggingConfig | None = None,
) -> CurveBacktest:
    """The back-test of ``spec`` with Nautilus ``strategies`` in place of ours: same history, impact, landing, chance.

    ``settings`` are those that the spec was made of. Quotes are of the history as it was; with impact the curve that
    fills goes its own way after our first trade.
    """
    tape, schedule_for = _tape(settings), chronicle.schedule_for
    loaded = load_market(chronicle_updates(chronicle), tape, location=chronicle.location, schedule_for=schedule_for)
    return _run(chronicle_market(spec, chronicle, settings, loaded.unquoted), loaded, settings, strategies, logging)


def _run(
    market: CurveMarket,
    loaded: RecordedMarket,
    settings: Settings,
    strategies: MakeStrategies,
    logging: LoggingConfig | None,
) -> CurveBacktest:
    with open_curve(market, settings) as curve:
        engine = BacktestEngine(backtest_config(settings, logging=logging))
        module = add_pumpswap_venue(engine, curve)
        add_market(engine, loaded, market.tail_ns)
        for strategy in strategies(loaded):
            engine.add_strategy(strategy)
        engine.run()
        check_finished(engine, loaded, module)
    return CurveBacktest(engine, curve, module, loaded)


def _check_venue(exchange: Any) -> None:
    """Raises ConfigError for a venue that cannot hold what our wallet holds; a BacktestNode's is its owner's."""
    wanted = {
        "account_type": (exchange.account_type, AccountType.CASH, "CASH"),
        "oms_type": (exchange.oms_type, OmsType.NETTING, "NETTING"),
        "base_currency": (exchange.base_currency, None, "empty"),
        "frozen_account": (exchange.is_frozen_account, True, "true: we report the account"),
    }
    wrong = [f"{name} must be {text}" for name, (found, needed, text) in wanted.items() if found != needed]
    if wrong:
        raise ConfigError(f"the venue {PUMPSWAP_VENUE} does not fit: {'; '.join(wrong)}", hint="see add_pumpswap_venue")


def _tape(settings: Settings) -> Tape:
    return Tape(settings.nautilus.lamports("quote_sol"))


def _install(engine: BacktestEngine, module: CurveModule) -> CurveExecClient:
    kernel, exchange = engine.kernel, module.exchange
    if exchange is None:
        raise UsageError("the module belongs to no venue yet", hint="call node.build() first")
    _check_venue(exchange)
    unconverted_quotes(kernel.exec_engine)
    kernel.exec_engine.deregister_client(exchange.exec_client)
    client = CurveExecClient(
        module.curve,
        exchange=exchange,
        msgbus=kernel.msgbus,
        cache=kernel.cache,
        clock=kernel.clock,
        claimed=kernel.exec_engine.get_external_order_claim,
    )
    exchange.register_client(client)
    kernel.exec_engine.register_client(client)
    module.client = client
    return client
