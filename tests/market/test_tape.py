"""The tape of one pool: inferred states, rolling snapshots, and how a recording is told from other files."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from pumpswap.amm import FeeFamily
from pumpswap.clock import NS_PER_SECOND, format_utc, parse_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.host_export import HostExport
from pumpswap.market.tape import GRADUATION_BASE, GRADUATION_QUOTE, TradeTape, open_recording
from pumpswap.model import MarketUpdate, PoolSnapshot, Side
from pumpswap.signals import BaseScoreSignaller
from tests.market.export_folder import MINT, OTHER_POOL, POOL, WSOL, snapshot, trade, write_csv, write_export
from tests.support.material import material, requires_material

START = "2025-09-16 10:00:30"


def write_tape(folder: Path, trades: list[dict[str, str]]) -> Path:
    return write_csv(folder / "tape.csv", trades, trade(START))


def updates_of(folder: Path, trades: list[dict[str, str]]) -> list[MarketUpdate]:
    return list(TradeTape(write_tape(folder, trades)).updates())


def snapshots_of(folder: Path, trades: list[dict[str, str]]) -> list[PoolSnapshot]:
    return [update.snapshot for update in updates_of(folder, trades) if update.snapshot]


def test_every_trade_anchors_the_graduation_curve_at_its_price(tmp_path: Path) -> None:
    product = GRADUATION_BASE * GRADUATION_QUOTE
    trades = [trade(START, sol="2", token="1000000"), trade("2025-09-16 10:00:40", "sell", sol="3", token="2000000")]
    states = [update.state for update in updates_of(tmp_path, trades) if update.swap]
    for state, price in zip(states, (Fraction(2, 1_000), Fraction(3, 2_000)), strict=True):
        assert state is not None
        assert abs(state.spot_price / price - 1) < Fraction(1, 10**9)
        assert 0 <= product - state.base_reserve * state.quote_vault < 3 * state.quote_vault


def test_a_snapshot_follows_every_full_minute_and_carries_no_state(tmp_path: Path) -> None:
    trades = [trade(START), trade("2025-09-16 10:02:00"), trade("2025-09-16 10:02:01")]
    updates = updates_of(tmp_path, trades)
    assert [(format_utc(u.at_ns)[-8:], u.snapshot is not None) for u in updates] == [
        ("10:00:30", False),
        ("10:01:00", True),
        ("10:02:00", True),  # about what came before it, so it comes before the trade of its own moment
        ("10:02:00", False),
        ("10:02:01", False),
        ("10:03:00", True),
    ]
    assert all((update.state is None) == (update.snapshot is not None) for update in updates)
    assert all(not update.obstacle for update in updates)


def test_volume_and_counts_roll_over_an_hour_and_a_day(tmp_path: Path) -> None:
    trades = [
        trade("2025-09-16 10:00:00", sol="4"),
        trade("2025-09-16 11:00:00", "sell", sol="6"),
        trade("2025-09-17 10:00:00", sol="8"),
        trade("2025-09-17 10:00:30", sol="2"),
    ]
    by_time = {format_utc(one.at_ns): one.metrics for one in snapshots_of(tmp_path, trades)}

    def figures(at: str) -> tuple[object, ...]:
        metrics = by_time[at]
        hour = metrics["transactions_h1_buys"], metrics["transactions_h1_sells"]
        day = metrics["transactions_h24_buys"], metrics["transactions_h24_sells"]
        return (*hour, *day, metrics["volume_usd_h24"])

    assert figures("2025-09-16 10:01:00") == (1, 0, 1, 0, 1_000)
    assert figures("2025-09-16 11:00:00") == (1, 0, 1, 0, 1_000)  # an hour old is in, the present moment is not
    assert figures("2025-09-16 11:01:00") == (0, 1, 1, 1, 2_500)
    assert figures("2025-09-17 10:00:00") == (0, 0, 1, 1, 2_500)
    assert figures("2025-09-17 10:01:00") == (2, 0, 2, 1, 4_000)


def test_price_changes_compare_with_the_last_price_before_the_span_or_the_first_of_the_tape(tmp_path: Path) -> None:
    trades = [
        trade("2025-09-16 10:00:00", sol="4", token="1000000"),
        trade("2025-09-16 10:30:00", sol="6", token="1000000"),
        trade("2025-09-16 11:45:00", sol="3", token="1000000"),
    ]
    by_time = {format_utc(one.at_ns)[-8:-3]: one.metrics for one in snapshots_of(tmp_path, trades)}
    assert by_time["10:01"]["price_change_percentage_h1"] == 0
    assert by_time["10:31"]["price_change_percentage_h1"] == 50
    assert by_time["11:40"]["price_change_percentage_h1"] == 0
    assert by_time["11:46"]["price_change_percentage_h1"] == -50
    assert by_time["11:46"]["price_change_percentage_h24"] == -25


def test_the_price_of_sol_is_that_of_the_last_buy_and_before_one_what_sells_imply(tmp_path: Path) -> None:
    trades = [
        trade("2025-09-16 10:00:00", "sell", sol="2", token="1000000", price_usd="0.00048", volume_usd="480"),
        trade("2025-09-16 10:01:10", sol="2", token="1000000", price_usd="245", volume_usd="490"),
        trade("2025-09-16 10:02:10", "sell", sol="2", token="1000000", price_usd="0.00048", volume_usd="480"),
    ]
    assert [one.quote_price_usd for one in snapshots_of(tmp_path, trades)] == [240, 245, 245]


def test_a_snapshots_reserve_counts_both_sides_of_the_inferred_state(tmp_path: Path) -> None:
    trades = [trade(START, sol="2", token="1000000")]
    update, minute = updates_of(tmp_path, trades)
    assert update.state is not None
    assert minute.snapshot is not None
    assert minute.snapshot.reserve_usd == Decimal(2 * update.state.quote_vault) / 10**9 * 250
    assert minute.snapshot.metrics["reserve_in_usd"] == minute.snapshot.reserve_usd
    assert minute.snapshot.base_price_usd == Decimal("0.0005")
    assert (minute.snapshot.dex, minute.snapshot.quote_mint) == ("pumpswap", WSOL)


def test_more_than_a_day_without_trades_has_no_snapshots(tmp_path: Path) -> None:
    trades = [trade(START), trade("2025-09-26 10:00:00")]
    times = [one.at_ns for one in snapshots_of(tmp_path, trades)]
    assert len(times) == 24 * 60 + 1
    assert times[-1] == parse_utc("2025-09-26T10:01:00Z")


def test_the_pool_is_canonical_with_a_stand_in_for_an_unknown_mint(tmp_path: Path) -> None:
    path = write_tape(tmp_path, [trade(START)])
    tape = TradeTape(path)
    (state, *_) = [update.state for update in tape.updates()]
    assert state is not None
    assert state.pool.fee_family is FeeFamily.SOL
    assert str(state.pool.base_mint) == tape.pool == POOL
    assert any("stands for it" in text for text in tape.assumptions)


def test_a_known_mint_decides_whether_the_pool_is_canonical(tmp_path: Path) -> None:
    path = write_tape(tmp_path, [trade(START)])
    kinds = []
    for mint in (MINT, OTHER_POOL):
        tape = TradeTape(path, mint=mint)
        (state, *_) = [update.state for update in tape.updates()]
        assert state is not None
        assert str(state.pool.base_mint) == mint
        kinds.append(state.pool.fee_family)
        assert not any("stands for it" in text for text in tape.assumptions)
    assert kinds == [FeeFamily.SOL, FeeFamily.FLAT]


@pytest.mark.parametrize("mint", ["", "no mint", WSOL])
def test_a_mint_that_cannot_be_the_tapes_is_refused(tmp_path: Path, mint: str) -> None:
    with pytest.raises(UsageError):
        TradeTape(write_tape(tmp_path, [trade(START)]), mint=mint)


def test_a_tape_counts_repeated_trades_once_and_lists_what_it_skips(tmp_path: Path) -> None:
    trades = [trade(START), trade(START), trade(START, side="swap") | {"side": "swap"}]
    tape = TradeTape(write_tape(tmp_path, trades))
    assert tape.counts["trades"] == 1
    assert tape.counts["skipped_rows"] == 2
    assert [row.place for row in tape.skipped] == ["line 3", "line 4"]


def test_a_tape_of_two_pools_of_none_or_of_nonsense_is_refused(tmp_path: Path) -> None:
    two = [trade(START), trade(START, pool_id=f"solana_{OTHER_POOL}")]
    with pytest.raises(BadInput, match=r"tape.csv has trades of 2 pools"):
        TradeTape(write_tape(tmp_path, two))
    with pytest.raises(BadInput, match=r"tape.csv has no usable trade"):
        TradeTape(write_tape(tmp_path, []))
    with pytest.raises(BadInput, match=r"'nowhere' is no address"):
        TradeTape(write_tape(tmp_path, [trade(START, pool_id="nowhere")]))


def test_two_readings_of_a_tape_are_equal(tmp_path: Path) -> None:
    path = write_tape(tmp_path, [trade(START), trade("2025-09-16 10:20:00", "sell")])
    tape = TradeTape(path)
    assert list(tape.updates()) == list(tape.updates()) == list(TradeTape(path).updates())
    assert tape.counts["snapshots"] == sum(update.snapshot is not None for update in tape.updates())


# ---------------------------------------------------------------- what a path is


def test_a_folder_is_a_host_export_and_a_file_of_trades_a_tape(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", [snapshot()], [trade(START)])
    assert isinstance(open_recording(folder), HostExport)
    assert isinstance(open_recording(folder / "trades.csv"), TradeTape)


def test_what_is_no_recording_is_refused_with_a_hint(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", [snapshot()])
    with pytest.raises(NotFound, match="does not exist"):
        open_recording(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"new_pools_history.csv is no tape of trades: no column block_number") as caught:
        open_recording(folder / "new_pools_history.csv")
    assert "folder" in caught.value.hint
    (tmp_path / "empty.csv").touch()
    with pytest.raises(BadInput, match=r"empty.csv is empty"):
        open_recording(tmp_path / "empty.csv")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(BadInput, match=r"picture.png"):
        open_recording(tmp_path / "picture.png")
    with pytest.raises(NotFound, match=r"has no new_pools_history.csv, trades.csv, ohlcv_data.csv"):
        open_recording(tmp_path)


# ---------------------------------------------------------------- the real tape


@requires_material("real", "host_export")
def test_the_real_tape_replays_whole_with_a_snapshot_a_minute() -> None:
    path = material("real", "host_export", "trades_one_pool.csv")
    assert path is not None
    tape = open_recording(path)
    updates = list(tape.updates())
    assert tape.counts == {"snapshots": 1_439, "trades": 5_301, "candles": 0, "amounts_cut": 0, "skipped_rows": 0}
    assert len(updates) == 1_439 + 5_301
    times = [update.at_ns for update in updates]
    assert times == sorted(times)
    swaps = [update.swap for update in updates if update.swap]
    assert (sum(swap.is_buy for swap in swaps), sum(not swap.is_buy for swap in swaps)) == (2_787, 2_514)
    assert (format_utc(swaps[0].at_ns), format_utc(swaps[-1].at_ns)) == ("2025-09-16 02:29:18", "2025-09-17 02:27:01")


@requires_material("real", "host_export")
def test_the_real_tapes_anchoring_loses_less_than_a_billionth_of_the_liquidity() -> None:
    path = material("real", "host_export", "trades_one_pool.csv")
    assert path is not None
    *_, last = (update.state for update in TradeTape(path).updates() if update.state)
    assert 1 - Fraction(last.base_reserve * last.quote_vault, GRADUATION_BASE * GRADUATION_QUOTE) < Fraction(1, 10**9)


@requires_material("real", "host_export")
def test_the_real_tapes_mint_makes_it_the_canonical_pool_of_its_coin() -> None:
    path = material("real", "host_export", "trades_one_pool.csv")
    assert path is not None
    state = next(update.state for update in TradeTape(path, mint=MINT).updates() if update.state)
    assert state.pool.is_canonical


@requires_material("real", "host_export")
def test_the_real_tape_is_scored_with_history_in_both_directions() -> None:
    path = material("real", "host_export", "trades_one_pool.csv")
    assert path is not None
    seen = [update.snapshot for update in TradeTape(path).updates() if update.snapshot]
    signals = [BaseScoreSignaller().signal(seen[at], seen[max(at - 60, 0) : at]) for at in range(0, len(seen), 10)]
    assert {Side.LONG, Side.SHORT} <= {signal.side for signal in signals}
    assert all(seen[at].at_ns - seen[at - 1].at_ns == 60 * NS_PER_SECOND for at in range(1, len(seen)))
