"""Tables of our own, made like the host's; and what every collected database promises: once, whole, resumable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from pumpswap.errors import StorageError
from pumpswap.market.host_database import HostDatabase
from pumpswap.model.collected import Cycle
from pumpswap.signals import NewPoolsSignalAnalyzer
from pumpswap.storage import migrate, open_database
from pumpswap.storage.collected import CollectedMarket, open_collected
from pumpswap.storage.collected.cursors import Due
from pumpswap.storage.collected.own_tables import NAMES, own_tables
from pumpswap.storage.engines import make_engine
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.maintenance import Status, check
from tests.storage import stranger
from tests.storage.collected.worlds import AT, HOUR, POOL, by_history, candle, cycle, pool, rule, seen, trade
from tests.support.host_tables import create_shape
from tests.support.material import requires_material

POOL_ID = f"solana_{POOL}"
OTHER = "472TnbpaaWQoaAgovkXmLXuTD9pkH65Bbmgt7HjVtN6B"


@pytest.fixture
def market(target: str | Path) -> Iterator[CollectedMarket]:
    with open_collected(target, AT) as opened:
        yield opened


def query(target: str | Path, text: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in stranger.query(target, text)]


def columns_of(target: str | Path) -> dict[str, dict[str, Any]]:
    engine = make_engine(target)
    with engine.connect() as connection:
        inspector = inspect(connection)
        found = {name: {one["name"]: one for one in inspector.get_columns(name)} for name in NAMES}
    engine.dispose()
    return found


def test_the_tables_are_made_once_and_stay_ours(market: CollectedMarket, target: str | Path) -> None:
    assert market.place.is_own
    assert market.place.left_out == {}
    seen(market)
    with open_collected(target, AT + 1) as again:
        assert again.place.is_own
        assert again.counts("solana") == (1, 1)
    assert query(target, "SELECT count(*) FROM pools") == [(1,)]


@requires_material("host")
def test_they_have_every_column_of_the_host_s_start_up_shape(
    market: CollectedMarket, target: str | Path, other_target: str | Path, backend: str
) -> None:
    assert market.place.is_own
    url = f"sqlite:///{other_target}" if backend == "sqlite" else str(other_target)
    create_shape(url, "start-up")
    ours, hosts = columns_of(target), columns_of(other_target)
    for table, columns in hosts.items():
        assert set(columns) <= set(ours[table]), table
        for name, column in columns.items():
            mine = ours[table][name]
            assert type(mine["type"]) is type(column["type"]), (table, name)
            assert mine["nullable"] >= column["nullable"] or name == "collected_at", (table, name)
            assert (getattr(mine["type"], "length", None) or 0) >= (getattr(column["type"], "length", None) or 0)
            assert (getattr(mine["type"], "scale", None) or 0) >= (
                0 if table == "pools" else getattr(column["type"], "scale", None) or 0
            )


def test_no_digit_of_a_price_is_lost_on_a_server(market: CollectedMarket, target: str | Path, backend: str) -> None:
    seen(market)
    (row,) = query(target, "SELECT base_token_price_usd, base_token_price_native_currency FROM new_pools_history")
    wanted = (Decimal("0.00068690435344692077"), Decimal("0.00000631017685832871"))
    if backend == "sqlite":
        assert row == tuple(map(float, wanted))
    else:
        assert row == tuple(round(one, 18) for one in wanted)


def test_a_round_takes_one_snapshot_of_a_pool(market: CollectedMarket, target: str | Path) -> None:
    for at_ns in (AT, AT + 5_000_000_000):  # the pool has moved to the next page meanwhile
        market.save_pools([pool(at_ns=at_ns)], cycle(1), rule())
    market.save_pools([pool(at_ns=AT + HOUR)], cycle(2, AT + HOUR), rule())
    assert query(target, "SELECT count(*) FROM new_pools_history") == [(2,)]
    assert [one.at_ns for one in HostDatabase(target).snapshots()] == [AT, AT + HOUR]


def test_the_same_pool_twice_in_an_answer_is_one(market: CollectedMarket, target: str | Path) -> None:
    result = market.save_pools([pool(), pool(name="again")], cycle(), rule())
    assert (result.new, result.snapshots) == (1, 1)
    assert query(target, "SELECT name FROM pools") == [("Gary / SOL",)]


def test_the_score_is_made_of_a_day_of_history_newest_first(market: CollectedMarket) -> None:
    asked: list[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]] = []
    for number, hours in enumerate((0, 10, 20, 30), 1):
        at_ns = AT + hours * HOUR
        volume = Decimal(100 * number)
        market.save_pools([pool(at_ns=at_ns, volume_h24_usd=volume)], cycle(number, at_ns), by_history(asked))
        other = pool(OTHER, at_ns=at_ns, volume_h24_usd=None)
        market.save_pools([other], cycle(number, at_ns), by_history(asked))
    volumes = [[float(row["volume_usd_h24"]) for row in history] for _, history in asked]
    assert volumes == [[], [], [100], [0], [200, 100], [0, 0], [300, 200], [0, 0]]
    current, history = asked[-2]
    assert current["volume_usd_h24"] == Decimal(400)
    assert int(history[0]["transactions_h24_buys"]) == 9611


def test_the_history_read_back_gives_the_score_of_the_host(market: CollectedMarket, target: str | Path) -> None:
    asked: list[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]] = []
    for number in range(1, 4):
        at_ns = AT + number * HOUR
        volume = Decimal(number) * Decimal("1000.25")
        market.save_pools([pool(at_ns=at_ns, volume_h24_usd=volume)], cycle(number, at_ns), by_history(asked))
    current, history = asked[-1]
    ours = NewPoolsSignalAnalyzer().analyze_pool_signals(current, history)
    of_reader = HostDatabase(target).pool_history(POOL_ID, AT)[1:]
    theirs = NewPoolsSignalAnalyzer().analyze_pool_signals(current, of_reader)
    assert len(history) == len(of_reader) == 2
    assert ours == theirs
    assert ours.volume_trend == "spike"


def test_a_trade_is_stored_once_however_often_it_is_fetched(market: CollectedMarket, target: str | Path) -> None:
    seen(market)
    first = [trade(1, fetched=100), trade(2, fetched=100)]
    assert market.save_trades(POOL_ID, [*first, first[0]], AT, AT + HOUR)[0] == 2
    again = [trade(1, fetched=1_900_000_000), trade(2, fetched=1_900_000_000), trade(3, fetched=1_900_000_000)]
    assert market.save_trades(POOL_ID, again, AT, AT + HOUR)[0] == 1
    ids = {row[0] for row in query(target, "SELECT id FROM trades")}
    assert ids == {first[0].id, first[1].id, again[2].id}


def test_two_trades_of_one_transaction_are_two(market: CollectedMarket) -> None:
    seen(market)
    one = trade(1)
    other = trade(1, id=one.id.replace("_60_", "_61_"))
    assert market.save_trades(POOL_ID, [one, other], AT, AT)[0] == 2
    assert market.save_trades(POOL_ID, [other, one], AT, AT)[0] == 0


def test_a_trade_id_of_another_form_is_told_apart_by_what_it_did(market: CollectedMarket) -> None:
    seen(market)
    for expected, one in ((1, trade(1, id="a")), (0, trade(1, id="b")), (1, trade(1, id="c", is_buy=False))):
        assert market.save_trades(POOL_ID, [one], AT, AT)[0] == expected


def test_only_the_newest_candle_may_change(market: CollectedMarket, target: str | Path) -> None:
    seen(market)
    assert market.save_candles(POOL_ID, [candle(0), candle(1)], AT, None) == (2, 0, ())
    assert market.newest_candle(POOL_ID, "1m") == candle(1).start_seconds
    late = [candle(0, "0.00061"), candle(1, "0.00062"), candle(2)]
    assert market.save_candles(POOL_ID, late, AT, None) == (1, 1, ())
    assert market.save_candles(POOL_ID, late, AT, None) == (0, 0, ())
    closes = query(target, "SELECT close_price FROM ohlcv_data ORDER BY timestamp")
    assert [float(close) for (close,) in closes] == [0.0007, 0.00062, 0.0007]
    hour = candle(0, timeframe="1h")
    assert market.save_candles(POOL_ID, [hour, hour], AT, None) == (1, 0, ())


def test_what_is_due_comes_back_until_it_is_done(market: CollectedMarket) -> None:
    market.save_pools([pool()], cycle(), rule(80.0))
    market.save_pools([pool(OTHER)], cycle(), rule(10.0))

    def due(what: Due, hours: float) -> list[str]:
        return [one.address for one in market.due("solana", what, AT + round(hours * HOUR), 10)]

    assert due(Due.SNAPSHOT, 0.9) == []
    assert due(Due.SNAPSHOT, 1) == [POOL, OTHER] or due(Due.SNAPSHOT, 1) == [OTHER, POOL]
    assert due(Due.CANDLES, 0) == [POOL]  # the low score of the other is worth no candles
    market.save_candles(POOL_ID, [candle(0)], AT, AT + HOUR)
    assert due(Due.CANDLES, 0.9) == []
    market.postpone(POOL_ID, Due.TRADES, AT + 2 * HOUR, "the service is down")
    assert (due(Due.TRADES, 1), due(Due.TRADES, 2)) == ([], [POOL])
    assert [one.failures for one in market.due("solana", Due.TRADES, AT + 2 * HOUR, 10)] == [1]
    market.postpone(POOL_ID, Due.TRADES, None)
    assert due(Due.TRADES, 100) == []


def test_a_pool_is_followed_for_its_time_and_a_watched_one_for_ever(market: CollectedMarket) -> None:
    low = rule(10.0)
    for number, hours in enumerate((0, 23, 24), 1):
        at_ns = AT + hours * HOUR
        market.save_pools([pool(at_ns=at_ns), pool(OTHER, at_ns=at_ns)], cycle(number, at_ns), low)
        if hours == 0:
            market.watch("solana", OTHER, at_ns)
    due = market.due("solana", Due.SNAPSHOT, AT + 1_000 * HOUR, 10)
    assert [one.address for one in due] == [OTHER]
    assert market.counts("solana") == (2, 1)


def test_a_watched_pool_that_nobody_has_seen_is_due_at_once(market: CollectedMarket) -> None:
    market.watch("solana", POOL, AT)
    market.watch("solana", POOL, AT + 5)
    assert [one.pool_id for one in market.due("solana", Due.SNAPSHOT, AT, 10)] == [POOL_ID]
    assert market.due("solana", Due.TRADES, AT, 10) == []  # there is no pool yet to which they could belong
    market.save_pools([pool()], cycle(), rule(10.0))
    assert [one.pool_id for one in market.due("solana", Due.TRADES, AT, 10)] == [POOL_ID]


def test_the_watchlist_gets_the_mint_once(market: CollectedMarket, target: str | Path) -> None:
    results = [market.save_pools([pool()], cycle(number), rule(75.0)) for number in (1, 2)]
    assert [one.watched for one in results] == [1, 0]
    found = query(target, "SELECT pool_id, token_symbol, network_address FROM watchlist")
    assert found == [(POOL_ID, "Gary", pool().base.address)]  # type: ignore[union-attr]
    assert market.save_pools([pool(OTHER)], cycle(), rule(74.99)).watched == 0
    assert market.save_pools([pool("A" * 40)], cycle(), rule(99.0, watch_score=None)).watched == 0


def test_a_round_is_known_after_a_crash(market: CollectedMarket) -> None:
    assert market.cycle("solana") is None
    market.begin_cycle(cycle())
    market.save_pools([pool()], cycle(), rule(), next_page=2)
    assert market.cycle("solana") == Cycle("solana", 1, AT, 2)
    market.finish_cycle(Cycle("solana", 1, AT, 4), AT + 7, [])
    assert market.cycle("solana") == Cycle("solana", 1, AT, 4, AT + 7)
    assert market.cycle("base") is None


def test_a_pool_that_the_database_refuses_does_not_keep_the_others_out(
    market: CollectedMarket, target: str | Path, backend: str
) -> None:
    refuse = (
        f"CREATE TRIGGER no BEFORE INSERT ON pools WHEN NEW.address = '{OTHER}'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        if backend == "sqlite"
        else f"ALTER TABLE pools ADD CONSTRAINT no CHECK (address <> '{OTHER}')"
    )
    stranger.execute(target, refuse)
    result = market.save_pools([pool(), pool(OTHER)], cycle(), rule(), next_page=2)
    assert (result.new, [one.what for one in result.skipped]) == (1, [f"solana_{OTHER}"])
    assert market.cycle("solana") == Cycle("solana", 1, AT, 2)
    with pytest.raises(StorageError):
        market.save_pools([pool(OTHER)], cycle(2), rule())


def test_tables_of_somebody_else_without_pools_are_refused(target: str | Path) -> None:
    stranger.execute(target, "CREATE TABLE trades (id INTEGER PRIMARY KEY)")
    with pytest.raises(StorageError, match="there is a table trades, and no table pools"):
        open_collected(target, AT)
    assert stranger.tables(target) == {"trades"}


def test_it_lives_beside_books_and_can_be_attached_and_detached(target: str | Path, tmp_path: Path) -> None:
    with open_database(target) as database:
        database.start_run("test", 1, 7, {})
    with open_collected(target, AT) as market:
        seen(market)
    assert [finding.text for finding in check(target) if finding.status is Status.FAILED] == []
    attach(target, 1)
    with open_collected(target, AT) as market:
        assert market.place.is_own
        seen(market, pool(OTHER), number=2)
    detach(target, tmp_path / "export", 2)
    with open_collected(target, AT) as market:
        assert market.place.is_own
        assert query(target, "SELECT count(*) FROM new_pools_history") == [(2,)]
        assert market.counts("solana") == (0, 0)  # detach takes our own tables away: the schedule begins anew


def test_the_marker_is_not_needed_to_see_that_tables_are_gone(target: str | Path, backend: str) -> None:
    with open_collected(target, AT) as market:
        seen(market)
    stranger.execute(target, "DROP TABLE trades")
    with open_collected(target, AT) as market:
        assert market.has("trades")
        assert market.save_trades(POOL_ID, [trade()], AT, AT)[0] == 1
    assert set(own_tables("sqlite" if backend == "sqlite" else "postgresql").tables) == set(NAMES)
    engine = make_engine(target)
    assert migrate.current(engine) == migrate.HEAD
    engine.dispose()


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_a_file_that_is_there_keeps_its_journal_mode_however_it_is_named(tmp_path: Path, form: str) -> None:
    file = tmp_path / "theirs.sqlite"
    stranger.execute(file, "CREATE TABLE letters (text TEXT)")
    with open_collected(form.format(file), AT) as market:
        seen(market)
    assert stranger.query(file, "PRAGMA journal_mode") == [("delete",)]
