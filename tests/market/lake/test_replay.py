"""The lake as a feed: exact where states were recorded, inferred like any recording where they were not."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.amm.events import BuyEvent, SellEvent
from pumpswap.amm.quote import BuyQuote, Quote
from pumpswap.amm.quotes import buy_exact_quote, sell_exact_base
from pumpswap.app.paper import run_replay
from pumpswap.market.candle_file import Candles
from pumpswap.market.host_export import HostExport
from pumpswap.market.lake import Lake, LakeWriter, PoolStateSeen
from pumpswap.market.lake.importing import numbered
from pumpswap.market.lake.replay import LakeRecording, state_after
from pumpswap.market.recording import Recording
from pumpswap.market.tape import open_recording
from pumpswap.market.trade_file import TradeFile
from pumpswap.model import Swap
from pumpswap.settings import Settings
from tests.market.lake.rows import lake_of, swap
from tests.support.market import SOL, at, graduate, snapshot
from tests.support.material import material, requires_material

RECIPIENT = Pubkey.from_bytes(b"\x09" * 32)


def event_of(state: PoolState, quote: Quote, generation: int) -> BuyEvent | SellEvent:
    """What the program reports of this trade."""
    common = {
        "pool": state.address,
        "pool_base_token_reserves": state.base_reserve,
        "pool_quote_token_reserves": state.quote_vault,
        "virtual_quote_reserves": state.pool.virtual_quote_reserves,
        "lp_fee": quote.lp_fee,
        "protocol_fee": quote.protocol_fee,
        "buyback_fee": quote.buyback_fee,
        "coin_creator_fee": quote.creator_fee,
        "protocol_fee_recipient": ZERO_KEY if generation == 2 else RECIPIENT,
        "base_supply": state.base_supply,
    }
    if isinstance(quote, BuyQuote):
        with_lp = quote.gross_quote + quote.lp_fee
        return BuyEvent(**common, base_amount_out=quote.base_out, quote_amount_in_with_lp_fee=with_lp, ix_name="buy_v2")
    return SellEvent(**common, base_amount_in=quote.base_in, quote_amount_out=quote.gross_quote)


def swap_of(state: PoolState, quote: Quote, generation: int, number: int) -> Swap:
    buys = isinstance(quote, BuyQuote)
    base, paid = (quote.base_out, quote.total_quote) if buys else (quote.base_in, quote.user_quote_out)  # type: ignore[union-attr]
    event = event_of(state, quote, generation)
    return Swap(str(state.address), at(number), buys, base, paid, "", f"Signature{number}", state.slot + 2, 0, event)


def market(seed: int, steps: int, boost: int = 0) -> tuple[PoolState, list[Swap], list[PoolState]]:
    """A pool, trades of both generations, and the true state after each; fees are swept now and then."""
    chance = random.Random(seed)
    state = first = graduate(slot=1_000, virtual_quote_reserves=boost)
    swaps, truth = [], []
    for number in range(steps):
        if chance.random() < 0.1:
            state = state.after_protocol_sweep() if chance.random() < 0.5 else state.after_creator_sweep()
        generation = chance.choice((1, 2))
        if chance.random() < 0.6:
            quote: Quote = buy_exact_quote(state, current_schedule(), chance.randrange(1_000, 5 * SOL))
        else:
            quote = sell_exact_base(state, current_schedule(), chance.randrange(10**6, state.base_reserve // 50))
        swaps.append(swap_of(state, quote, generation, number))
        state = msgspec.structs.replace(state.after(quote, generation), slot=state.slot + 2)
        truth.append(state)
    return first, swaps, truth


@pytest.mark.parametrize(("seed", "boost"), [(1, 0), (2, 0), (3, 30 * SOL)])
def test_swaps_with_events_move_a_recorded_state_exactly(tmp_path: Path, seed: int, boost: int) -> None:
    first, swaps, truth = market(seed, 60, boost)
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("states", [PoolStateSeen(at(-1), first)])
        writer.add("swaps", swaps)
    start, *found = LakeRecording(lake).updates()
    assert start.state == first
    assert [update.swap for update in found] == swaps
    for update, true in zip(found, truth, strict=True):
        state = update.state
        assert state is not None
        assert (state.base_reserve, state.quote_vault, state.slot) == (true.base_reserve, true.quote_vault, true.slot)
        assert state.effective_quote_reserve == true.effective_quote_reserve
        assert state.real_quote_reserve == true.real_quote_reserve
        assert state.market_cap == true.market_cap
    assert list(LakeRecording(lake).updates()) == [start, *found]


def test_a_recorded_state_has_the_swaps_of_its_slot_in_it_and_an_overtaken_one_is_left_out(tmp_path: Path) -> None:
    first, swaps, truth = market(4, 6)
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("swaps", swaps)
        # The state after the third trade was seen before it in time, the one after the fourth long after the sixth.
        writer.add("states", [PoolStateSeen(at(1.5), truth[2]), PoolStateSeen(at(30), truth[3])])
    updates = list(LakeRecording(lake).updates())
    states = [update.state.slot if update.state else None for update in updates]
    slots = [true.slot for true in truth]
    assert states == [None, None, slots[2], None, slots[3], slots[4], slots[5]]
    assert "no state and no snapshot" in updates[0].obstacle
    assert updates[3].obstacle == ""
    assert first.slot == 1_000


def test_events_that_do_not_fit_end_the_state_until_the_next_recorded_one(tmp_path: Path) -> None:
    first, swaps, truth = market(5, 3)
    event = swaps[0].event
    assert event is not None
    odd = replace(swaps[0], event=msgspec.structs.replace(event, virtual_quote_reserves=10**12))
    assert state_after(first, odd) is None
    assert state_after(first, replace(odd, event=None)) is None
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("states", [PoolStateSeen(at(-1), first), PoolStateSeen(at(1.5), truth[1])])
        writer.add("swaps", [odd, *swaps[1:]])
    updates = list(LakeRecording(lake).updates())
    assert [update.state is not None for update in updates] == [True, False, False, True, True]
    assert "do not fit" in updates[1].obstacle and "do not fit" in updates[2].obstacle


def test_a_swap_without_event_leaves_a_recorded_state_as_it_was(tmp_path: Path) -> None:
    first, swaps, _ = market(6, 1)
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("states", [PoolStateSeen(at(-1), first)])
        writer.add("swaps", [replace(swaps[0], event=None)])
    assert [update.state for update in LakeRecording(lake).updates()] == [first, None]


def test_a_folder_with_a_lake_is_a_recording(tmp_path: Path) -> None:
    lake_of(tmp_path, swap(1), swap(2, "Pool2"))
    recording = open_recording(tmp_path)
    assert isinstance(recording, LakeRecording)
    assert recording.counts == {"snapshots": 0, "trades": 2, "states": 0}
    assert recording.location == str(tmp_path)
    one = LakeRecording(Lake(tmp_path), "Pool2")
    assert [update.pool for update in one.updates()] == ["Pool2"]


def test_a_lake_is_traded_on_paper(tmp_path: Path) -> None:
    states = [graduate(1), graduate(2)]
    lake = Lake(tmp_path / "lake")
    with LakeWriter(lake) as writer:
        writer.add("snapshots", [snapshot(state, 60 * minute) for minute in range(5) for state in states])
    run = run_replay(lake.folder, Settings(data_dir=tmp_path / "data"))
    assert run.counts["snapshots"] == 10
    assert any("newest snapshot" in sentence for sentence in run.assumptions)


@requires_material("real", "host_export", "new_pools_history.csv")
def test_a_host_export_in_the_lake_replays_like_the_export(tmp_path: Path) -> None:
    folder = material("real", "host_export")
    assert folder is not None
    trades = TradeFile(folder / "trades.csv")
    snapshots = [update.snapshot for update in HostExport(folder).updates() if update.snapshot is not None]
    rows = list(numbered(one.swap for one in trades.trades))
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.add("snapshots", snapshots, source="host")
        writer.add("swaps", rows, source="host")
    direct = list(Recording("here", snapshots, trades, Candles([])).updates())
    found = list(LakeRecording(lake).updates())
    assert len(found) == len(direct) > 5_000
    named = {(one.pool, one.signature, one.index): one for one in rows}
    for mine, theirs in zip(found, direct, strict=True):
        assert (mine.at_ns, mine.pool, mine.state, mine.snapshot) == (
            theirs.at_ns, theirs.pool, theirs.state, theirs.snapshot,
        )  # fmt: skip
        if mine.swap is not None:
            assert theirs.swap is not None
            assert replace(mine.swap, index=0) == replace(theirs.swap, index=0)
            assert (mine.swap.pool, mine.swap.signature, mine.swap.index) in named
