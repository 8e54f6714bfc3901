"""A BacktestNode from configurations alone: catalog, module, our client, and the strategy of the Q50 frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from nautilus_trader.backtest.node import (
    BacktestDataConfig,
    BacktestEngineConfig,
    BacktestNode,
    BacktestRunConfig,
    BacktestVenueConfig,
)
from nautilus_trader.config import ImportableActorConfig, LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.trading.config import ImportableStrategyConfig

from pumpswap.clock import parse_utc
from pumpswap.errors import ConfigError, UsageError
from pumpswap.market.tape import open_recording
from pumpswap.nautilus.backtest.shared import claim, forget_shared, shared_of
from pumpswap.nautilus.backtest.venue import install_client
from pumpswap.nautilus.compat import exec_engine_config
from pumpswap.nautilus.constants import PUMPSWAP_VENUE, SOL
from pumpswap.nautilus.loaders.catalog import register_catalog, write_catalog
from pumpswap.nautilus.money import lamports_of
from pumpswap.nautilus.ticks import Tape
from pumpswap.portfolio.ledger import ledger_sha256
from pumpswap.settings import load_settings
from tests.market.export_folder import trade, write_csv
from tests.nautilus.backtest.world import GOOD, SHORT, frame_file, ours_recorded

START = "2025-09-16 10:00:00"


def tape_file(folder: Path, trades: int = 600) -> Path:
    """Ten minutes of trades, one a second, whose price rises and falls by a tenth."""
    rows = []
    for number in range(trades):
        tokens = 5_000_000 + 2_000 * (number % 240 if number % 480 < 240 else 240 - number % 240)
        wall = f"2025-09-16 10:{number // 60:02d}:{number % 60:02d}"
        rows.append(trade(wall, sol="2", token=str(tokens)))
    return write_csv(folder / "tape.csv", rows, rows[0])


def settings_file(folder: Path) -> Path:
    frame = frame_file(folder, [GOOD, SHORT, GOOD, SHORT], 150, start_ns=parse_utc(START))
    told: dict[str, Any] = {"data_dir": str(folder / "books"), "q50": {"path": str(frame), "warm_up_quotes": 5}}
    path = folder / "pumpswap.yaml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    return path


@pytest.fixture
def node(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    changes: dict[str, Any] = getattr(request, "param", {})
    source, settings_path = tape_file(tmp_path, 20 if changes else 600), settings_file(tmp_path)
    catalog = tmp_path / "catalog"
    write_catalog(source, catalog, Tape(10**8))
    register_catalog(catalog)
    chosen = load_settings(settings_path)
    told: dict[str, Any] = {
        "name": "PUMPSWAP",
        "oms_type": "NETTING",
        "account_type": "CASH",
        "starting_balances": [f"{chosen.paper.start_sol} SOL"],
        "frozen_account": True,
        "trade_execution": False,
        "bar_execution": False,
        "modules": [
            ImportableActorConfig(
                actor_path="pumpswap.nautilus.backtest.module:CurveModule",
                config_path="pumpswap.nautilus.config:CurveModuleConfig",
                config={"source": str(source), "settings_path": str(settings_path)},
            )
        ],
    }
    venue = BacktestVenueConfig(**{**told, **changes})
    data = [BacktestDataConfig(catalog_path=str(catalog), data_cls=kind) for kind in (QuoteTick, TradeTick)]
    strategy = ImportableStrategyConfig(
        strategy_path="pumpswap.nautilus.strategy:Q50PumpSwapStrategy",
        config_path="pumpswap.nautilus.config:Q50PumpSwapStrategyConfig",
        config={"settings_path": str(settings_path)},
    )
    engine = BacktestEngineConfig(
        exec_engine=exec_engine_config(), strategies=[strategy], logging=LoggingConfig(bypass_logging=True)
    )
    config = BacktestRunConfig(
        engine=engine, venues=[venue], data=data, dispose_on_completion=False, raise_exception=True
    )
    made = BacktestNode([config])
    yield made, config, source, settings_path
    made.dispose()
    forget_shared(str(source), str(settings_path))


def test_a_node_trades_the_frame_as_our_own_engine_does(node: Any) -> None:
    made, config, source, settings_path = node
    made.build()
    engine = made.get_engine(config.id)
    install_client(engine, str(source), str(settings_path))
    (result,) = made.run()
    curve = shared_of(str(source), str(settings_path)).curve
    assert result.total_orders == len(engine.cache.orders()) >= 2
    assert curve.summary is not None
    account = engine.cache.account_for_venue(PUMPSWAP_VENUE)
    assert lamports_of(account.balance_total(SOL)) == curve.wallet_lamports
    ours = ours_recorded(list(open_recording(source).updates()), load_settings(settings_path))
    assert len(curve.record.trades) >= 2
    assert ledger_sha256(curve.record.entries) == ledger_sha256(ours.entries)
    assert engine.cache.orders_open() == []


def test_two_runs_of_one_recording_have_a_curve_each(tmp_path: Path) -> None:
    source, settings_path = str(tape_file(tmp_path)), str(settings_file(tmp_path))
    first = [claim(source, settings_path, role) for role in ("module", "fee model", "fill model")]
    second = [claim(source, settings_path, role) for role in ("fill model", "module", "fee model")]
    assert len({id(one) for one in first}) == len({id(one) for one in second}) == 1
    assert first[0].curve is not second[0].curve
    assert shared_of(source, settings_path) is second[0]
    with pytest.raises(UsageError, match="for this engine"):
        shared_of(source, settings_path, msgbus=object())
    forget_shared(source, settings_path)
    with pytest.raises(UsageError, match="for this engine"):
        shared_of(source, settings_path)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"starting_balances": ["10 SOL"]}, "begins with 10000000000 lamports, the settings with 50000000000"),
        ({"frozen_account": False}, "frozen_account must be true"),
        ({"oms_type": "HEDGING"}, "oms_type must be NETTING"),
    ],
    indirect=["node"],
)
def test_a_venue_that_does_not_fit_is_refused_with_what_to_change(node: Any, said: str) -> None:
    made, config, source, settings_path = node
    made.build()

    def play() -> None:
        install_client(made.get_engine(config.id), str(source), str(settings_path))
        made.run()

    with pytest.raises(ConfigError, match=said):
        play()
