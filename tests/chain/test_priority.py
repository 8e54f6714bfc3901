"""Priority fees: of this pool's accounts, between floor and cap, a step more per attempt; sandwiches found."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.chain.dont_front import detect_sandwich
from pumpswap.chain.priority import contended_accounts, percentile, price_of_attempt, recent_price
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Swap
from pumpswap.settings import SendingSettings
from tests.support.market import graduate

SETTINGS = SendingSettings(priority_floor_micro_lamports=10, priority_cap_micro_lamports=1_000)


def test_the_accounts_are_those_that_every_trade_on_the_pool_locks() -> None:
    state = graduate()
    pool = state.pool
    assert contended_accounts(state) == (
        state.address,
        pool.pool_base_token_account,
        pool.pool_quote_token_account,
    )


def test_the_percentile_is_by_nearest_rank() -> None:
    fees = [50, 10, 40, 20, 30]
    assert [percentile(fees, share) for share in (0, 20, 21, 75, 100)] == [10, 10, 20, 40, 50]
    assert percentile([], 75) == 0


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.integers(0, 100))
def test_a_percentile_is_one_of_the_fees_and_covers_its_share(fees: list[int], share: int) -> None:
    found = percentile(fees, share)
    assert found in fees
    assert sum(fee <= found for fee in fees) * 100 >= share * len(fees)


def test_p08_the_price_has_a_floor_and_a_cap_and_grows_by_attempt() -> None:
    assert price_of_attempt(0, None, SETTINGS) == 10
    assert price_of_attempt(5_000, None, SETTINGS) == 1_000
    assert price_of_attempt(0, 100, SETTINGS) == 150
    assert price_of_attempt(400, 100, SETTINGS) == 400
    assert price_of_attempt(0, 101, SETTINGS) == 152  # rounded up: never less than a step
    assert price_of_attempt(0, 900, SETTINGS) == 1_000


def test_an_endpoint_that_cannot_say_costs_no_trade() -> None:
    node = LocalNode(LocalChain(seed=1), faults=FaultPlan([Fault(FaultKind.SERVER_ERROR)]))
    found = asyncio.run(recent_price(node, contended_accounts(graduate()), SETTINGS))
    assert found.micro_lamports == 10
    assert "503" in found.note
    quiet = asyncio.run(recent_price(LocalNode(LocalChain(seed=1)), contended_accounts(graduate()), SETTINGS))
    assert quiet.micro_lamports == 10


OURS = Swap("pool", 0, True, 1_000, 500, trader="us", signature="ours", slot=7)


def around(*, trader: str = "them", pool: str = "pool", back_units: int = 2_000, back_buys: bool = False) -> list[Swap]:
    front = Swap(pool, 0, True, 2_000, 800, trader=trader, signature="front", slot=7)
    back = Swap(pool, 0, back_buys, back_units, 900, trader=trader, signature="back", slot=7)
    return [front, OURS, back]


def test_p11_a_sandwich_is_found_with_what_it_earned() -> None:
    found = detect_sandwich(OURS, around())
    assert found is not None
    assert (found.trader, found.front_signatures, found.back_signatures) == ("them", ("front",), ("back",))
    assert (found.front_units, found.profit_lamports) == (2_000, 100)


def test_p11_a_sandwich_of_two_wallets_is_found_by_its_size() -> None:
    front, ours, back = around()
    found = detect_sandwich(ours, [front, ours, replace(back, trader="their other wallet")])
    assert found is not None and found.front_units == 2_000


def test_only_the_base_that_went_both_ways_counts_as_earned() -> None:
    found = detect_sandwich(OURS, around(back_units=1_000))
    assert found is not None
    assert (found.front_units, found.profit_lamports) == (1_000, 500)


@pytest.mark.parametrize(
    "slot",
    [
        [OURS],
        [],
        [*around(pool="another pool")[:1], OURS, *around(pool="another pool")[2:]],
        around(back_buys=True),
        around()[::-1],
        around(trader="us"),
    ],
)
def test_what_is_no_sandwich_is_not_called_one(slot: list[Swap]) -> None:
    assert detect_sandwich(OURS, slot) is None


def test_a_sale_is_sandwiched_the_other_way_round() -> None:
    ours = replace(OURS, is_buy=False)
    front = Swap("pool", 0, False, 2_000, 900, trader="them", signature="front")
    back = Swap("pool", 0, True, 2_000, 800, trader="them", signature="back")
    found = detect_sandwich(ours, [front, ours, back])
    assert found is not None and found.profit_lamports == 100
