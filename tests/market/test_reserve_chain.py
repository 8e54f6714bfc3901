"""Neighbours fit together or are named, on swaps of a chain of arithmetic: no material needed."""

from __future__ import annotations

import base64
from dataclasses import replace

import msgspec
import pytest

from pumpswap.amm.events import SellEvent, decode_event
from pumpswap.market.reserve_chain import ReserveChain, reserves_before
from pumpswap.market.swaps_of import reserves_after
from pumpswap.model import Swap
from tests.support.vectors import load


def sells(count: int) -> list[Swap]:
    """Sells of one unit after the other, each at what the one before has left."""
    raw = [one for one in load("events")["vectors"] if one["event"] == "SellEvent"][-1]
    event = decode_event(base64.b64decode(raw["data_b64"]))
    assert isinstance(event, SellEvent)
    found: list[Swap] = []
    for number in range(count):
        swap = Swap("Pool1", number, False, 1, 1, signature=f"S{number}", slot=number, event=event)
        found.append(swap)
        after = reserves_after(swap)
        event = msgspec.structs.replace(
            event,
            pool_base_token_reserves=after.base_reserve,
            pool_quote_token_reserves=after.quote_vault,
            virtual_quote_reserves=after.virtual_quote_reserves,
        )
    return found


def told(swaps: list[Swap], others_before: str = "") -> ReserveChain:
    chain = ReserveChain()
    for swap in reversed(swaps):
        chain.older(swap)
        if swap.signature == others_before:
            chain.other()
    return chain


def test_swaps_that_follow_each_other_fit() -> None:
    chain = told(sells(5))
    assert (chain.links, chain.breaks) == (4, [])


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_missing_swap_is_a_break_between_its_neighbours(missing: int) -> None:
    swaps = sells(5)
    del swaps[missing]
    (found,) = told(swaps).breaks
    assert (found.older, found.newer, found.others) == (f"S{missing - 1}", f"S{missing + 1}", 0)
    assert found.before.base_reserve != found.after.base_reserve


def test_another_transaction_in_between_explains_a_break_and_only_that_one() -> None:
    swaps = sells(7)
    del swaps[5]
    del swaps[2]
    chain = told(swaps, others_before="S3")
    assert [(one.newer, one.others) for one in chain.breaks] == [("S6", 0), ("S3", 1)]


def test_what_tells_no_event_is_not_compared() -> None:
    swaps = sells(3)
    swaps[1] = replace(swaps[1], event=None)
    assert reserves_before(swaps[1]) is None
    chain = told(swaps)
    assert (chain.links, chain.breaks) == (0, [])


def test_after_a_jump_nothing_is_compared_across_it() -> None:
    swaps = sells(6)
    chain = ReserveChain()
    chain.older(swaps[5])
    chain.jump(swaps[2])
    chain.older(swaps[1])
    assert (chain.links, chain.breaks) == (1, [])
