"""Recordings as Nautilus' data: nothing is lost, and everything can be found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from nautilus_trader.model.data import CustomData, InstrumentStatus, QuoteTick, TradeTick
from nautilus_trader.model.enums import MarketStatusAction

from pumpswap.amm.addresses import USDC_MINT
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.lake import Lake, LakeWriter
from pumpswap.market.lake.rows import PoolStateSeen
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap
from pumpswap.nautilus.instruments import instrument_id
from pumpswap.nautilus.loaders.recording import Translator, load_market, load_recording
from pumpswap.nautilus.money import qty
from pumpswap.nautilus.ticks import Tape, quote_tick
from tests.nautilus.loaders.markets import TAPE, now, simulated
from tests.support.market import SOL, at, graduate, moved
from tests.support.snapshot_rows import CollectorFile

POOL = str(graduate().address)


def test_every_update_becomes_data_and_every_state_a_quote() -> None:
    updates = simulated()
    market = load_market(updates, TAPE, schedule_for=now)
    assert (market.updates, market.left_out) == (len(updates), {})
    assert (market.first_ns, market.last_ns) == (updates[0].at_ns, updates[-1].at_ns)
    assert {one.raw_symbol.value for one in market.instruments} == {one.pool for one in updates}
    custom = [one.data for one in market.data if isinstance(one, CustomData)]
    swaps = [one.swap() for one in custom if isinstance(one, PumpSwapSwap)]
    assert swaps == [one.swap for one in updates if one.swap is not None]
    states = [one for one in custom if isinstance(one, PumpSwapPoolState)]
    assert [(one.sequence, one.pool_state()) for one in states if not one.obstacle] == [
        (number, one.state) for number, one in enumerate(updates) if one.state is not None
    ]
    assert [one.ts_init for one in market.data] == sorted(one.ts_init for one in market.data)
    quotes = [one for one in market.data if isinstance(one, QuoteTick)]
    told = [one for one in updates if one.state is not None]
    assert market.quotes == len(quotes) == len(told)
    for quote, update in zip(quotes, told, strict=True):
        assert update.state is not None
        expected = quote_tick(update.state, now(0), TAPE.quote_lamports, ts_event=update.at_ns, ts_init=update.at_ns)
        assert expected is not None
        assert QuoteTick.to_dict(quote) == QuoteTick.to_dict(expected)


def test_trades_are_those_of_the_market() -> None:
    updates = simulated()
    market = load_market(updates, TAPE, schedule_for=now)
    trades = [one for one in market.data if isinstance(one, TradeTick)]
    swaps = [one.swap for one in updates if one.swap is not None]
    assert [one.size for one in trades] == [qty(swap.base_units, 6) for swap in swaps]
    assert len({(one.instrument_id, one.trade_id) for one in trades}) == len(trades)


def test_names_are_learnt_when_a_snapshot_tells_them() -> None:
    names = {one.snapshot.name for one in simulated() if one.snapshot is not None}
    assert {one.info["name"] for one in load_market(simulated(), TAPE, schedule_for=now).instruments} == names


def test_without_custom_data_there_are_ticks_only() -> None:
    market = load_market(simulated(), replace(TAPE, custom=False), schedule_for=now)
    assert {type(one) for one in market.data} <= {QuoteTick, TradeTick, InstrumentStatus}


def test_a_status_comes_only_when_it_changes() -> None:
    state = graduate()
    updates = [
        MarketUpdate(at(0), POOL, state),
        MarketUpdate(at(1), POOL, obstacle="its liquidity was taken"),
        MarketUpdate(at(2), POOL, obstacle="its liquidity was taken"),
        MarketUpdate(at(3), POOL, state),
        MarketUpdate(at(4), POOL, state),
    ]
    told = [one for one in load_market(updates, TAPE).data if isinstance(one, InstrumentStatus)]
    assert [(one.ts_init, one.action) for one in told] == [
        (at(1), MarketStatusAction.HALT),
        (at(3), MarketStatusAction.TRADING),
    ]
    assert told[0].reason == "its liquidity was taken"


def test_a_pool_that_is_no_instrument_is_left_out_with_its_reason() -> None:
    usdc = graduate(2, quote_mint=USDC_MINT)
    updates = [
        MarketUpdate(at(0), POOL, graduate()),
        MarketUpdate(at(1), str(usdc.address), usdc),
        MarketUpdate(at(2), "unseen", obstacle="no snapshot has come"),
    ]
    market = load_market(updates, TAPE)
    assert [one.id for one in market.instruments] == [instrument_id(POOL)]
    assert "trades against" in market.left_out[str(usdc.address)]
    assert market.left_out["unseen"] == "no snapshot has come"
    assert market.updates == 3


def test_a_pool_may_become_an_instrument_later() -> None:
    market = load_market(
        [MarketUpdate(at(0), POOL, obstacle="not seen yet"), MarketUpdate(at(1), POOL, graduate())], TAPE
    )
    assert (len(market.instruments), market.left_out) == (1, {})


def test_time_zero_and_time_going_back_are_refused() -> None:
    with pytest.raises(BadInput, match="of the time 0"):
        load_market([MarketUpdate(0, POOL, graduate())], TAPE)
    with pytest.raises(BadInput, match="earlier than the one before"):
        load_market([MarketUpdate(at(1), POOL, graduate()), MarketUpdate(at(0), POOL, graduate())], TAPE)


def test_a_market_without_a_state_is_refused_with_the_reasons() -> None:
    with pytest.raises(BadInput, match="no snapshot has come"):
        load_market([MarketUpdate(at(0), POOL, obstacle="no snapshot has come")], TAPE)
    with pytest.raises(BadInput, match="it is empty"):
        load_market([], TAPE)


def test_an_unquotable_state_is_still_told_as_data() -> None:
    """A rug leaves nothing to quote; the state says so, and no tick pretends a price."""
    empty = msgspec.structs.replace(graduate(), quote_vault=1)
    market = load_market([MarketUpdate(at(0), POOL, graduate()), MarketUpdate(at(1), POOL, empty)], TAPE)
    assert market.quotes == 1
    (last,) = [one for one in market.data if one.ts_init == at(1)]
    assert isinstance(last, CustomData)
    assert last.data.pool_state() == empty


def test_the_fees_are_those_of_the_time() -> None:
    """An instrument of before a change of fees is not that of after it."""
    early, late = 1_745_000_000 * 10**9, at(0)
    of = [load_market([MarketUpdate(time, POOL, graduate())], TAPE).instruments[0] for time in (early, late)]
    assert of[0].taker_fee != of[1].taker_fee


def test_a_database_of_a_collector_is_loaded(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "gecko.db")
    for minute in range(3):
        prices = {"base_token_price_usd": "0.0000826", "quote_token_price_usd": "200"}
        file.add_state(graduate(), at(60 * minute), **prices)
    market = load_recording(tmp_path / "gecko.db", TAPE)
    assert market.location.endswith("gecko.db")
    assert [one.info["name"] for one in market.instruments] == ["COIN / SOL"]
    assert market.quotes == 3


def test_a_lake_is_loaded_with_exact_states(tmp_path: Path) -> None:
    given = [msgspec.structs.replace(moved(graduate(), second), slot=second + 9) for second in range(5)]
    with LakeWriter(Lake(tmp_path)) as writer:
        writer.add("states", [PoolStateSeen(at(second), state) for second, state in enumerate(given)])
    market = load_recording(tmp_path, TAPE)
    assert [one.data.pool_state() for one in market.data if isinstance(one, CustomData)] == given


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_recording(tmp_path / "nothing", TAPE)


def test_the_translator_counts_what_it_was_given() -> None:
    translator = Translator(Tape(SOL), now)
    translator.take(MarketUpdate(at(0), POOL, obstacle="x"))
    translator.take(MarketUpdate(at(0), POOL, graduate()))
    assert (translator.taken, translator.last_ns) == (2, at(0))
