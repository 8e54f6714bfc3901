"""Pools and swaps recorded on mainnet, on the real program: the pools trade, the swaps give the amounts they gave."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from pumpswap.amm import Pool, buy_exact_base, buy_exact_quote, sell_exact_base, swap_instruction
from tests.support.material import requires_material
from tests.svm.chain import Chain, Receipt
from tests.svm.recorded_pool import RecordedPool, recorded_pool_entries
from tests.svm.recorded_swap import FEES, PAID, Replay, recorded_swaps
from tests.svm.trade_accounts import TradeAccounts
from tests.svm.trade_check import balance_differences, expected_balances, pool_after

pytestmark = [requires_material("chain", "programs"), requires_material("chain", "accounts", "index.json")]

# Recorded swaps that paid rates which this build does not have, and why. The amount before fees is the same.
_NO_TIERS_YET = "paid the fixed 20/5 of before 2025-09-01; at its market cap the tiers say 2/93"
_CREATOR_5 = "paid the fixed creator rate 5 of before 2025-09-01; at its market cap the tiers say more"
OTHER_RATES = {
    0: _NO_TIERS_YET,
    4: _NO_TIERS_YET,
    11: _CREATOR_5,
    12: _CREATOR_5,
    13: _CREATOR_5,
    14: _NO_TIERS_YET,
    15: _CREATOR_5,
    19: _CREATOR_5,
    65: "pays the exotic fees and its own creator rate of 2026-09-09; this build knows neither",
}


def each_pool() -> Any:
    entries = recorded_pool_entries()
    return pytest.mark.parametrize("entry", entries, ids=[entry["file"] for entry in entries])


def each_swap() -> Any:
    swaps = recorded_swaps()
    return pytest.mark.parametrize("swap", swaps, ids=[f"{swap['id']}-{swap['time_utc'][:10]}" for swap in swaps])


@each_pool()
def test_a_recorded_pool_is_bought_and_sold_exactly_as_quoted(chain: Chain, entry: dict[str, Any]) -> None:
    recorded = RecordedPool(entry)
    market = recorded.write(chain)
    state, schedule = market.state, chain.schedule()
    config = schedule.global_config
    user = Keypair.from_seed(entry["file"].encode().ljust(32, b".")[:32])
    recipient = config.protocol_recipients(is_mayhem_mode=state.pool.is_mayhem_mode)[3]
    who = TradeAccounts.of(state, user.pubkey(), recipient, config.buyback_fee_recipients[5])
    who.write_user(chain, state, base=2**60, quote=2**60, lamports=10**12)
    who.write_fee_accounts(chain, state, missing=frozenset())
    for name in ("buy", "buy_exact_quote_in", "sell"):
        if name == "buy":
            quote = buy_exact_base(state, schedule, state.base_reserve // 50)
        elif name == "buy_exact_quote_in":
            quote = buy_exact_quote(state, schedule, max(state.quote_vault // 40, 10))
        else:
            quote = sell_exact_base(state, schedule, state.base_reserve * 3)
        swap = swap_instruction(
            quote, state, schedule, user=user.pubkey(), limit=quote.limit(0), generation=1,
            recipient_index=3, buyback_index=5,
        )  # fmt: skip
        before = who.balances(chain, state)
        outcome = chain.send([set_compute_unit_limit(400_000), swap], user)
        assert isinstance(outcome, Receipt), outcome
        assert (
            list(balance_differences(expected_balances(chain, state, quote, before), who.balances(chain, state))) == []
        )
        after = state.after(quote, generation=1)
        state = msgspec.structs.replace(after, pool=pool_after(after.pool))
        account = chain.account(state.address)
        assert account is not None
        assert bytes(account.data) == pool_after(Pool.decode(recorded.data)).encode()


@each_pool()
def test_virtual_reserves_price_a_recorded_pool_like_real_ones(chain: Chain, entry: dict[str, Any]) -> None:
    recorded = RecordedPool(entry)
    real, filled, schedule = recorded.recorded, recorded.market.state, chain.schedule()
    assert real.effective_quote_reserve == filled.quote_vault
    amount = real.base_reserve // 50
    assert buy_exact_base(real, schedule, amount) == buy_exact_base(filled, schedule, amount)
    assert sell_exact_base(real, schedule, amount) == sell_exact_base(filled, schedule, amount)


@each_swap()
def test_a_recorded_swap_gives_the_recorded_amounts_again(chain: Chain, swap: dict[str, Any]) -> None:
    replay, recorded = Replay(chain, swap), swap["decoded"]
    quote, again = replay.execute()
    assert replay.gross(again) == quote.gross_quote
    known = {name: recorded[name] for name in (*FEES, *PAID) if name in recorded}
    if swap["id"] in OTHER_RATES:
        assert {name: again[name] for name in known} != known
        assert replay.gross(again) == replay.gross(recorded)
        return
    assert {name: again[name] for name in known} == known


def test_all_recorded_swaps_are_here() -> None:
    assert len(recorded_swaps()) == 61
    assert len(OTHER_RATES) == 9
    assert OTHER_RATES.keys() <= {swap["id"] for swap in recorded_swaps()}
