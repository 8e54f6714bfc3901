"""Swaps, as the program reports them (PROTOCOL 5.2).

Recorded payload lengths: BuyEvent 304 (March 2025) to 478 + the length of ``ix_name`` (since 2026-10-02), SellEvent 304
to 433.
"""

from __future__ import annotations

from pumpswap.amm.codec import I64, I128, U64, ZERO_KEY, Flag, Key, Text
from pumpswap.amm.events.event import Event

__all__ = ["BuyEvent", "SellEvent"]


class BuyEvent(Event, frozen=True):
    """A purchase of base. Two amounts change their meaning with the instruction: read ``gross_quote`` and
    ``total_quote`` instead of ``quote_amount_in`` and ``user_quote_amount_in``.
    """

    DISCRIMINATOR = bytes.fromhex("67f4521f2cf57777")

    timestamp: I64 = 0
    base_amount_out: U64 = 0
    max_quote_amount_in: U64 = 0
    user_base_token_reserves: U64 = 0
    user_quote_token_reserves: U64 = 0
    pool_base_token_reserves: U64 = 0  # before the trade, as all reserves here
    pool_quote_token_reserves: U64 = 0
    quote_amount_in: U64 = 0  # exact base: what priced the swap; exact quote: the budget
    lp_fee_basis_points: U64 = 0
    lp_fee: U64 = 0
    protocol_fee_basis_points: U64 = 0
    protocol_fee: U64 = 0
    quote_amount_in_with_lp_fee: U64 = 0
    user_quote_amount_in: U64 = 0  # exact base: the whole cost; exact quote: what priced the swap
    pool: Key = ZERO_KEY
    user: Key = ZERO_KEY
    user_base_token_account: Key = ZERO_KEY
    user_quote_token_account: Key = ZERO_KEY
    protocol_fee_recipient: Key = ZERO_KEY  # zero on v2, whose fees stay in the quote vault
    protocol_fee_recipient_token_account: Key = ZERO_KEY
    coin_creator: Key = ZERO_KEY
    coin_creator_fee_basis_points: U64 = 0  # may show a rate although no fee is charged: use the amount
    coin_creator_fee: U64 = 0
    track_volume: Flag = False
    total_unclaimed_tokens: U64 = 0
    total_claimed_tokens: U64 = 0
    current_sol_volume: U64 = 0
    last_update_timestamp: I64 = 0
    min_base_amount_out: U64 = 0  # exact base: repeats base_amount_out
    ix_name: Text = ""  # empty in events older than late 2025
    cashback_fee_basis_points: U64 = 0
    cashback: U64 = 0
    buyback_fee_basis_points: U64 = 0
    buyback_fee: U64 = 0  # a part of protocol_fee
    virtual_quote_reserves: I128 = 0  # before the trade; since 2026-07-15
    can_boost: Flag = False
    base_supply: U64 = 0  # mint supply; 0 in most events of permissionless pools
    holder_rewards_bps: U64 = 0
    holder_rewards: U64 = 0  # repeats coin_creator_fee: no further cost
    creator_fee_unclaimed: U64 = 0  # after the trade; since 2026-10-02

    @property
    def is_exact_quote(self) -> bool:
        """Whether the buyer named a budget (``buy_exact_quote_in``, ``…_v2``): amounts swap their meanings (5.2)."""
        return self.ix_name.startswith("buy_exact_quote_in")

    @property
    def is_v2(self) -> bool:
        """Whether a v2 instruction made it, by name: protocol and creator fees stayed in the quote vault (4.9)."""
        return self.ix_name.endswith("_v2")

    @property
    def is_boost_burn(self) -> bool:
        """Whether the boost authority bought to burn (5.2): no trader's volume.

        It borrows the name ``buy_exact_quote_in``; a v1 buy of that name cannot have a zero recipient (6013), and the
        v2 buys, which have one, carry another name.
        """
        return self.ix_name == "buy_exact_quote_in" and self.protocol_fee_recipient == ZERO_KEY

    @property
    def fees(self) -> int:
        """All fees on top of ``gross_quote`` (5.2); ``buyback_fee`` and ``holder_rewards`` are parts of them."""
        return self.lp_fee + self.protocol_fee + self.coin_creator_fee + self.cashback

    @property
    def gross_quote(self) -> int:
        """What priced the swap: q of an exact-base buy, net of an exact-quote buy (5.2).

        ``quote_amount_in_with_lp_fee`` is this plus the LP fee in both, so no name has to be known.
        """
        return self.quote_amount_in_with_lp_fee - self.lp_fee

    @property
    def total_quote(self) -> int:
        """What the buyer really paid (5.2): ``gross_quote`` and all fees. Cashback can be claimed back later (4.9)."""
        return self.gross_quote + self.fees

    @property
    def effective_quote_reserve(self) -> int:
        """E before the trade, which every price uses (5.2): vault balance plus virtual reserves."""
        return self.pool_quote_token_reserves + self.virtual_quote_reserves


class SellEvent(Event, frozen=True):
    """A sale of base."""

    DISCRIMINATOR = bytes.fromhex("3e2f370aa503dc2a")

    timestamp: I64 = 0
    base_amount_in: U64 = 0
    min_quote_amount_out: U64 = 0
    user_base_token_reserves: U64 = 0
    user_quote_token_reserves: U64 = 0
    pool_base_token_reserves: U64 = 0  # before the trade, as all reserves here
    pool_quote_token_reserves: U64 = 0
    quote_amount_out: U64 = 0  # what priced the swap, before fees
    lp_fee_basis_points: U64 = 0
    lp_fee: U64 = 0
    protocol_fee_basis_points: U64 = 0
    protocol_fee: U64 = 0
    quote_amount_out_without_lp_fee: U64 = 0
    user_quote_amount_out: U64 = 0
    pool: Key = ZERO_KEY
    user: Key = ZERO_KEY
    user_base_token_account: Key = ZERO_KEY
    user_quote_token_account: Key = ZERO_KEY
    protocol_fee_recipient: Key = ZERO_KEY  # zero on v2, whose fees stay in the quote vault
    protocol_fee_recipient_token_account: Key = ZERO_KEY
    coin_creator: Key = ZERO_KEY
    coin_creator_fee_basis_points: U64 = 0  # may show a rate although no fee is charged: use the amount
    coin_creator_fee: U64 = 0
    cashback_fee_basis_points: U64 = 0
    cashback: U64 = 0
    buyback_fee_basis_points: U64 = 0
    buyback_fee: U64 = 0  # a part of protocol_fee
    virtual_quote_reserves: I128 = 0  # before the trade; since 2026-07-15
    can_boost: Flag = False
    base_supply: U64 = 0  # mint supply; 0 in most events of permissionless pools
    holder_rewards_bps: U64 = 0
    holder_rewards: U64 = 0  # repeats coin_creator_fee: no further cost
    creator_fee_unclaimed: U64 = 0  # after the trade; since 2026-10-02

    @property
    def is_v2(self) -> bool:
        """Whether ``sell_v2`` made it: a sale has no ``ix_name``, its zero recipient tells (5.2)."""
        return self.protocol_fee_recipient == ZERO_KEY

    @property
    def fees(self) -> int:
        """All fees taken from ``gross_quote`` (5.2); ``buyback_fee`` and ``holder_rewards`` are parts of them."""
        return self.lp_fee + self.protocol_fee + self.coin_creator_fee + self.cashback

    @property
    def gross_quote(self) -> int:
        """What priced the swap (5.2): the seller's proceeds before fees."""
        return self.quote_amount_out

    @property
    def effective_quote_reserve(self) -> int:
        """E before the trade, which every price uses (5.2): vault balance plus virtual reserves."""
        return self.pool_quote_token_reserves + self.virtual_quote_reserves
