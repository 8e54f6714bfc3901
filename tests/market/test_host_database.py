"""HostDatabase on rows made by hand: what real hosts have got wrong, and databases that are no host's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from pumpswap.clock import NS_PER_SECOND, format_utc, parse_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.host_database import HostDatabase
from pumpswap.market.host_export import HostExport
from tests.market.export_folder import MINT, OTHER_POOL, POOL, WSOL, later, snapshot, trade, write_export
from tests.market.host_tables import (
    CANDLE_ROW,
    POOL_ROW,
    SNAPSHOT_ROW,
    WATCHED_ROW,
    candle,
    create,
    pool,
    seen,
    traded,
    write_host,
)
from tests.support.host_tables import insert_rows, run_script
from tests.support.postgres import fresh_database

AT = "2025-10-03 16:42:10"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite:///{tmp_path / 'host.db'}" if request.param == "sqlite" else fresh_database()


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'host.db'}"


# ---------------------------------------------------------------- pools


def test_a_pool_is_read_as_it_is_recorded(url: str) -> None:
    (found,) = HostDatabase(write_host(url, pools=[pool()])).pools()
    assert (found.pool_id, found.address, found.network) == (f"solana_{POOL}", POOL, "solana")
    assert (found.dex, found.name) == ("pumpswap", "CAT / SOL")
    assert (found.base_mint, found.quote_mint, found.obstacle) == (MINT, WSOL, "")
    assert found.reserve_usd == Decimal("50000.25")
    assert found.created_ns == parse_utc("2025-10-03 16:40:44")
    assert (found.stored_pair, found.pair_address) == (None, POOL)


def test_prefixed_addresses_and_mints_lose_their_network(url: str) -> None:
    prefixed = pool(address=f"solana_{POOL}", base_token_id=f"solana_{MINT}", quote_token_id=f"solana_{WSOL}")
    (found,) = HostDatabase(write_host(url, pools=[prefixed])).pools()
    assert (found.address, found.base_mint, found.quote_mint) == (POOL, MINT, WSOL)


def test_a_bare_id_is_a_solana_pool_and_its_rows_are_found_by_either_form(url: str) -> None:
    host = HostDatabase(
        write_host(url, pools=[pool(id=POOL)], new_pools_history=[seen(pool_id=POOL)], trades=[traded(AT)])
    )
    (found,) = host.pools()
    assert (found.pool_id, found.network) == (POOL, "solana")
    assert len(list(host.snapshots(f"solana_{POOL}"))) == len(list(host.snapshots(POOL))) == 1
    assert len(host.trades(POOL)) == len(host.trades(f"solana_{POOL}")) == 1
    assert host.trades(OTHER_POOL) == []


@pytest.mark.parametrize(
    ("told", "history", "watched", "mint", "obstacle"),
    [
        (MINT, OTHER_POOL, OTHER_POOL, MINT, ""),  # what the pool itself says goes first
        ("", MINT, OTHER_POOL, MINT, ""),
        ("", f"solana_{MINT}", "", MINT, ""),
        ("", "", MINT, MINT, ""),
        ("", "", "", None, "the mint of the pool is not known"),
        ("", "", POOL, None, "the mint of the pool is not known"),  # the automatic path writes the pool there
        ("", "", f"solana_{POOL}", None, "the mint of the pool is not known"),
        (POOL, "", "", None, "the mint of the pool is the pool's own address"),
        (WSOL, "", "", None, "the mint of the pool is wrapped SOL itself"),
        ("", "", "0x12", None, "'0x12' is no mint"),
    ],
)
def test_the_mint_comes_from_the_first_table_that_knows_one(
    file_url: str, told: str, history: str, watched: str, mint: str | None, obstacle: str
) -> None:
    write_host(
        file_url,
        pools=[pool(base_token_id=told)],
        new_pools_history=[seen(base_token_id=history)],
        watchlist=[WATCHED_ROW | {"network_address": watched}],
    )
    (found,) = HostDatabase(file_url).pools()
    assert (found.base_mint, found.obstacle) == (mint, obstacle)


def test_rows_that_disagree_on_a_mint_are_believed_by_nobody(file_url: str) -> None:
    rows = [seen(), seen(id="2", collected_at="2025-10-03 17:00:00+00", base_token_id=OTHER_POOL)]
    (found,) = HostDatabase(write_host(file_url, pools=[pool(base_token_id="")], new_pools_history=rows)).pools()
    assert found.base_mint is None
    assert found.obstacle.startswith("its rows disagree on the mint")


def test_an_id_that_names_another_pool_than_the_address_is_an_obstacle(file_url: str) -> None:
    (found,) = HostDatabase(write_host(file_url, pools=[pool(address=OTHER_POOL)])).pools()
    assert found.obstacle == f"its id names another pool than its address: {OTHER_POOL}"
    assert found.base_mint is None


def test_the_column_of_an_attached_database_names_the_pair(url: str) -> None:
    attached = POOL_ROW | {"pumpswap_pair_address": OTHER_POOL}
    other = attached | {"id": "solana_b", "address": "b", "dex_id": "pump-fun", "pumpswap_pair_address": ""}
    create(url, "pools", attached)
    insert_rows(url, "pools", [attached, other])
    found = {one.pool_id: one for one in HostDatabase(url).pools()}
    assert found[f"solana_{POOL}"].pair_address == OTHER_POOL
    assert found["solana_b"].pair_address is None


def test_pools_of_other_networks_keep_their_addresses(url: str) -> None:
    rows = [pool(id="ethereum_0xAb", address="0xAb", base_token_id="0x1"), pool(id="fun_ny", address="fun_ny")]
    found = {one.pool_id: one for one in HostDatabase(write_host(url, pools=rows)).pools()}
    assert (found["ethereum_0xAb"].network, found["ethereum_0xAb"].base_mint) == ("ethereum", "0x1")
    assert found["ethereum_0xAb"].pair_address is None
    assert found["fun_ny"].network == "solana"  # no known network in front of the line


# ---------------------------------------------------------------- snapshots


def test_the_stream_of_a_database_is_that_of_the_same_rows_in_files(url: str, tmp_path: Path) -> None:
    times = [AT, later(AT, 20)]
    trades = [trade(at, side) for at in times for side in ("buy", "sell")]
    write_host(url, new_pools_history=[seen()], trades=trades, ohlcv_data=[candle()])
    folder = write_export(
        tmp_path / "export",
        [snapshot(collected_at="2025-10-03 16:41:58.5Z", pool_created_at="2025-10-03 16:40:44Z")],
        [one | {"block_timestamp": one["block_timestamp"].removesuffix("-06")} for one in trades],
        [{key: CANDLE_ROW[key] for key in ("id", "pool_id", "timeframe", "timestamp", "open_price", "close_price")}],
    )
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET TimeZone = 'Etc/GMT+6'")  # type: ignore[call-overload]
    updates = list(HostDatabase(url).updates())
    assert updates == list(HostExport(folder).updates())
    assert [bool(update.snapshot) for update in updates] == [True, False, False, False, False, False]


def test_not_a_number_is_an_unknown_figure_and_a_huge_one_is_kept(url: str) -> None:
    rows = [seen(reserve_in_usd="NaN", base_token_price_usd="NaN", volume_usd_h24="123456789012345")]
    host = HostDatabase(write_host(url, new_pools_history=rows))
    (found,) = host.snapshots()
    assert (found.reserve_usd, found.base_price_usd) == (None, None)
    assert Decimal(str(found.metrics["volume_usd_h24"])) == 123_456_789_012_345
    (entry,) = host.pool_history(POOL, 0)
    assert entry["reserve_in_usd"] == 0
    (update,) = host.updates()
    assert (update.state, update.obstacle) == (None, "the pool has no reserve")


def test_exact_numbers_of_a_server_stay_exact(tmp_path: Path) -> None:
    figure = "12345678901234567890.1234567891"
    (found,) = HostDatabase(write_host(fresh_database(), new_pools_history=[seen(reserve_in_usd=figure)])).snapshots()
    assert found.reserve_usd == Decimal(figure)


@pytest.mark.parametrize("text", ["Infinity", "abc", "1e99", "0x10"])
def test_an_unreadable_number_is_named_with_table_id_and_column(url: str, text: str) -> None:
    create(url, "new_pools_history", SNAPSHOT_ROW, texts=True)
    insert_rows(url, "new_pools_history", [seen(), seen(id="77", reserve_in_usd=text)])
    with pytest.raises(BadInput, match=r"new_pools_history, id 77, reserve_in_usd: .* is no number") as caught:
        list(HostDatabase(url).updates())
    assert caught.value.hint


@pytest.mark.parametrize("text", ["yesterday", "1759509720", "infinity", "0044-03-15 12:00:00+00 BC"])
def test_an_unreadable_time_is_named(url: str, text: str) -> None:
    create(url, "new_pools_history", SNAPSHOT_ROW, texts=True)
    insert_rows(url, "new_pools_history", [seen(id="9", collected_at=text)])
    with pytest.raises(BadInput, match=r"new_pools_history, id 9, collected_at: .* is no complete time"):
        list(HostDatabase(url).snapshots())


def test_times_that_only_a_server_can_hold_are_named_as_well() -> None:
    url = write_host(fresh_database(), new_pools_history=[seen(id="9", collected_at="infinity")])
    with pytest.raises(BadInput, match="new_pools_history, id 9, collected_at: 'infinity' is no complete time"):
        list(HostDatabase(url).snapshots())


def test_a_row_without_its_time_is_skipped_and_counted(url: str) -> None:
    rows = [seen(), seen(id="2", collected_at="")]
    host = HostDatabase(write_host(url, new_pools_history=rows))
    assert host.recording().counts["skipped: its time is missing"] == 1
    assert [str(one) for one in host.skipped] == ["new_pools_history, id 2: its time is missing"]


def test_the_same_moment_twice_counts_once(url: str) -> None:
    host = HostDatabase(write_host(url, new_pools_history=[seen(), seen(id="2")]))
    assert len(list(host.snapshots())) == 1
    assert [one.reason for one in host.skipped] == ["this pool was already seen at this time"]
    assert len(list(host.snapshots())) == 1
    assert len(host.skipped) == 1  # of the latest reading, not of all


def test_times_without_a_zone_are_utc_unless_a_zone_is_named(url: str) -> None:
    write_host(url, zones=False, new_pools_history=[seen()])
    run_script(url, "UPDATE new_pools_history SET collected_at = '2025-07-03 10:41:58.500000'")
    (found,) = HostDatabase(url).snapshots()
    assert format_utc(found.at_ns) == "2025-07-03 10:41:58"
    (found,) = HostDatabase(url, zone="America/Denver").snapshots()
    assert format_utc(found.at_ns) == "2025-07-03 16:41:58"
    assert "read as UTC" in HostDatabase(url).recording().assumptions[-1]
    with pytest.raises(UsageError, match="no time zone"):
        HostDatabase(url, zone="Mars/Olympus")


def test_candles_whose_two_times_differ_raise_a_doubt_about_times_without_a_zone(url: str) -> None:
    write_host(url, zones=False, ohlcv_data=[candle(), candle(id="8", timestamp="1759509780")])
    told = HostDatabase(url).recording().assumptions[-1]
    assert told.startswith("Beware: 1 of 2 candles have a datetime that is not their Unix time")


def test_the_history_is_newest_first_since_the_cutoff_and_missing_figures_are_zero(url: str) -> None:
    rows = [seen(id=str(n), collected_at=f"2025-10-03 16:4{n}:00+00", transactions_h1_buys=str(n)) for n in (3, 1, 2)]
    host = HostDatabase(write_host(url, new_pools_history=[*rows, seen(id="9", pool_id="solana_other")]))
    history = host.pool_history(POOL, parse_utc("2025-10-03 16:42:00"))
    assert [entry["transactions_h1_buys"] for entry in history] == [3, 2]
    run_script(url, "UPDATE new_pools_history SET volume_usd_h24 = NULL, transactions_h24_buys = NULL")
    entry = host.pool_history(f"solana_{POOL}", 0)[0]
    assert (entry["volume_usd_h24"], entry["transactions_h24_buys"]) == (0, 0)


ENHANCED_ROW = {
    "id": "1",
    "pool_id": f"solana_{POOL}",
    "timestamp": "1759509718",
    "name": "CAT / SOL",
    "dex_id": "pumpswap",
    "base_token_id": MINT,
    "quote_token_id": WSOL,
    "open_price_usd": "0.0001",
    "high_price_usd": "0.00010010",
    "low_price_usd": "0.00009990",
    "close_price_usd": "0.0001",
    "reserve_in_usd": "50000",
    "volume_usd_h24": "1224",
    "signal_score": "99",
    "collected_at": "2025-10-03 16:41:58+00",
}


def test_of_the_enhanced_table_only_the_close_is_a_price(url: str) -> None:
    write_host(url)
    create(url, "new_pools_history_enhanced", ENHANCED_ROW)
    insert_rows(url, "new_pools_history_enhanced", [ENHANCED_ROW])
    (found,) = HostDatabase(url).snapshots(enhanced=True)
    assert found.base_price_usd == Decimal("0.0001")
    assert (found.base_price_quote, found.quote_price_usd) == (None, None)
    assert (found.reserve_usd, found.stored_score) == (50_000, 99)
    assert format_utc(found.at_ns) == "2025-10-03 16:41:58"
    assert set(found.metrics) == {"reserve_in_usd", "volume_usd_h24"}
    assert list(HostDatabase(url).snapshots()) == []
    insert_rows(url, "new_pools_history_enhanced", [ENHANCED_ROW | {"id": "2", "close_price_usd": ""}])
    run_script(url, "UPDATE new_pools_history_enhanced SET collected_at = NULL WHERE id = '2'")
    host = HostDatabase(url)
    assert len(list(host.snapshots(enhanced=True))) == 1
    assert [str(one) for one in host.skipped] == ["new_pools_history_enhanced, id 2: its time is missing"]


# ---------------------------------------------------------------- trades and candles


def test_the_price_of_a_trade_is_per_token_on_both_sides(file_url: str) -> None:
    trades = [trade(AT, "buy", sol="2", token="5000000"), trade(AT, "sell", sol="2", token="5000000")]
    bought, sold = HostDatabase(write_host(file_url, trades=trades)).trades(POOL)
    assert bought.token_usd == sold.token_usd == Decimal("0.0001")
    assert bought.sol_usd == sold.sol_usd == 250


def many_trades(count: int = 20) -> list[dict[str, str]]:
    return [trade(later(AT, second), ("buy", "sell")[second % 2], sol=f"2.{second:02d}") for second in range(count)]


@pytest.mark.parametrize("label", ["-06", "+00", "+05:30", "-09:30", "+14"])
def test_a_wrong_label_is_seen_through_when_the_fetches_prove_it(label: str) -> None:
    rows = [one | {"block_timestamp": one["block_timestamp"].removesuffix("-06") + label} for one in many_trades()]
    host = HostDatabase(write_host(fresh_database(), trades=rows))
    trades = host.trades(POOL)
    assert [trade.swap.at_ns for trade in trades] == [parse_utc(later(AT, second)) for second in range(20)]
    assert any("in this database" in one for one in host.recording().assumptions) == (label != "+00")


def test_too_few_trades_prove_nothing_and_are_refused() -> None:
    url = write_host(fresh_database(), trades=many_trades(19))
    with pytest.raises(BadInput, match="the table trades: 19 of 19 trades are not usable") as caught:
        HostDatabase(url).trades(POOL)
    assert "the wall clock of block_timestamp must be UTC" in caught.value.hint


def test_one_trade_in_another_zone_than_the_rest_is_skipped(url: str) -> None:
    rows = many_trades(30)
    rows[7] = rows[7] | {"block_timestamp": later(rows[7]["block_timestamp"][:19], -7_200) + "-06"}
    host = HostDatabase(write_host(url, trades=rows))
    assert len(host.trades(POOL)) == 29
    assert [one.reason.partition(":")[0] for one in host.skipped] == ["its time and the time of its fetch disagree"]


def test_without_times_of_fetches_a_labelled_time_is_refused_and_a_plain_one_is_utc() -> None:
    rows = [one | {"id": f"trade {number}"} for number, one in enumerate(many_trades())]
    url = write_host(fresh_database(), trades=rows)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET TimeZone = 'America/Denver'")  # type: ignore[call-overload]
    host = HostDatabase(url)
    assert host.trades(POOL) == []
    assert {one.reason.partition(":")[0] for one in host.skipped} == {"its time cannot be checked"}
    plain = HostDatabase(write_host(fresh_database(), zones=False, trades=rows))
    assert plain.trades(POOL)[0].swap.at_ns == parse_utc(AT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"block_timestamp": ""}, "its time is missing"),
        ({"block_number": ""}, "its block is missing"),
        ({"side": ""}, "side is neither buy nor sell"),
        ({"volume_usd": ""}, "an amount or a price is missing or not positive"),
        ({"price_usd": "NaN"}, "an amount or a price is missing or not positive"),
        ({"to_token_amount": "99999999999999999999"}, "an amount is less than one unit, or beyond 64 bits"),
    ],
)
def test_a_trade_that_cannot_be_used_is_skipped_with_its_reason(url: str, change: dict[str, str], reason: str) -> None:
    rows = [traded(later(AT, second), sol=f"2.{second}") for second in range(6)]
    rows[2] |= change
    host = HostDatabase(write_host(url, trades=rows))
    assert len(host.trades(POOL)) == 5
    (skipped,) = host.skipped
    assert skipped.reason.partition(":")[0] == reason
    assert skipped.place == f"id {rows[2]['id']}"
    assert host.recording().counts["skipped_rows"] == 1


def test_candles_that_cannot_be_used_are_skipped_and_an_unknown_length_is_refused(url: str) -> None:
    rows = [
        candle(),
        candle(id="2", timestamp="1759509780", high_price="0.00001"),
        candle(id="3", timestamp="1759509840", low_price="0"),
        candle(id="4", timestamp="1759513200", timeframe="1h"),
        candle(id="5", timestamp="1759509900", volume_usd=""),
    ]
    host = HostDatabase(write_host(url, ohlcv_data=rows))
    first, last = host.candles(POOL)
    assert (first.close_usd, first.volume_usd, last.volume_usd) == (Decimal("0.00012"), Decimal("17.5"), 0)
    assert first.known_ns == first.start_ns + 60 * NS_PER_SECOND
    assert [(one.place, one.reason) for one in host.skipped] == [
        ("id 2", "the candle's high or low is not its highest or lowest price"),
        ("id 3", "a price of the candle is missing or not positive"),
    ]
    assert [one.timeframe for one in host.candles(f"solana_{POOL}", "1h")] == ["1h"]
    with pytest.raises(UsageError, match="'2m' is no length of a candle"):
        host.candles(POOL, "2m")


# ---------------------------------------------------------------- shapes that nobody has seen


def test_extra_tables_and_columns_change_nothing(url: str) -> None:
    write_host(url, pools=[pool()], new_pools_history=[seen()], trades=[traded(AT)], ohlcv_data=[candle()])
    before = list(HostDatabase(url).updates()), list(HostDatabase(url).pools())
    for table in ("pools", "new_pools_history", "trades", "ohlcv_data"):
        run_script(url, f'ALTER TABLE {table} ADD COLUMN "rf score; --" TEXT')
    run_script(url, "CREATE TABLE stranger (id INTEGER)")
    assert (list(HostDatabase(url).updates()), list(HostDatabase(url).pools())) == before


def test_missing_tables_read_as_empty_and_are_told(url: str) -> None:
    host = HostDatabase(write_host(url, without=("trades", "ohlcv_data", "watchlist"), new_pools_history=[seen()]))
    assert len(list(host.updates())) == 1
    told = "The database has no table trades, ohlcv_data: nothing is known of these."
    assert host.recording().assumptions.count(told) == 1
    assert (host.trades(POOL), list(host.candles(POOL)), list(host.snapshots(enhanced=True))) == ([], [], [])
    only_pools = f"{url}_2" if url.startswith("sqlite") else fresh_database()
    host = HostDatabase(write_host(only_pools, without=("new_pools_history", "watchlist"), pools=[pool()]))
    assert [one.base_mint for one in host.pools()] == [MINT]
    assert list(host.snapshots()) == []


def test_columns_of_figures_may_be_missing(url: str) -> None:
    small = {key: SNAPSHOT_ROW[key] for key in ("id", "pool_id", "collected_at", "dex_id")}
    create(url, "new_pools_history", small)
    insert_rows(url, "new_pools_history", [small])
    (update,) = HostDatabase(url).updates()
    assert update.snapshot is not None
    assert (update.snapshot.metrics, update.snapshot.stored_score) == ({}, None)
    assert update.obstacle == "the mint of the pool is not known"


def test_an_empty_host_has_nothing_to_tell(url: str) -> None:
    host = HostDatabase(write_host(url))
    assert (list(host.pools()), list(host.snapshots()), list(host.updates())) == ([], [], [])
    assert host.recording().counts["skipped_rows"] == 0


READINGS: list[Callable[[HostDatabase], object]] = [
    lambda host: list(host.pools()),
    lambda host: list(host.snapshots()),
    lambda host: host.trades(POOL),
    lambda host: list(host.candles(POOL)),
    lambda host: host.recording(),
    lambda host: host.pool_history(POOL, 0),
]


@pytest.mark.parametrize("script", ["", "CREATE TABLE pools (id INTEGER, swimmers INTEGER)"])
def test_a_database_that_is_no_hosts_is_refused(url: str, script: str) -> None:
    run_script(url, script or "CREATE TABLE other (id INTEGER)")
    for read in READINGS:
        with pytest.raises(BadInput, match="is no database of a collector"):
            read(HostDatabase(url))


def test_a_table_of_that_name_which_is_another_one_is_named(url: str) -> None:
    write_host(url, without=("trades",), new_pools_history=[seen()])
    run_script(url, "CREATE TABLE trades (id INTEGER, symbol TEXT)")
    with pytest.raises(BadInput, match="the table trades has no column pool_id, from_token_amount"):
        HostDatabase(url).recording()


def test_what_is_not_there_is_not_created(tmp_path: Path) -> None:
    missing = tmp_path / "folder" / "host.db"
    with pytest.raises(NotFound, match="does not exist"):
        list(HostDatabase(missing).pools())
    assert list(tmp_path.iterdir()) == []
