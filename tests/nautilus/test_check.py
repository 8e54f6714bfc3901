"""``pumpswap nautilus check`` and ``catalog`` where NautilusTrader is."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import nautilus_trader
import pytest
from click.testing import CliRunner

import pumpswap.nautilus as adapter
from pumpswap.app.checks import CheckStatus
from pumpswap.cli import pumpswap
from pumpswap.nautilus import check, compat, read_back
from pumpswap.nautilus.constants import register
from pumpswap.settings import Settings
from pumpswap.settings.chain import ChainSettings, EndpointSettings
from tests.support.market import at, graduate
from tests.support.snapshot_rows import CollectorFile


def answers(settings: Settings) -> dict[str, check.Check]:
    return {one.name: one for one in check.examine(settings)}


def test_everything_is_said() -> None:
    told = answers(Settings())
    assert [(one.name, one.status) for one in told.values()] == [
        ("nautilus_trader", CheckStatus.OK),
        ("precision", CheckStatus.OK),
        ("SOL", CheckStatus.OK),
        ("adapter", CheckStatus.OK),
        ("trader", CheckStatus.OK),
        ("chain", CheckStatus.WARNING),
    ]
    version = f"{nautilus_trader.__version__} on Python {platform.python_version()}"
    assert told["nautilus_trader"].text == version
    assert told["precision"].text == "prices have 15 decimals, sizes up to 16"
    assert told["trader"].text == "PUMPSWAP-001; bid and ask are for 0.1 SOL"


@pytest.mark.parametrize("version", [(1, 222, 0), (1, 230, 1), (1, 232, 0)])
def test_a_version_that_no_test_has_seen_is_a_warning(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "VERSION", version)
    told = answers(Settings())["nautilus_trader"]
    assert (told.status, told.text.endswith(": accepted, not tested")) == (CheckStatus.WARNING, True)
    assert "1.221 (Python 3.11) and 1.231" in told.hint


def test_a_chain_is_named() -> None:
    chain = ChainSettings(network="localnet", endpoints=(EndpointSettings(url="http://127.0.0.1:8899"),))
    assert answers(Settings(chain=chain))["chain"].text.startswith("localnet through 1 endpoints")


def test_another_sol_is_found_out() -> None:
    """Another venue's adapter may register its own."""
    from nautilus_trader.model.enums import CurrencyType
    from nautilus_trader.model.objects import Currency

    Currency.register(Currency("SOL", 8, 0, "Solana", CurrencyType.CRYPTO), overwrite=True)
    try:
        told = answers(Settings())["SOL"]
        assert (told.status, told.text) == (CheckStatus.FAILED, "is registered with 8 decimals")
    finally:
        register()


def test_every_public_name_loads_and_is_listed_once() -> None:
    assert adapter.__all__ == sorted(set(adapter.__all__))
    assert set(adapter.__all__) == set(adapter._HOME)
    for name in adapter.__all__:
        assert getattr(adapter, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        adapter.Nothing  # noqa: B018


def test_the_command_answers_scripts() -> None:
    result = CliRunner().invoke(pumpswap, ["--json", "nautilus", "check"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["healthy"], told["nautilus_trader"]) == (0, True, nautilus_trader.__version__)
    assert set(told["capabilities"]) == set(check.CAPABILITIES)


def test_a_catalog_is_written_once(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "gecko.db")
    prices = {"base_token_price_usd": "0.0000826", "quote_token_price_usd": "200"}
    file.add_state(graduate(), at(0), **prices)
    command = ["--json", "nautilus", "catalog", str(file.path), str(tmp_path / "catalog")]
    result = CliRunner().invoke(pumpswap, command)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["instruments"], told["updates"]) == (0, 1, 1)
    assert told["rows"] == {"PumpSwapPoolState": 1, "QuoteTick": 1}
    instruments, data = read_back(tmp_path / "catalog")
    assert (len(instruments), len(data)) == (1, 2)
    assert CliRunner().invoke(pumpswap, command).exit_code == 2
    missing = ["nautilus", "catalog", str(tmp_path / "nothing"), str(tmp_path / "other")]
    assert CliRunner().invoke(pumpswap, missing).exit_code == 3
