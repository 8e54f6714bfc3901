"""Custom data carries everything, exactly."""

from __future__ import annotations

import random

import pytest
from nautilus_trader.model.data import DataType

from pumpswap.amm.events import BuyEvent, SellEvent
from pumpswap.errors import BadInput
from pumpswap.model import Swap
from pumpswap.nautilus.data_types import (
    PumpSwapPoolState,
    PumpSwapSwap,
    data_type_of,
    decode_state,
    encode_state,
    wrapped,
)
from pumpswap.nautilus.instruments import instrument_id
from tests.support.market import graduate
from tests.support.random_pools import random_state

POOL = str(graduate().address)


def test_states_of_every_kind_come_back_exactly() -> None:
    rng = random.Random(3)
    for _ in range(300):
        state = random_state(rng)
        assert decode_state(encode_state(state)) == state
        data = PumpSwapPoolState.of(state, ts_event=5, ts_init=6, sequence=2)
        assert data.pool_state() == state
        assert PumpSwapPoolState.from_dict(PumpSwapPoolState.to_dict(data)).pool_state() == state
        assert (int(data.base_reserve), int(data.effective_quote_reserve)) == (
            state.base_reserve,
            state.effective_quote_reserve,
        )


@pytest.mark.parametrize("data", [b"", b"\x90", b"nonsense", encode_state(graduate())[:-1]])
def test_other_bytes_are_no_state(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_state(data)


@pytest.mark.parametrize(
    "event", [None, BuyEvent(lp_fee=3, ix_name="buy", virtual_quote_reserves=-5), SellEvent(quote_amount_out=2**64 - 1)]
)
def test_swaps_come_back_exactly(event: BuyEvent | SellEvent | None) -> None:
    swap = Swap(POOL, 7, event is None, 2**64 - 1, 2**63, "trader", "s" * 88, 9, 2, event)
    data = PumpSwapSwap.of(swap, ts_event=7, ts_init=8)
    assert data.swap() == swap
    assert PumpSwapSwap.from_dict(PumpSwapSwap.to_dict(data)).swap() == swap
    assert (data.ts_event, data.ts_init) == (7, 8)


def test_data_is_addressed_to_its_instrument() -> None:
    of = instrument_id(POOL)
    data = PumpSwapPoolState.of(graduate(), ts_event=1, ts_init=1)
    assert wrapped(data).data_type == data_type_of(PumpSwapPoolState, of)
    assert data_type_of(PumpSwapSwap, of).metadata == {"instrument_id": str(of)}
    asked = DataType(PumpSwapPoolState)
    assert wrapped(data, asked).data_type == asked


def test_what_is_printed_is_short_and_names_the_pool() -> None:
    state = repr(PumpSwapPoolState.of(graduate(), ts_event=1, ts_init=1))
    swap = repr(PumpSwapSwap.of(Swap(POOL, 7, True, 1, 2), ts_event=7, ts_init=8))
    assert POOL in state and POOL in swap
    assert len(state) < 200 and len(swap) < 200
    assert "blocked by" in repr(PumpSwapPoolState.blocked(POOL, "blocked by somebody", ts_init=1))
