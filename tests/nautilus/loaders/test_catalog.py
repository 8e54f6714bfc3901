"""Recordings through Nautilus' catalog."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import CustomData, QuoteTick, TradeTick
from nautilus_trader.model.objects import Currency

from pumpswap.errors import BadInput, Conflict, NotFound
from pumpswap.model import MarketUpdate, Swap
from pumpswap.nautilus.instruments import currency_of
from pumpswap.nautilus.loaders import catalog as catalogs
from pumpswap.nautilus.loaders.catalog import TOKENS_FILE, read_back, register_catalog, write_catalog, write_updates
from pumpswap.nautilus.loaders.recording import load_market
from tests.nautilus.loaders.markets import TAPE, now, simulated
from tests.support.market import at, graduate, moved

POOL = str(graduate().address)


def told(one: Data) -> dict[str, Any]:
    bare = one.data if isinstance(one, CustomData) else one
    as_dict: dict[str, Any] = type(bare).to_dict(bare)
    return as_dict


def test_a_market_comes_back_from_the_catalog_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "_ROWS_AT_ONCE", 500)  # several files of each type
    told_done: list[int] = []
    written = write_updates(simulated(), tmp_path / "catalog", TAPE, schedule_for=now, tell=told_done.append)
    assert told_done == [*range(1_000, written.updates, 1_000), written.updates]
    market = load_market(simulated(), TAPE, schedule_for=now)
    instruments, data = read_back(tmp_path / "catalog")
    assert [told(one) for one in data] == [told(one) for one in market.data]
    assert {one.id: one.to_dict(one) for one in instruments} == {one.id: one.to_dict(one) for one in market.instruments}
    assert sum(written.rows.values()) == len(market.data)
    assert (written.instruments, written.updates) == (len(market.instruments), market.updates)
    assert (written.first_ns, written.last_ns) == (market.first_ns, market.last_ns)
    assert len(list((tmp_path / "catalog").rglob("quote_tick/**/*.parquet"))) > len(instruments)


def test_what_happened_at_one_moment_keeps_its_order_within_an_instrument(tmp_path: Path) -> None:
    """Block times have whole seconds: a busy pool has many trades at one moment."""
    updates = []
    for number in range(200):
        state = moved(graduate(), number % 40)
        swap = Swap(POOL, at(number // 50), number % 3 > 0, 1_000 + number, 500, "t", f"{number:088}", number, 0)
        updates.append(MarketUpdate(at(number // 50), POOL, state, swap=swap))
    write_updates(updates, tmp_path, TAPE)
    _, data = read_back(tmp_path)
    market = load_market(updates, TAPE)
    for kind in (QuoteTick, TradeTick):
        assert [told(one) for one in data if isinstance(one, kind)] == [
            told(one) for one in market.data if isinstance(one, kind)
        ]
    swaps = [one.data.swap() for one in data if isinstance(one, CustomData) and hasattr(one.data, "swap")]
    assert swaps == [one.swap for one in updates]


def test_a_status_comes_back_with_its_reason(tmp_path: Path) -> None:
    updates = [
        MarketUpdate(at(0), POOL, graduate()),
        MarketUpdate(at(1), POOL, obstacle="its liquidity was taken"),
        MarketUpdate(at(2), POOL, graduate()),
    ]
    written = write_updates(updates, tmp_path, TAPE)
    assert written.rows["InstrumentStatus"] == 2
    _, data = read_back(tmp_path)
    assert [told(one) for one in data] == [told(one) for one in load_market(updates, TAPE).data]


_FRESH = """
import json, sys
from pathlib import Path
from nautilus_trader.persistence.catalog import ParquetDataCatalog
def look(folder):
    pair = ParquetDataCatalog(folder).instruments()[0]
    print(json.dumps([pair.base_currency.precision, pair.quote_currency.precision, pair.info["base_decimals"]]))
first, second = sys.argv[1:]
look(first)
from pumpswap.nautilus import register_catalog
register_catalog(Path(second))
look(second)
"""


def test_a_fresh_process_must_register_the_tokens_first(tmp_path: Path) -> None:
    """What it reads without is Nautilus' own behaviour: when it changes, the list of tokens is no longer needed."""
    folders = [tmp_path / "not registered", tmp_path / "registered"]
    for number, folder in enumerate(folders, start=1):
        state = graduate(number, base_decimals=4, base_supply=10**13, base_reserve=10**12)
        write_updates([MarketUpdate(at(0), str(state.address), state)], folder, TAPE)
    run = subprocess.run([sys.executable, "-c", _FRESH, *map(str, folders)], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in run.stdout.splitlines()[-2:]] == [[8, 8, 4], [4, 9, 4]]


def test_registering_repairs_what_this_process_believed(tmp_path: Path) -> None:
    mint = str(graduate(3).pool.base_mint)
    write_updates([MarketUpdate(at(0), str(graduate(3).address), graduate(3))], tmp_path, TAPE)
    currency_of(mint, 8)
    assert register_catalog(tmp_path) == 1
    assert Currency.from_str(mint).precision == 6


def test_a_folder_with_a_catalog_is_not_written_into(tmp_path: Path) -> None:
    update = MarketUpdate(at(0), POOL, graduate())
    write_updates([update], tmp_path, TAPE)
    with pytest.raises(Conflict, match="holds a catalog already"):
        write_updates([update], tmp_path, TAPE)


def test_a_market_without_instruments_leaves_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not seen"):
        write_updates([MarketUpdate(at(0), POOL, obstacle="not seen")], tmp_path, TAPE)
    with pytest.raises(NotFound, match="no catalog of pumpswap"):
        register_catalog(tmp_path)
    with pytest.raises(NotFound):
        write_catalog(tmp_path / "nothing", tmp_path / "other", TAPE)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("text", "words"), [("{", "cannot be read"), ('{"version": 2, "source": "", "tokens": []}', "has version 2")]
)
def test_a_list_of_tokens_that_is_not_ours_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / TOKENS_FILE).write_text(text)
    with pytest.raises(BadInput, match=words):
        register_catalog(tmp_path)
