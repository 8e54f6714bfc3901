"""Configuration in Nautilus' shape."""

from __future__ import annotations

import msgspec
import pytest
from nautilus_trader.live.node import TradingNode

from pumpswap.nautilus import (
    PUMPSWAP,
    CurveModuleConfig,
    PumpSwapDataClientConfig,
    PumpSwapExecClientConfig,
    PumpSwapInstrumentProviderConfig,
    Q50PumpSwapStrategyConfig,
    instrument_id,
    node_config,
)
from pumpswap.settings import Settings
from pumpswap.settings.nautilus import NautilusSettings
from tests.support.market import graduate

OF = instrument_id(str(graduate().address))


@pytest.mark.parametrize(
    "kind",
    [
        PumpSwapDataClientConfig,
        PumpSwapExecClientConfig,
        PumpSwapInstrumentProviderConfig,
        Q50PumpSwapStrategyConfig,
        CurveModuleConfig,
    ],
)
def test_an_unknown_field_is_refused_in_both_versions(kind: type) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        kind.parse(b'{"source": "x", "passwrod": 1}' if kind is CurveModuleConfig else b'{"passwrod": 1}')


@pytest.mark.parametrize(
    "config",
    [
        PumpSwapExecClientConfig(mode="live", key="main", settings_path="pumpswap.yaml"),
        PumpSwapDataClientConfig(
            instrument_provider=PumpSwapInstrumentProviderConfig(pools=frozenset({"a"}), discover=True)
        ),
        Q50PumpSwapStrategyConfig(instrument_ids=(OF,)),
        CurveModuleConfig(source="export"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_configuration_can_be_written_and_read(config: object) -> None:
    assert type(config).parse(config.json()) == config  # type: ignore[attr-defined]


def test_providers_that_load_something_else_are_not_equal() -> None:
    one = PumpSwapInstrumentProviderConfig(mints=frozenset({"a"}))
    assert one == PumpSwapInstrumentProviderConfig(mints=frozenset({"a"}))
    assert one != PumpSwapInstrumentProviderConfig(pools=frozenset({"a"}))
    assert len({one, PumpSwapInstrumentProviderConfig()}) == 2


def test_the_strategy_claims_what_it_trades_under_a_stable_name() -> None:
    config = Q50PumpSwapStrategyConfig(instrument_ids=(OF,))
    assert config.external_order_claims == [OF]
    assert (config.strategy_id, config.order_id_tag) == ("Q50", "001")
    assert Q50PumpSwapStrategyConfig(instrument_ids=(OF,), external_order_claims=[]).external_order_claims == []


def test_a_node_trades_pumpswap_alone_and_paper_by_default() -> None:
    config = node_config(Settings())
    assert list(config.data_clients) == list(config.exec_clients) == [PUMPSWAP]
    assert config.exec_clients[PUMPSWAP].mode == config.data_clients[PUMPSWAP].mode == "paper"
    assert config.trader_id.value == "PUMPSWAP-001"
    assert config.exec_engine.generate_missing_orders is False
    assert config.exec_engine.open_check_open_only is True
    assert min(config.timeout_connection, config.timeout_reconciliation) >= 120


def test_a_node_takes_its_clients_and_settings_from_ours() -> None:
    settings = Settings(nautilus=NautilusSettings(trader_id="DESK-7", start_seconds=60, open_check_seconds=3))
    client = PumpSwapExecClientConfig(
        mode="live", key="main", instrument_provider=PumpSwapInstrumentProviderConfig(mints=frozenset({"m"}))
    )
    config = node_config(settings, client, inflight_check_retries=1)
    data = config.data_clients[PUMPSWAP]
    assert (data.mode, data.key, data.instrument_provider) == ("live", "main", client.instrument_provider)
    assert (config.trader_id.value, config.timeout_connection) == ("DESK-7", 60.0)
    assert (config.exec_engine.open_check_interval_secs, config.exec_engine.inflight_check_retries) == (3.0, 1)


def test_no_configuration_has_room_for_a_secret() -> None:
    for kind in (PumpSwapDataClientConfig, PumpSwapExecClientConfig, Q50PumpSwapStrategyConfig):
        words = ("password", "secret", "seed", "private", "token")
        assert not [name for name in kind.__struct_fields__ if any(word in name for word in words)]


@pytest.mark.parametrize("text", ["PUMPSWAP", "", "a b-1", "-001"])
def test_a_trader_id_that_nautilus_would_refuse_is_refused_in_the_settings(text: str) -> None:
    with pytest.raises(ValueError):
        NautilusSettings(trader_id=text)


def test_a_node_takes_the_configuration() -> None:
    assert TradingNode is not None
    assert node_config(Settings()).json()
