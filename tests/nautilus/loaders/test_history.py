"""The past of an instrument, out of the lake."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from nautilus_trader.core.data import Data
from nautilus_trader.core.datetime import unix_nanos_to_dt
from nautilus_trader.model.data import Bar, QuoteTick, TradeTick

from pumpswap.amm import PoolState, current_schedule
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.lake import Lake, LakeWriter
from pumpswap.market.lake.rows import PoolStateSeen
from pumpswap.model import Swap
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap
from pumpswap.nautilus.instruments import instrument_of
from pumpswap.nautilus.loaders.history import past_data
from pumpswap.settings import Settings
from pumpswap.settings.chain import ChainSettings
from pumpswap.settings.market import LakeSettings
from tests.support.market import SOL, at, graduate, moved

POOL = str(graduate().address)
PAIR = instrument_of(graduate(), current_schedule())


def lake(folder: Path, network: str = "solana") -> Settings:
    """Ten states and ten swaps of the pool, and some of another."""
    with LakeWriter(Lake(folder, network)) as writer:
        writer.add("states", [PoolStateSeen(at(second), state(second)) for second in range(10)])
        writer.add("states", [PoolStateSeen(at(1), graduate(2))])
        writer.add("swaps", [_swap(POOL, second) for second in range(10)])
        writer.add("swaps", [_swap(str(graduate(2).address), 3)])
    chain = ChainSettings() if network == "solana" else ChainSettings(network="localnet")
    return Settings(data_dir=folder, lake=LakeSettings(folder=folder), chain=chain)


def state(second: int) -> PoolState:
    return msgspec.structs.replace(moved(graduate(), second), slot=second + 9)


def _swap(pool: str, second: int) -> Swap:
    return Swap(pool, at(second + 0.5), True, 1_000_000 + second, 500, "t", f"{second}{pool}", 5, 0)


def past(
    settings: Settings, kind: type[Data], limit: int = 0, start: int | None = None, end: int | None = None
) -> list[Data]:
    since, until = (None if second is None else unix_nanos_to_dt(at(second)) for second in (start, end))
    return past_data(settings, current_schedule(), PAIR, (kind, SOL // 10, limit), (since, until))


@pytest.mark.parametrize("network", ["solana", "localnet"])
def test_quotes_and_trades_of_the_instrument_alone(tmp_path: Path, network: str) -> None:
    settings = lake(tmp_path, network)
    quotes, trades = past(settings, QuoteTick), past(settings, TradeTick)
    assert [one.ts_init for one in quotes] == [at(second) for second in range(10)]
    assert [one.ts_init for one in trades] == [at(second + 0.5) for second in range(10)]
    assert {one.instrument_id for one in [*quotes, *trades]} == {PAIR.id}


def test_custom_data_is_there_as_well(tmp_path: Path) -> None:
    settings = lake(tmp_path)
    states, swaps = past(settings, PumpSwapPoolState), past(settings, PumpSwapSwap)
    assert [one.pool_state() for one in states] == [state(second) for second in range(10)]
    assert [one.swap() for one in swaps] == [_swap(POOL, second) for second in range(10)]


def test_a_limit_keeps_the_newest_and_a_span_cuts(tmp_path: Path) -> None:
    settings = lake(tmp_path)
    assert [one.ts_init for one in past(settings, QuoteTick, limit=2)] == [at(8), at(9)]
    assert [one.ts_init for one in past(settings, QuoteTick, start=3, end=6)] == [at(3), at(4), at(5)]


def test_trades_are_told_also_where_no_state_was_recorded(tmp_path: Path) -> None:
    with LakeWriter(Lake(tmp_path)) as writer:
        writer.add("swaps", [_swap(POOL, 0)])
    settings = Settings(data_dir=tmp_path, lake=LakeSettings(folder=tmp_path))
    assert len(past(settings, TradeTick)) == 1
    assert past(settings, QuoteTick) == []


def test_without_a_lake_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no lake"):
        past(Settings(data_dir=tmp_path), QuoteTick)


def test_other_data_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no past Bar"):
        past(lake(tmp_path), Bar)
