"""What goes into the lake comes out of it, equal."""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.events import BuyEvent, SellEvent, decode_event
from pumpswap.errors import BadInput, StorageError
from pumpswap.market.host_export import HostExport
from pumpswap.market.lake import Lake, LakeReader, LakeWriter, PoolStateSeen
from pumpswap.market.lake.bars import BarRule, bars
from pumpswap.market.lake.importing import numbered
from pumpswap.market.lake.replay import LakeRecording
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import PoolSnapshot, Swap
from tests.market.lake.rows import DAY, MIDNIGHT, MINUTE, candle, lake_of, many_swaps, swap
from tests.market.recorded import load, transaction_of
from tests.support.material import material, requires_material

U64 = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.just(2**64 - 1), st.just(2**63))
I128 = st.one_of(st.integers(-(2**127), 2**127 - 1), st.sampled_from([-(2**127), -1, 0, 2**127 - 1]))
KEYS = st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes)
TIMES = st.integers(0, 2**63 - 1)


@st.composite
def events(draw: st.DrawFn) -> BuyEvent | SellEvent | None:
    kind = draw(st.sampled_from([BuyEvent, SellEvent, None]))
    if kind is None:
        return None
    common = {
        "timestamp": draw(st.integers(-(2**63), 2**63 - 1)),
        "pool_base_token_reserves": draw(U64),
        "pool_quote_token_reserves": draw(U64),
        "lp_fee": draw(U64),
        "protocol_fee": draw(U64),
        "coin_creator_fee": draw(U64),
        "virtual_quote_reserves": draw(I128),
        "user": draw(KEYS),
    }
    return kind(**common, ix_name=draw(st.text(max_size=12))) if kind is BuyEvent else kind(**common)


@st.composite
def swaps(draw: st.DrawFn) -> Swap:
    return Swap(
        pool=draw(st.text(min_size=1, max_size=4)),
        at_ns=draw(TIMES),
        is_buy=draw(st.booleans()),
        base_units=draw(U64),
        quote_units=draw(U64),
        trader=draw(st.text(max_size=4)),
        signature=draw(st.text(min_size=1, max_size=6)),
        slot=draw(U64),
        index=draw(st.integers(0, 2**32 - 1)),
        event=draw(events()),
    )


@st.composite
def states(draw: st.DrawFn) -> PoolStateSeen:
    pool = Pool(
        pool_bump=draw(st.integers(0, 255)),
        index=draw(st.integers(0, 2**16 - 1)),
        **{name: draw(KEYS) for name in ("creator", "base_mint", "quote_mint", "lp_mint", "coin_creator")},
        pool_base_token_account=draw(KEYS),
        pool_quote_token_account=draw(KEYS),
        lp_supply=draw(U64),
        is_mayhem_mode=draw(st.booleans()),
        virtual_quote_reserves=draw(I128),
        protocol_fees=draw(U64),
        creator_fees=draw(U64),
    )
    state = PoolState(
        pool=pool,
        address=draw(KEYS),
        base_reserve=draw(U64),
        quote_vault=draw(U64),
        base_supply=draw(U64),
        base_token_program=draw(KEYS),
        slot=draw(U64),
        base_decimals=draw(st.integers(0, 255)),
    )
    return PoolStateSeen(draw(TIMES), state)


@settings(max_examples=60, deadline=None)
@given(st.lists(swaps(), max_size=6, unique_by=lambda one: (one.pool, one.signature, one.index)))
def test_swaps_come_back_equal(rows: list[Swap]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = list(LakeReader(lake_of(Path(folder), *rows)).read_swaps())
    assert sorted(found, key=repr) == sorted(rows, key=repr)
    assert [one.at_ns for one in found] == sorted(one.at_ns for one in rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(states(), max_size=4, unique_by=lambda one: (one.state.address, one.state.slot)))
def test_states_come_back_equal(rows: list[PoolStateSeen]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        with LakeWriter(lake) as writer:
            writer.add("states", rows)
        found = list(LakeReader(lake).read_states())
    assert sorted(found, key=repr) == sorted(rows, key=repr)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False), min_size=1, max_size=3), st.text(max_size=5))
def test_snapshots_and_candles_keep_every_digit(figures: list[Decimal], text: str) -> None:
    snapshot = PoolSnapshot(
        "solana_A", "A", "pumpswap", MIDNIGHT, base_price_usd=figures[0], stored_score=figures[-1],
        metrics={"volume_usd_h24": figures[0], "transactions_h1_buys": 7, "reserve_in_usd": text},
    )  # fmt: skip
    bar = replace(candle(0), open_usd=figures[0], volume_usd=figures[-1])
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        with LakeWriter(lake) as writer:
            writer.add("snapshots", [snapshot, PoolSnapshot("solana_A", "A", "x", MIDNIGHT + 1)])
            writer.add("candles", [bar])
        reader = LakeReader(lake)
        assert [str(one.base_price_usd) for one in reader.read_snapshots()] == [str(figures[0]), "None"]
        assert next(reader.read_snapshots()) == snapshot
        (found,) = reader.read_candles()
    assert (found, str(found.open_usd)) == (bar, str(figures[0]))


def test_one_pool_and_a_range_of_time(tmp_path: Path) -> None:
    rows = [swap(n, f"Pool{n % 3}") for n in range(0, 200_000, 1000)]
    reader = LakeReader(lake_of(tmp_path, *rows))
    start, end = MIDNIGHT + 40_000 * 10**9, MIDNIGHT + 120_000 * 10**9
    assert list(reader.read_swaps("Pool1", start, end)) == [
        one for one in rows if one.pool == "Pool1" and start <= one.at_ns < end
    ]
    assert reader.swaps("Pool1", start, end).select(pl.len()).collect().item() == 27
    assert list(reader.read_swaps("Nobody")) == []


def test_execution_order_within_a_slot_is_kept(tmp_path: Path) -> None:
    rows = [swap(0, slot=5, at_ns=MIDNIGHT, signature=name) for name in ("z", "a", "m", "b")]
    reader = LakeReader(lake_of(tmp_path, *rows, swap(0, slot=6, at_ns=MIDNIGHT, signature="0")))
    assert [one.signature for one in reader.read_swaps()] == ["z", "a", "m", "b", "0"]


def test_pieces_are_small_in_time_order_and_complete(tmp_path: Path) -> None:
    rows = many_swaps(2_000)
    reader = LakeReader(lake_of(tmp_path, *rows))
    pieces = list(reader.pieces("swaps", rows=300))
    assert len(pieces) >= 6
    assert max(piece.height for piece in pieces) <= 300
    assert [name for piece in pieces for name in piece.get_column("signature")] == [one.signature for one in rows]


def test_a_candle_of_one_length(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    hour = replace(candle(0), timeframe="1h", known_ns=MIDNIGHT + 60 * MINUTE)
    with LakeWriter(lake) as writer:
        writer.add("candles", [candle(0), candle(1), hour], source="geckoterminal")
    reader = LakeReader(lake)
    assert reader.candles(timeframe="1h").collect().get_column("source").to_list() == ["geckoterminal"]
    assert list(reader.read_candles()) == [hour, candle(0), candle(1)]


def test_an_empty_lake_has_its_columns(tmp_path: Path) -> None:
    reader = LakeReader(Lake(tmp_path / "nothing"))
    assert reader.swaps().collect().width == 18
    assert list(reader.read_swaps()) == []
    assert not (tmp_path / "nothing").exists()


def test_files_of_a_later_version_are_refused(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, swap(1))
    manifest = lake.manifest()
    (file,) = manifest.files.values()
    newer = {**{name: getattr(file, name) for name in file.__struct_fields__}, "schema": 99}
    manifest.append(0, [type(file)(**newer)])
    with pytest.raises(BadInput, match="has schema 99, known is 1"):
        LakeReader(lake).swaps()


def test_a_damaged_or_missing_file_is_said_with_the_way_out(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, *(swap(n) for n in range(50)))
    path = tmp_path / lake.files("swaps")[0].path
    content = path.read_bytes()
    reader = LakeReader(lake)
    for left in (content[: len(content) // 2], b"", None):
        path.unlink(missing_ok=True)
        if left is not None:
            path.write_bytes(left)
        for attempt in (
            lambda: list(reader.read_swaps()),
            lambda: bars(reader, BarRule(seconds=60)),
            lambda: LakeRecording(lake),
        ):
            with pytest.raises(StorageError, match="a file of the lake cannot be read") as told:
                attempt()
            assert "data verify" in told.value.hint
        with pytest.raises(StorageError, match="is damaged"):
            lake_of(tmp_path, swap(1))


def test_gaps_are_what_no_claim_covers(tmp_path: Path) -> None:
    from pumpswap.market.lake import Coverage

    lake = Lake(tmp_path)

    def claim(start: int, end: int, pool: str = "", kind: str = "swaps", timeframe: str = "") -> Coverage:
        return Coverage(
            kind=kind, network="solana", pool=pool, timeframe=timeframe,
            start_ns=MIDNIGHT + start * MINUTE, end_ns=MIDNIGHT + end * MINUTE,
        )  # fmt: skip

    with LakeWriter(lake) as writer:
        for one in (
            claim(0, 10),
            claim(5, 20),
            claim(30, 40),
            claim(20, 25, "Pool1"),
            claim(0, 5, "", "candles", "1m"),
        ):
            writer.cover(one)

    def minutes(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [((start - MIDNIGHT) // MINUTE, (end - MIDNIGHT) // MINUTE) for start, end in ranges]

    assert minutes(lake.covered("swaps")) == [(0, 20), (30, 40)]
    assert minutes(lake.gaps("swaps")) == [(20, 30)]
    assert minutes(lake.gaps("swaps", "Pool1")) == [(25, 30)]
    assert minutes(lake.gaps("swaps", end_ns=MIDNIGHT + 50 * MINUTE)) == [(20, 30), (40, 50)]
    assert minutes(lake.gaps("candles", "Pool1", timeframe="1m", start_ns=MIDNIGHT, end_ns=MIDNIGHT + DAY)) == [
        (5, 1440)
    ]
    assert minutes(lake.gaps("candles", "Pool1", timeframe="1h", start_ns=MIDNIGHT, end_ns=MIDNIGHT + DAY)) == [
        (0, 1440)
    ]
    assert lake.gaps("states") == []


@requires_material("real", "host_export", "trades_one_pool.csv")
def test_the_real_trades_and_candles_come_back_equal(tmp_path: Path) -> None:
    from pumpswap.market.candle_file import read_candles
    from pumpswap.market.csv_rows import csv_rows
    from pumpswap.market.trade_file import TradeFile

    folder = material("real", "host_export")
    assert folder is not None
    lake = Lake(tmp_path)
    trades = [one.swap for name in ("trades", "trades_one_pool") for one in TradeFile(folder / f"{name}.csv").trades]
    rows = list(numbered(trades))
    candles = [
        one
        for name in ("ohlcv_data", "ohlcv_one_pool")
        for one in read_candles(csv_rows(folder / f"{name}.csv", ("pool_id",)), [])
    ]
    snapshots = [update.snapshot for update in HostExport(folder).updates() if update.snapshot is not None]
    with LakeWriter(lake) as writer:
        writer.add("swaps", rows, source="host")
        writer.add("candles", candles, source="host")
        writer.add("snapshots", snapshots, source="host")
    reader = LakeReader(lake)
    found = list(reader.read_swaps())
    assert len(found) == len(trades) > 5_600
    assert sorted(found, key=repr) == sorted(rows, key=repr)
    assert sorted(map(repr, reader.read_candles())) == sorted(map(repr, candles))
    assert len(candles) > 5_900
    assert sorted(map(repr, reader.read_snapshots())) == sorted(map(repr, snapshots))
    assert len(snapshots) > 4_000


@requires_material("chain", "events.jsonl")
def test_recorded_swaps_come_back_with_their_events(tmp_path: Path) -> None:
    path = material("chain", "events.jsonl")
    folder = material("chain", "transactions", "full")
    assert path is not None
    assert folder is not None
    rows = [one for file in sorted(folder.glob("*.json")) for one in swaps_of(transaction_of(load(file)))]
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        event = decode_event(base64.b64decode(told["raw_b64"]))
        if isinstance(event, BuyEvent | SellEvent):
            buys = isinstance(event, BuyEvent)
            base = event.base_amount_out if buys else event.base_amount_in
            # The limits of strangers go up to 2^64-1, and they come back too.
            quote = event.max_quote_amount_in if buys else event.min_quote_amount_out
            name = f"recorded {told['id']}"
            rows.append(Swap(str(event.pool), event.timestamp * 10**9, buys, base, quote, "", name, 0, 0, event))
    found = list(LakeReader(lake_of(tmp_path, *rows)).read_swaps())
    assert sorted(found, key=repr) == sorted(rows, key=repr)
    assert len(found) > 60
    assert all(one.event is not None for one in found)
    frame = LakeReader(Lake(tmp_path)).swaps().collect()
    assert frame.get_column("quote_units").max() == max(one.quote_units for one in rows)
    assert frame.get_column("quote_units").cast(pl.Int128).sum() == sum(one.quote_units for one in found)
