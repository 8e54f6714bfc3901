"""The page about market data: its Python runs, and what it shows of drift and refusals is what the parser says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from pumpswap import errors
from pumpswap.errors import DataSourceError
from pumpswap.market.gecko.parse import parse_pools
from pumpswap.market.gecko.parse_candles import parse_candles
from tests.market.gecko.bodies import candles, pools
from tests.support.gecko_server import GeckoServer, changed
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "market-data.md"


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_its_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = snippets()
    with GeckoServer() as server:
        for name, value in (("GECKO_URL", server.gecko_url), ("DEXSCREENER_URL", server.url)):
            monkeypatch.setenv(f"PUMPSWAP_COLLECT__{name}", value)
        monkeypatch.setenv("PUMPSWAP_COLLECT__REQUESTS_PER_MINUTE", "100000")
        server.always("new_pools", changed(lambda told: told["data"][0]["attributes"].update(trending_score=1)))
        world: dict[str, Any] = {}
        exec(first, world)
        told = capsys.readouterr().out.splitlines()
        exec(second, world)
        asyncio.run(world["agreement"](server.world.pool_address(3)))
    assert len(told) == 21 and told[0].split()[:2] == [server.world.pool_address(59), server.world.dex(59)]
    assert 0 <= float(told[0].split()[2]) <= 100
    assert told[-1] == "new_pools: data[].attributes.trending_score is new (1 times)"
    assert capsys.readouterr().out.startswith("True\nprice in USD: they agree by 0.0")


def test_the_shown_refusals_are_what_the_parser_says() -> None:
    def edit(told: Any) -> None:
        told["data"][1]["attributes"]["reserve_in_usd"] = "a lot"

    text = PAGE.read_text(encoding="utf-8")
    assert str(parse_pools(pools(edit)).refused[0]) in text
    body = candles(lambda told: told["data"]["attributes"]["ohlcv_list"].__setitem__(3, [61, 1, 1, 1, 1, 1]))
    assert str(parse_candles(body, "1m").refused[0]) in text


def test_every_error_of_the_family_is_on_the_page() -> None:
    kinds = [
        name
        for name in errors.__all__
        if issubclass(kind := getattr(errors, name), DataSourceError) and kind is not DataSourceError
    ]
    text = PAGE.read_text(encoding="utf-8")
    assert len(kinds) == 4 and all(f"| `{name}` |" in text for name in kinds)


def test_the_shown_sample_has_the_rows_of_the_command() -> None:
    from pumpswap.cli import pool_new

    shown = PAGE.read_text(encoding="utf-8").split("graduated      C34UN")[1].split("```")[0]
    source = Path(pool_new.__file__).read_text(encoding="utf-8")
    rows = re.findall(r"^  (\w[\w ]*?)  +", shown, flags=re.MULTILINE)
    assert rows == ["coin", "made by", "opened with", "LP burned", "why"]
    assert all(f'("{row}", ' in source for row in rows)
