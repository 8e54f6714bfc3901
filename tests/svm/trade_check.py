"""One trade on the chain against one quote of ours: everything that moved, and everything the event says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumpswap.amm import BuyQuote, Pool, PoolState, Quote, decode_event, transfers_of
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.localnet.token_bytes import SPL_ACCOUNT_LEN, TOKEN_2022_ACCOUNT_LEN
from tests.svm.chain import SIGNATURE_FEE, Chain, Receipt
from tests.svm.trade_accounts import ACCUMULATOR_LEN, Balances, TradeAccounts

_ALWAYS_MADE = frozenset({"protocol", "creator"})
_BUILD_POOL_LEN = 245  # the newest layout that this build knows


def expected_creations(quote: Quote, before: Balances) -> frozenset[str]:
    """Which of the missing accounts a v1 trade makes.

    The protocol and creator accounts are made in any case, the latter even without a coin creator; the others only
    when something is paid into them. Every buy makes the volume accumulator, a sell only where it pays cashback.
    """
    made = set(_ALWAYS_MADE)
    if quote.buyback_fee:
        made.add("buyback")
    if quote.cashback:
        made |= {"cashback", "accumulator"}
    if isinstance(quote, BuyQuote):
        made.add("accumulator")
    return before.missing & made


def rent_paid(chain: Chain, state: PoolState, created: frozenset[str]) -> int:
    """Lamports that the user leaves in new accounts, and in a pool account that had to grow."""
    token_len = TOKEN_2022_ACCOUNT_LEN if state.quote_token_program == TOKEN_2022_PROGRAM else SPL_ACCOUNT_LEN
    made = sum(chain.rent(ACCUMULATOR_LEN if place == "accumulator" else token_len) for place in created)
    return made + chain.rent(pool_after(state.pool).account_len) - chain.rent(state.pool.account_len)


def pool_after(pool: Pool) -> Pool:
    """A v1 trade grows a pool account that is shorter than the build's layout, and changes nothing else in it."""
    if pool.account_len >= _BUILD_POOL_LEN:
        return pool
    return pool.with_changes(account_len=_BUILD_POOL_LEN, tail=b"")


def expected_balances(chain: Chain, state: PoolState, quote: Quote, before: Balances) -> Balances:
    """What must be where after the trade."""
    moved, after = transfers_of(quote, 1), state.after(quote, generation=1)
    created = expected_creations(quote, before)
    paid, received = (quote.total_quote, 0) if isinstance(quote, BuyQuote) else (0, quote.user_quote_out)
    base_change = quote.base_out if isinstance(quote, BuyQuote) else -quote.base_in
    assert (moved.user_base_change, moved.user_quote_change) == (base_change, received - paid)
    return Balances(
        user_base=before.user_base + base_change,
        user_quote=before.user_quote - paid + received,
        base_vault=after.base_reserve,
        quote_vault=after.quote_vault,
        protocol=before.protocol + quote.protocol_fee - quote.buyback_fee,
        creator=before.creator + quote.creator_fee,
        cashback=before.cashback + quote.cashback,
        buyback=before.buyback + quote.buyback_fee,
        user_lamports=before.user_lamports - SIGNATURE_FEE - rent_paid(chain, state, created),
        missing=before.missing - created,
    )


def balance_differences(expected: Balances, found: Balances) -> Iterator[str]:
    for name, want, got in zip(Balances._fields, expected, found, strict=True):
        if want != got:
            yield f"{name}: expected {want!r}, the chain has {got!r}"


def pool_differences(before: Pool, after: Pool, data: bytes) -> Iterator[str]:
    """A v1 trade leaves the fields of the pool account alone, on the chain and in our state."""
    if before != after:
        yield f"state.after changed the pool from {before} to {after}"
    expected = pool_after(after).encode()
    if expected != data:
        yield f"pool account: expected {expected.hex()}, the chain has {data.hex()}"


def event_differences(receipt: Receipt, expected: dict[str, Any]) -> Iterator[str]:
    """The one event: the log line and the self-call carry the same bytes, and the figures are the quote's."""
    if len(receipt.events) != 1 or receipt.events != receipt.logged_events:
        yield f"{len(receipt.events)} events in self-calls, {len(receipt.logged_events)} in the logs, or not the same"
        return
    event = decode_event(receipt.events[0])
    for name, want in expected.items():
        got = getattr(event, name)
        if want != got:
            yield f"event {name}: expected {want!r}, the chain says {got!r}"


def expected_event(
    state: PoolState, quote: Quote, who: TradeAccounts, before: Balances, *, limit: int, track_volume: bool, now: int
) -> dict[str, Any]:
    """Fields of the BuyEvent or SellEvent of this trade (reserves in it are those before the trade)."""
    pool, is_cashback = state.pool, quote.cashback > 0
    fields: dict[str, Any] = {
        "timestamp": now,
        "user_base_token_reserves": before.user_base,
        "user_quote_token_reserves": before.user_quote,
        "pool_base_token_reserves": state.base_reserve,
        "pool_quote_token_reserves": state.quote_vault,
        "lp_fee_basis_points": quote.lp_bps,
        "lp_fee": quote.lp_fee,
        "protocol_fee_basis_points": quote.protocol_bps,
        "protocol_fee": quote.protocol_fee,
        "pool": state.address,
        "user": who.user,
        "user_base_token_account": who.user_base,
        "user_quote_token_account": who.user_quote,
        "protocol_fee_recipient": who.recipient,
        "protocol_fee_recipient_token_account": who.protocol,
        "coin_creator": pool.coin_creator,
        "coin_creator_fee": quote.creator_fee,
        "cashback": quote.cashback,
        "cashback_fee_basis_points": quote.creator_bps if is_cashback else 0,
        "buyback_fee_basis_points": 0 if pool.is_mayhem_mode else 5_000,
        "buyback_fee": quote.buyback_fee,
        "virtual_quote_reserves": 0,
    }
    if quote.creator_fee or is_cashback:
        # Without a fee the program may still show the schedule's rate here.
        fields["coin_creator_fee_basis_points"] = 0 if is_cashback else quote.creator_bps
    return fields | (
        _buy_fields(quote, limit, track_volume) if isinstance(quote, BuyQuote) else _sell_fields(quote, limit)
    )


def _buy_fields(quote: BuyQuote, limit: int, track_volume: bool) -> dict[str, Any]:
    by_quote = quote.spendable_quote is not None
    return {
        "base_amount_out": quote.base_out,
        "max_quote_amount_in": quote.spendable_quote if by_quote else limit,
        # The two names swap their meaning for exact-quote buys: the budget, and what prices the swap.
        "quote_amount_in": quote.spendable_quote if by_quote else quote.gross_quote,
        "user_quote_amount_in": quote.gross_quote if by_quote else quote.total_quote,
        "quote_amount_in_with_lp_fee": quote.gross_quote + quote.lp_fee,
        "min_base_amount_out": limit if by_quote else quote.base_out,
        "ix_name": "buy_exact_quote_in" if by_quote else "buy",
        "track_volume": track_volume,
    }


def _sell_fields(quote: Any, limit: int) -> dict[str, Any]:
    return {
        "base_amount_in": quote.base_in,
        "min_quote_amount_out": limit,
        "quote_amount_out": quote.gross_quote,
        "quote_amount_out_without_lp_fee": quote.gross_quote - quote.lp_fee,
        "user_quote_amount_out": quote.user_quote_out,
    }
