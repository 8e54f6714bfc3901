"""Recorded swaps of mainnet, set up again on the practice chain from what their events say."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import msgspec
from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from pumpswap.amm import (
    PoolState,
    Quote,
    buy_exact_base,
    buy_exact_quote,
    decode_event,
    sell_exact_base,
    swap_instruction,
)
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.localnet.pool_kinds import OTHER_QUOTES, PoolKind
from tests.support.material import material
from tests.svm.chain import Chain, Receipt
from tests.svm.market import Reserves, make_market
from tests.svm.trade_accounts import TradeAccounts

_FULL_SUPPLY = 10**15  # where the event does not say it
_FLAT = (25, 5)
_EXOTIC = 65  # the one recorded trade against neither WSOL nor USDC
_PLENTY = 2**61
_GROSS = {
    "BuyEvent": ("quote_amount_in", "user_quote_amount_in"),
    "SellEvent": ("quote_amount_out", "quote_amount_out"),
}
FEES = ("lp_fee", "protocol_fee", "coin_creator_fee", "cashback", "buyback_fee")
PAID = ("base_amount_out", "base_amount_in", "user_quote_amount_in", "user_quote_amount_out")


@cache
def recorded_swaps() -> tuple[dict[str, Any], ...]:
    """All recorded buys and sells; empty when the material is not here."""
    path = material("chain", "events.jsonl")
    lines = path.read_text().splitlines() if path is not None else []
    return tuple(swap for line in lines if (swap := json.loads(line))["event"] in _GROSS)


class Replay:
    """One recorded swap executed again on the build of June, at the time of the original."""

    def __init__(self, chain: Chain, swap: dict[str, Any]) -> None:
        self.chain, self.swap, self.fields = chain, swap, swap["decoded"]
        rng = random.Random(swap["id"])
        self.user = Keypair.from_seed(rng.randbytes(32))
        supply = self.fields.get("base_supply") or _FULL_SUPPLY
        effective = self.fields["pool_quote_token_reserves"] + self.fields.get("virtual_quote_reserves", 0)
        self.market = make_market(
            self._kind(), Reserves(self.fields["pool_base_token_reserves"], effective, supply), rng
        )
        self.schedule = chain.schedule()

    def execute(self) -> tuple[Quote, dict[str, Any]]:
        """(our quote for the build's schedule, fields of the event that the build emits)."""
        state, config = self.market.state, self.schedule.global_config
        self.market.write(self.chain)
        recipient = config.protocol_recipients(is_mayhem_mode=False)[0]
        who = TradeAccounts.of(state, self.user.pubkey(), recipient, config.buyback_fee_recipients[0])
        who.write_user(self.chain, state, base=_PLENTY, quote=_PLENTY, lamports=10**12)
        who.write_fee_accounts(self.chain, state, missing=frozenset())
        quote = self._quote(as_the_build_prices(state))
        instruction = swap_instruction(
            quote, state, self.schedule, user=self.user.pubkey(), limit=quote.limit(0), generation=1
        )
        clock = self.chain.svm.get_clock().unix_timestamp
        self.chain.set_time(self.fields["timestamp"])
        try:
            outcome = self.chain.send([set_compute_unit_limit(400_000), instruction], self.user)
        finally:
            self.chain.set_time(clock)
        assert isinstance(outcome, Receipt), outcome
        event = decode_event(outcome.events[0])
        return quote, {name: getattr(event, name) for name in event.__struct_fields__}

    def gross(self, fields: dict[str, Any]) -> int:
        """What priced the swap, under its name in this event."""
        exact_base, exact_quote = _GROSS[self.swap["event"]]
        return fields[exact_quote if fields.get("ix_name") == "buy_exact_quote_in" else exact_base]

    def _kind(self) -> PoolKind:
        fields = self.fields
        if self.swap["id"] == _EXOTIC:
            return OTHER_QUOTES[1]
        return PoolKind(
            "recorded",
            canonical=(fields["lp_fee_basis_points"], fields["protocol_fee_basis_points"]) != _FLAT,
            coin_creator=fields.get("coin_creator", "1" * 32) != "1" * 32,
            cashback=fields.get("cashback", 0) > 0,
        )

    def _quote(self, state: PoolState) -> Quote:
        fields = self.fields
        if self.swap["event"] == "SellEvent":
            return sell_exact_base(state, self.schedule, fields["base_amount_in"])
        if fields.get("ix_name") == "buy_exact_quote_in":
            return buy_exact_quote(state, self.schedule, fields["quote_amount_in"])
        return buy_exact_base(state, self.schedule, fields["base_amount_out"])


def as_the_build_prices(state: PoolState) -> PoolState:
    """Before 2026-09-09 every quote but SOL was priced by the stable tiers: quoted as if it were USDC."""
    pool = state.pool
    if not pool.is_canonical or pool.fee_family.value != "exotic":
        return state
    return msgspec.structs.replace(state, pool=pool.with_changes(quote_mint=USDC_MINT))
