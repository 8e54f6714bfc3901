"""The page about the adapter is true: its Python runs, its names and settings are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.live.config import TradingNodeConfig

from pumpswap import nautilus
from pumpswap.nautilus.config import PumpSwapExecClientConfig, PumpSwapInstrumentProviderConfig
from pumpswap.nautilus.constants import PRICE_PRECISION
from tests.nautilus.backtest.world import GOOD, frame_file
from tests.support.market import at, graduate
from tests.support.material import ROOT
from tests.support.snapshot_rows import CollectorFile

PAGE = (ROOT / "docs" / "nautilus.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CollectorFile.made(tmp_path / "gecko.db")
    for minute in range(3):
        prices = {"base_token_price_usd": "0.0000826", "quote_token_price_usd": "200"}
        file.add_state(graduate(), at(60 * minute), **prices)
    monkeypatch.chdir(tmp_path)
    frame = frame_file(tmp_path, [GOOD])
    Path("pumpswap.yaml").write_text(f"q50:\n  path: {frame}\n", encoding="utf-8")
    world: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE):
        exec(block, world)
    assert isinstance(world["config"], TradingNodeConfig)
    assert world["market"].quotes == 3
    assert world["written"].rows["QuoteTick"] == 3
    assert len(world["data"]) == len(world["market"].data)
    assert world["done"].module.quotes == 3
    assert world["module"].quotes == 3
    assert world["result"].iterations > 0


def test_names_of_the_text_block_are_public() -> None:
    (block,) = re.findall(r"^```text\n(node = .*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"\b(PUMPSWAP|PumpSwap\w+)\b", block))
    assert len(named) == 3
    assert named <= set(nautilus.__all__)


def test_the_table_of_fields_names_fields_that_there_are() -> None:
    table = PAGE.partition("| object | field | meaning |\n|---|---|---|\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", table, flags=re.MULTILINE))
    fields = {*PumpSwapExecClientConfig.__struct_fields__, *PumpSwapInstrumentProviderConfig.__struct_fields__}
    assert named == fields - {"routing", "filters", "filter_callable", "log_warnings", "use_gamma_markets"}


def test_the_precision_of_prices_is_that_of_the_page() -> None:
    assert f"SOL per whole token, {PRICE_PRECISION} decimals" in PAGE


def test_words_of_the_last_table_are_those_of_the_code() -> None:
    table = PAGE.partition("| you see | it means | do |\n|---|---|---|\n")[2]
    words = [found.replace("…", "") for found in re.findall(r"^\| `([^`]+)`", table, flags=re.MULTILINE)]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/pumpswap/nautilus").rglob("*.py"))
    assert len(words) >= 5
    for word in words:
        first = re.split(r"\s{2,}|\d", word)[0].strip()
        assert first in source, word
