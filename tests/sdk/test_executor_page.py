"""The page on the executor: its snippets run."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import pumpswap
from pumpswap.errors import KeyLocked
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from pumpswap.sdk.executor.answers_table import Retry
from tests.sdk.executor_world import Market, signal
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "executor.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def functions(snippet: str, market: Market, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of a snippet; the pools are those of a small market, since there is no chain here."""

    class OnOurMarket(PumpSwapTradingExecutor):
        def __init__(self, config: Any = None, **more: Any) -> None:
            super().__init__(config, states=market, clock=market.clock, **more)

    monkeypatch.setattr(pumpswap, "PumpSwapTradingExecutor", OnOurMarket)
    world: dict[str, Any] = {"config": {"data_dir": str(market.folder), "pumpswap": {"max_position_size": 0.5}}}
    exec(compile(snippet, "docs/executor.md", "exec"), world)
    return world


def test_the_first_snippet_trades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market(tmp_path)
    trade = functions(SNIPPETS[0], market, monkeypatch)["trade"]
    result = asyncio.run(trade(signal()))
    assert result["status"] == "executed"
    assert len(list(market.run().trades())) == 1


def test_the_live_snippet_wants_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trade_live = functions(SNIPPETS[1], Market(tmp_path), monkeypatch)["trade_live"]
    with pytest.raises(KeyLocked):
        asyncio.run(trade_live(signal(), None))


def test_the_page_tells_every_word_of_the_retry_column_and_every_public_call() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {retry.value} |" in text for retry in Retry)
    calls = [name for name in vars(PumpSwapTradingExecutor) if not name.startswith("_")]
    internal = {
        "open",
        "close",
        "room",
        "drop_room",
        "room_now",
        "current_room",
        "known_state",
        "is_live",
        "books_kind",
    }
    assert all(f"{name}(" in text for name in set(calls) - internal)
    assert "error" in ExecutionResult.__annotations__
