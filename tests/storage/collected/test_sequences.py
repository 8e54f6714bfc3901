"""Whatever is stored, in whatever order and however often: the tables hold what a plain model holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.storage.collected import CollectedMarket, open_collected
from tests.storage import stranger
from tests.storage.collected.worlds import AT, HOUR, candle, cycle, pool, rule, trade

POOLS = [f"{letter}{'1' * 40}" for letter in "ABCD"]
TABLES = (
    "trades",
    "ohlcv_data",
    "new_pools_history",
    "watchlist",
    "pools",
    "tokens",
    "dexes",
    "pumpswap_collect_pools",
)


@dataclass(frozen=True)
class Page:
    """Pools of one answer; ``later``: in the next round."""

    pools: tuple[int, ...]
    later: bool


@dataclass(frozen=True)
class Trades:
    pool: int
    numbers: tuple[int, ...]
    fetched: int


@dataclass(frozen=True)
class Candles:
    pool: int
    first: int
    count: int
    close: int


some = st.integers(0, 3)
steps = st.lists(
    st.one_of(
        st.builds(Page, st.lists(some, max_size=5).map(tuple), st.booleans()),
        st.builds(Trades, some, st.lists(st.integers(1, 6), max_size=8).map(tuple), st.integers(1, 3)),
        st.builds(Candles, some, st.integers(0, 8), st.integers(0, 6), st.integers(51, 79)),
    ),
    max_size=14,
)


@dataclass
class Model:
    """Sets and dictionaries."""

    round: int = 1
    pools: set[int] = field(default_factory=set)
    snapshots: set[tuple[int, int]] = field(default_factory=set)
    trades: dict[tuple[int, int], str] = field(default_factory=dict)
    candles: dict[tuple[int, int], int] = field(default_factory=dict)

    def page(self, page: Page) -> None:
        self.round += page.later
        self.pools |= {*page.pools}
        self.snapshots |= {(one, self.round) for one in page.pools}

    def trade(self, step: Trades) -> None:
        for number in step.numbers:
            self.trades.setdefault((step.pool, number), _trade(step, number).id)

    def candle(self, step: Candles) -> None:
        stored = [minute for one, minute in self.candles if one == step.pool]
        for minute in range(step.first, step.first + step.count):
            if minute not in stored or minute == max(stored):
                self.candles[step.pool, minute] = step.close


def _trade(step: Trades, number: int):  # type: ignore[no-untyped-def]
    return trade(step.pool * 10 + number, fetched=step.fetched)


@pytest.fixture(scope="module")
def shared(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CollectedMarket, str | Path]]:
    from tests.support.postgres import fresh_database

    target = tmp_path_factory.mktemp("sequences") / "collected.sqlite" if backend == "sqlite" else fresh_database()
    with open_collected(target, AT) as market:
        yield market, target


@settings(max_examples=40)
@given(steps)
def test_any_sequence_is_stored_as_the_model_says(
    shared: tuple[CollectedMarket, str | Path], steps: list[object]
) -> None:
    market, target = shared
    stranger.execute(target, *(f"DELETE FROM {table}" for table in TABLES))
    model = Model()
    for step in steps:
        _do(market, model, step)
    numbers = {f"solana_{address}": number for number, address in enumerate(POOLS)}

    def found(query: str) -> list[tuple[object, ...]]:
        return [(numbers[pool_id], *rest) for pool_id, *rest in stranger.query(target, query)]

    assert sorted(found("SELECT id FROM pools")) == sorted((one,) for one in model.pools)
    snapshots = found("SELECT pool_id, count(*) FROM new_pools_history GROUP BY pool_id")
    assert dict(snapshots) == {one: sum(pool == one for pool, _ in model.snapshots) for one in model.pools}  # type: ignore[arg-type]
    assert sorted(one for _, one in found("SELECT pool_id, id FROM trades")) == sorted(model.trades.values())  # type: ignore[type-var]
    candles = found("SELECT pool_id, timestamp, round(CAST(close_price AS NUMERIC) * 100000) FROM ohlcv_data")
    first = candle(0).start_seconds
    assert {(one, (int(start) - first) // 60): int(close) for one, start, close in candles} == model.candles  # type: ignore[call-overload]
    assert len(candles) == len(model.candles)


def _do(market: CollectedMarket, model: Model, step: object) -> None:
    match step:
        case Page():
            model.page(step)
            at_ns = AT + model.round * HOUR + len(model.snapshots)
            pools = [pool(POOLS[one], f"{POOLS[one][0]}mint", at_ns=at_ns) for one in step.pools]
            market.save_pools(pools, cycle(model.round, AT + model.round * HOUR), rule())
        case Trades() if step.pool in model.pools:
            model.trade(step)
            market.save_trades(f"solana_{POOLS[step.pool]}", [_trade(step, one) for one in step.numbers], AT, AT)
        case Candles() if step.pool in model.pools:
            model.candle(step)
            told = [candle(step.first + one, f"0.000{step.close}") for one in range(step.count)]
            market.save_candles(f"solana_{POOLS[step.pool]}", told, AT, None)
