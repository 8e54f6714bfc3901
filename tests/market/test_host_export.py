"""A host export as a market: every trap of its snapshots, trades and candles."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND, format_utc, parse_utc
from pumpswap.errors import BadInput
from pumpswap.market.host_export import HostExport
from pumpswap.model import MarketUpdate
from tests.market.export_folder import (
    CANDLE,
    MINT,
    OTHER_POOL,
    POOL,
    SNAPSHOT,
    TIMES,
    WSOL,
    snapshot,
    trade,
    write_csv,
    write_export,
)

AT = "2025-10-03 16:42:10"  # twelve seconds after the snapshot


def replay(folder: Path) -> list[MarketUpdate]:
    return list(HostExport(folder).updates())


# ---------------------------------------------------------------- snapshots


def test_a_snapshot_carries_names_prices_raw_metrics_and_its_state(tmp_path: Path) -> None:
    (update,) = replay(write_export(tmp_path, [snapshot()]))
    seen = update.snapshot
    assert seen is not None
    assert update.at_ns == seen.at_ns == parse_utc("2025-10-03T16:41:58.5Z")
    assert (update.pool, seen.pool, seen.pool_id) == (POOL, POOL, f"solana_{POOL}")
    assert (seen.base_mint, seen.quote_mint, seen.dex, seen.name) == (MINT, WSOL, "pumpswap", "CAT / SOL")
    assert seen.base_price_quote == Decimal("4E-07")
    assert seen.reserve_usd == 50_000
    assert seen.stored_score == Decimal("18.7204")
    assert seen.metrics["volume_usd_h24"] == "1224.2406"
    assert update.state is not None
    assert update.state.quote_vault == 100 * 10**9
    assert update.obstacle == ""


def test_a_pool_of_another_exchange_carries_its_obstacle_and_no_state(tmp_path: Path) -> None:
    (update,) = replay(write_export(tmp_path, [snapshot(dex_id="meteora-dbc")]))
    assert update.snapshot is not None
    assert update.state is None
    assert update.obstacle == "traded on meteora-dbc, not on PumpSwap"


def test_prefixed_and_empty_token_ids_are_read(tmp_path: Path) -> None:
    rows = [snapshot(base_token_id=f"solana_{MINT}"), snapshot(collected_at="2025-10-04 10:00:00Z", base_token_id="")]
    first, second = replay(write_export(tmp_path, rows))
    assert first.snapshot is not None
    assert first.snapshot.base_mint == MINT
    assert second.obstacle == "the mint of the pool is not known"


@pytest.mark.parametrize("unknown", ["", "NaN"])
def test_a_null_and_the_nan_of_the_database_are_unknown_figures(tmp_path: Path, unknown: str) -> None:
    (update,) = replay(write_export(tmp_path, [snapshot(reserve_in_usd=unknown)]))
    assert update.snapshot is not None
    assert update.snapshot.reserve_usd is None
    assert update.obstacle == "the pool has no reserve"


def test_an_empty_metric_is_absent(tmp_path: Path) -> None:
    (update,) = replay(write_export(tmp_path, [snapshot(transactions_h1_buys="")]))
    assert update.snapshot is not None
    assert "transactions_h1_buys" not in update.snapshot.metrics


def test_a_time_without_its_date_comes_from_the_times_file_by_id(tmp_path: Path) -> None:
    (update,) = replay(write_export(tmp_path, [snapshot(collected_at="41:58.5")], times=[TIMES]))
    assert update.at_ns == parse_utc("2025-10-03T16:41:58.5Z")
    assert update.snapshot is not None
    assert update.snapshot.created_ns == parse_utc("2025-10-03T16:40:44Z")


def test_a_complete_time_is_used_even_when_the_times_file_knows_the_same_id(tmp_path: Path) -> None:
    times = [TIMES | {"collected_at_utc": "2020-01-01T00:00:00Z"}]
    (update,) = replay(write_export(tmp_path, [snapshot()], times=times))
    assert update.at_ns == parse_utc("2025-10-03T16:41:58.5Z")


def test_a_time_without_its_date_and_without_the_times_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"new_pools_history.csv, line 2, collected_at: '41:58.5'") as caught:
        HostExport(write_export(tmp_path, [snapshot(collected_at="41:58.5")]))
    assert "new_pools_collected_at.csv" in caught.value.hint


def test_a_row_whose_two_times_disagree_is_skipped_and_listed(tmp_path: Path) -> None:
    rows = [snapshot(collected_at="41:57.1"), snapshot(id="2", collected_at="41:58.5"), snapshot(id="9")]
    times = [TIMES, TIMES | {"id": "2", "collected_at_utc": "2025-10-03T18:41:58.5Z"}]
    export = HostExport(write_export(tmp_path, rows, times=times))
    assert export.counts["snapshots"] == 2
    assert export.counts["skipped_rows"] == 1
    assert export.counts["skipped: its two times disagree"] == 1
    (skipped,) = export.skipped
    assert (skipped.source, skipped.place) == ("new_pools_history.csv", "line 2")


def test_a_row_that_the_times_file_does_not_know_is_skipped_and_listed(tmp_path: Path) -> None:
    rows = [snapshot(id="2", collected_at="41:58.5")]
    export = HostExport(write_export(tmp_path, rows, times=[TIMES]))
    assert export.counts["skipped: its time is lost"] == 1
    assert list(export.updates()) == []


def test_the_same_pool_at_the_same_time_counts_once(tmp_path: Path) -> None:
    export = HostExport(write_export(tmp_path, [snapshot(), snapshot(id="2")]))
    assert export.counts["snapshots"] == 1
    assert export.counts["skipped: this pool was already seen at this time"] == 1


def test_another_file_of_snapshots_can_be_asked_for(tmp_path: Path) -> None:
    folder = write_export(tmp_path, [snapshot()])
    columns = {key: value for key, value in SNAPSHOT.items() if key != "signal_score"}
    write_csv(folder / "older.csv", [columns | {"collected_at": "2025-09-16T01:32:52.172855-06:00"}], columns)
    (update,) = HostExport(folder, snapshots="older.csv").updates()
    assert format_utc(update.at_ns) == "2025-09-16 07:32:52"
    assert update.snapshot is not None
    assert update.snapshot.stored_score is None


# ---------------------------------------------------------------- trades


def test_the_wall_clock_of_a_trade_is_utc_whatever_its_label_says(tmp_path: Path) -> None:
    _, update = replay(write_export(tmp_path, [snapshot()], [trade(AT)]))
    assert format_utc(update.at_ns) == AT


def test_a_trade_whose_fetch_time_disagrees_is_skipped_and_listed(tmp_path: Path) -> None:
    hours_late = trade(AT) | {"id": f"solana_1_tx_0_{parse_utc(AT) // NS_PER_SECOND + 6 * 3600}"}
    export = HostExport(write_export(tmp_path, [snapshot()], [hours_late, trade(AT), trade(AT, "sell")]))
    assert export.counts["trades"] == 2
    assert export.counts["skipped: its time and the time of its fetch disagree"] == 1


def test_an_export_whose_trades_mostly_disagree_with_their_fetch_times_is_refused(tmp_path: Path) -> None:
    moved = trade(AT) | {"block_timestamp": "2025-10-03 10:42:10-06"}  # correct as labelled: not this host's export
    with pytest.raises(BadInput, match=r"trades.csv: 1 of 1 trades are not usable"):
        HostExport(write_export(tmp_path, [snapshot()], [moved]))


def test_a_time_label_that_nothing_confirms_is_not_guessed_about(tmp_path: Path) -> None:
    unconfirmed = [trade(AT) | {"id": "a"}, trade(AT, "sell") | {"id": "b", "block_timestamp": f"{AT}+00"}]
    export = HostExport(write_export(tmp_path, [snapshot()], unconfirmed))
    assert export.counts["skipped: its time cannot be checked"] == 1
    assert export.counts["trades"] == 1


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_amounts_become_raw_units_of_the_right_side(tmp_path: Path, side: str) -> None:
    _, update = replay(write_export(tmp_path, [snapshot()], [trade(AT, side, sol="2.123456789", token="5000000.25")]))
    swap = update.swap
    assert swap is not None
    assert (swap.is_buy, swap.base_units, swap.quote_units) == (side == "buy", 5_000_000_250_000, 2_123_456_789)
    assert (swap.slot, swap.trader) == (370_896_831, "trader")


def test_a_trade_re_anchors_the_price_on_the_pools_own_curve(tmp_path: Path) -> None:
    seen, update = replay(write_export(tmp_path, [snapshot()], [trade(AT, sol="2", token="4000000")]))
    before, after = seen.state, update.state
    assert before is not None
    assert after is not None
    assert update.swap is not None
    assert float(after.spot_price) == pytest.approx(2 * 10**9 / (4_000_000 * 10**6))
    product = after.base_reserve * after.quote_vault
    assert 0 <= before.base_reserve * before.quote_vault - product < after.quote_vault
    assert after.slot == 370_896_831


def test_a_price_usd_that_is_not_that_of_the_token_paid_is_skipped_and_listed(tmp_path: Path) -> None:
    wrong = trade(AT, sol="3", price_usd="0.0001")  # the token's price on a buy
    export = HostExport(write_export(tmp_path, [snapshot()], [wrong, trade(AT), trade(AT, "sell")]))
    assert export.counts["trades"] == 2
    assert export.counts["skipped: price_usd is not the price of the token paid"] == 1


def test_a_cheap_tokens_price_may_be_off_by_its_last_digit(tmp_path: Path) -> None:
    cheap = trade(AT, "sell", sol="1", token="17000000000")  # 1.47e-8 USD, stored as 1e-8
    assert cheap["price_usd"] == "0.00000001"
    assert HostExport(write_export(tmp_path, [snapshot()], [cheap])).counts["trades"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": "swap"}, "side is neither buy nor sell"),
        ({"from_token_amount": "0.0000000000"}, "an amount or a price is missing or not positive"),
        ({"price_usd": ""}, "an amount or a price is missing or not positive"),
        ({"to_token_amount": "0.0000001"}, "an amount is less than one unit, or beyond 64 bits"),
    ],
)
def test_an_unusable_trade_is_skipped_and_listed(tmp_path: Path, changes: dict[str, str], reason: str) -> None:
    export = HostExport(write_export(tmp_path, [snapshot()], [trade(AT) | changes]))
    assert export.counts["trades"] == 0
    assert export.counts[f"skipped: {reason}"] == 1


def test_a_trade_that_was_fetched_twice_counts_once(tmp_path: Path) -> None:
    again = trade(AT)
    again["id"] = again["id"].replace("_41_", "_12_")
    export = HostExport(write_export(tmp_path, [snapshot()], [trade(AT), again]))
    assert export.counts["trades"] == 1
    assert export.counts["skipped: the same trade again"] == 1


def test_digits_beyond_a_unit_are_cut_and_counted(tmp_path: Path) -> None:
    export = HostExport(write_export(tmp_path, [snapshot()], [trade(AT, token="5000000.0000019")]))
    _, update = export.updates()
    assert update.swap is not None
    assert update.swap.base_units == 5_000_000_000_001
    assert export.counts["amounts_cut"] == 1


def test_a_trade_before_the_first_snapshot_carries_no_state(tmp_path: Path) -> None:
    early, seen = replay(write_export(tmp_path, [snapshot()], [trade("2025-10-03 16:41:50")]))
    assert early.swap is not None
    assert early.state is None
    assert "no snapshot of this pool" in early.obstacle
    assert seen.state is not None


def test_a_trade_of_a_pool_that_cannot_be_rebuilt_repeats_the_obstacle(tmp_path: Path) -> None:
    _, update = replay(write_export(tmp_path, [snapshot(dex_id="heaven")], [trade(AT)]))
    assert update.state is None
    assert update.obstacle == "traded on heaven, not on PumpSwap"


def test_a_later_snapshot_without_a_reserve_ends_what_was_known_of_the_pool(tmp_path: Path) -> None:
    gone = snapshot(id="2", collected_at="2025-10-03 16:42:00Z", reserve_in_usd="0")
    *_, update = replay(write_export(tmp_path, [snapshot(), gone], [trade(AT)]))
    assert update.state is None
    assert update.obstacle == "the pool has no reserve"


# ---------------------------------------------------------------- candles


def test_a_candle_is_known_at_the_end_of_its_minute(tmp_path: Path) -> None:
    _, update = replay(write_export(tmp_path, [snapshot()], candles=[CANDLE]))
    assert format_utc(update.at_ns) == "2025-10-03 16:43:00"
    assert update.swap is None
    assert update.snapshot is None


def test_a_candles_close_becomes_sol_at_the_snapshots_price(tmp_path: Path) -> None:
    _, update = replay(write_export(tmp_path, [snapshot()], candles=[CANDLE]))
    assert update.state is not None
    expected = Fraction("0.00012") / 250 * 1_000
    assert abs(update.state.spot_price / expected - 1) < Fraction(1, 10**9)


def test_longer_candles_and_repeated_ones_are_left_out_and_counted(tmp_path: Path) -> None:
    candles = [CANDLE, CANDLE, CANDLE | {"timeframe": "1h"}, CANDLE | {"timestamp": "1759509780", "close_price": "0"}]
    export = HostExport(write_export(tmp_path, [snapshot()], candles=candles))
    assert export.counts["candles"] == 1
    assert export.counts["candles_of_other_timeframes"] == 1
    assert export.counts["skipped: the candle of this minute occurs twice"] == 1
    assert export.counts["skipped: the candle has no closing price"] == 1


def test_a_candle_of_an_unseen_pool_carries_no_state(tmp_path: Path) -> None:
    folder = write_export(tmp_path, [snapshot()], candles=[CANDLE | {"pool_id": f"solana_{OTHER_POOL}"}])
    update = replay(folder)[-1]
    assert (update.pool, update.state) == (OTHER_POOL, None)
    assert "no snapshot of this pool" in update.obstacle


def test_a_price_that_empties_the_pool_moves_nothing(tmp_path: Path) -> None:
    candles = [CANDLE | {"close_price": "1E-30"}, CANDLE | {"timestamp": "1759509780"}]
    _, emptied, usual = replay(write_export(tmp_path, [snapshot()], candles=candles))
    assert (emptied.state, emptied.obstacle) == (None, "at this price the pool would be empty")
    assert usual.state is not None


# ---------------------------------------------------------------- order


def test_at_the_same_moment_a_candle_comes_before_a_snapshot_and_a_snapshot_before_trades(tmp_path: Path) -> None:
    rows = [snapshot(), snapshot(id="2", collected_at="2025-10-03 16:43:00Z")]
    updates = replay(write_export(tmp_path, rows, [trade("2025-10-03 16:43:00")], [CANDLE]))
    assert [(u.snapshot is not None, u.swap is not None) for u in updates] == [
        (True, False),
        (False, False),
        (True, False),
        (False, True),
    ]
    assert len({u.at_ns for u in updates[1:]}) == 1


def test_within_a_block_buys_rise_and_then_sells_fall(tmp_path: Path) -> None:
    sols = ("2", "2.2", "2.1")
    trades = [trade(AT, side, sol=sol) for side in ("sell", "buy") for sol in sols]
    swaps = [u.swap for u in replay(write_export(tmp_path, [snapshot()], trades)) if u.swap]
    shown = [(swap.is_buy, swap.quote_units / 10**9) for swap in swaps]
    assert shown == [(True, 2.0), (True, 2.1), (True, 2.2), (False, 2.2), (False, 2.1), (False, 2.0)]


MOMENTS = st.integers(0, 240).map(lambda second: f"2025-10-03 16:{42 + second // 60}:{second % 60:02d}")


@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["buy", "sell"])), max_size=12), st.randoms(use_true_random=False))
def test_updates_are_in_time_order_and_do_not_depend_on_the_order_of_the_rows(
    moments: list[tuple[str, str]], random: object
) -> None:
    trades = [trade(wall, side, sol=str(2 + at)) for at, (wall, side) in enumerate(moments)]
    candles = [CANDLE | {"timestamp": str(1_759_509_720 + 60 * minute)} for minute in range(4)]
    rows = [snapshot(), snapshot(id="2", collected_at="2025-10-03 16:43:00Z")]
    with tempfile.TemporaryDirectory() as folder:
        sorted_rows = replay(write_export(Path(folder, "a"), rows, trades, candles))
        for listed in (rows, trades, candles):
            random.shuffle(listed)  # type: ignore[attr-defined]
        export = HostExport(write_export(Path(folder, "b"), rows, trades, candles))
        shuffled = list(export.updates())
        assert list(export.updates()) == shuffled
    assert shuffled == sorted_rows
    assert len(shuffled) == len(rows) + len(trades) + len(candles)
    times = [update.at_ns for update in shuffled]
    assert times == sorted(times)
