"""PoolState of a collector's snapshot: what the row says, plus a documented rule for everything it cannot say."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isqrt

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import (
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
    canonical_pool,
    lp_mint,
    pool_authority,
)
from pumpswap.market.identifiers import network_of
from pumpswap.model import PoolSnapshot
from pumpswap.units import LAMPORTS_PER_SOL, U64_MAX

__all__ = ["ASSUMED_SUPPLY", "ASSUMPTIONS", "BASE_DECIMALS", "QUOTE_DECIMALS", "anchored", "pool_of", "rebuild"]

BASE_DECIMALS = 6
QUOTE_DECIMALS = 9
ASSUMED_SUPPLY = 10**15  # one billion tokens of 6 decimals

ASSUMPTIONS = (
    "Depth: the row's reserve counts both sides; half of it, in SOL at the row's own SOL price, is the quote reserve.",
    "Base reserve: the quote reserve at the row's price in SOL; where that is missing or 0, at its USD price.",
    "Supply: one billion tokens of 6 decimals. Other decimals would scale token amounts, not SOL amounts.",
    "Pool kind: canonical if the recorded address is the one that the Pump program derives for the mint.",
    "Any other PumpSwap pool is permissionless: it pays the flat fees and has no coin creator.",
    "A canonical pool has a coin creator; its key is not known and decides no amount.",
    "No virtual reserves, no fees owed, no cashback, no mayhem mode, SPL token programs, trades of generation 1.",
    "Fees: the schedule that was in force at the time of the row.",
)

_ACCOUNT_LEN = 243  # what a pool had in the era of these snapshots: with a coin creator, without anything newer
_LARGEST_EXPONENT = 60
_CONTRADICTION = 10  # prices of one row that differ by this factor are not two views of one market


def rebuild(snapshot: PoolSnapshot) -> PoolState | str:
    """The state behind ``snapshot`` by ASSUMPTIONS, or in one sentence why there is none. Never raises."""
    keys = _keys(snapshot)
    if isinstance(keys, str):
        return keys
    address, mint = keys
    reserve, quote_price = _positive(snapshot.reserve_usd), _positive(snapshot.quote_price_usd)
    if reserve is None:
        return "the pool has no reserve"
    if quote_price is None:
        return "the price of SOL is not known"
    price = _price(snapshot, quote_price)
    if isinstance(price, str):
        return price
    quote = int(reserve / 2 / quote_price * LAMPORTS_PER_SOL)
    base = int(quote / (price * Fraction(LAMPORTS_PER_SOL, 10**BASE_DECIMALS)))
    if quote == 0 or base == 0:
        return "the reserve is less than one unit"
    if quote > U64_MAX or base > U64_MAX:
        return "the reserve is beyond 64 bits: the row's figures cannot be right"
    return PoolState(
        pool=pool_of(address, mint),
        address=address,
        base_reserve=base,
        quote_vault=quote,
        base_supply=ASSUMED_SUPPLY,
        base_decimals=BASE_DECIMALS,
        quote_decimals=QUOTE_DECIMALS,
    )


def pool_of(address: Pubkey, mint: Pubkey, *, canonical: bool | None = None) -> Pool:
    """The Pool account assumed at ``address``. ``canonical`` None: decided by the address, as ASSUMPTIONS say."""
    authority = pool_authority(mint)
    if canonical is None:
        canonical = address == canonical_pool(mint)
    return Pool(
        pool_bump=0,
        index=0,
        # Keys that no source tells: a pool cannot have made itself, so its address is nobody's authority.
        creator=authority if canonical else address,
        base_mint=mint,
        quote_mint=WSOL_MINT,
        lp_mint=lp_mint(address),
        pool_base_token_account=ata(address, mint, TOKEN_PROGRAM),
        pool_quote_token_account=ata(address, WSOL_MINT, TOKEN_PROGRAM),
        lp_supply=0,
        coin_creator=authority if canonical else SYSTEM_PROGRAM,
        account_len=_ACCOUNT_LEN,
        tail=b"",
    )


def anchored(state: PoolState, price: Fraction, slot: int = 0) -> PoolState | None:
    """``state`` moved along its own curve to ``price`` (raw quote units per raw base unit); None where no curve goes.

    The product of the reserves stays. Prices anchor the curve and volumes do not: small trades and whole minutes are
    missing from recordings, so their flows do not add up to the reserves, while each single price is a fact.
    """
    if price <= 0:
        return None
    product = state.base_reserve * state.effective_quote_reserve
    quote = isqrt(product * price.numerator // price.denominator)
    base = product // quote if quote else 0
    vault = quote - state.pool.virtual_quote_reserves
    if not (0 < base <= U64_MAX and 0 < vault <= U64_MAX):
        return None
    return msgspec.structs.replace(state, base_reserve=base, quote_vault=vault, slot=max(slot, state.slot))


def _keys(snapshot: PoolSnapshot) -> tuple[Pubkey, Pubkey] | str:
    if network_of(snapshot.pool_id) != "solana":
        return f"the pool is on {network_of(snapshot.pool_id)}, not on Solana"
    if snapshot.dex != "pumpswap":
        return f"traded on {snapshot.dex or 'an unknown exchange'}, not on PumpSwap"
    if not snapshot.base_mint:
        return "the mint of the pool is not known"
    if not snapshot.quote_mint:
        return "the quote token of the pool is not known"
    if snapshot.quote_mint != str(WSOL_MINT):
        return f"quoted in {snapshot.quote_mint}, not in wrapped SOL"
    if snapshot.base_mint == snapshot.quote_mint:
        return "the mint of the pool is wrapped SOL itself"
    address, mint = _key(snapshot.pool), _key(snapshot.base_mint)
    if address is None:
        return f"{snapshot.pool!r} is no address"
    return (address, mint) if mint is not None else f"{snapshot.base_mint!r} is no mint"


def _key(text: str) -> Pubkey | None:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        return None


def _price(snapshot: PoolSnapshot, quote_price: Fraction) -> Fraction | str:
    """SOL per token. Of two prices of one row that contradict each other, nobody knows which is right: then none is."""
    in_sol, in_usd = _positive(snapshot.base_price_quote), _positive(snapshot.base_price_usd)
    if in_usd is None:
        return in_sol if in_sol is not None else "the price of the token is not known"
    converted = in_usd / quote_price
    if in_sol is None:
        return converted
    if not 1 < _CONTRADICTION * in_sol / converted < _CONTRADICTION**2:
        return (
            f"its prices contradict each other: {_shown(in_sol)} SOL, but {_shown(in_usd)} USD "
            f"with SOL at {_shown(quote_price)} USD"
        )
    return in_sol


def _shown(price: Fraction) -> str:
    """A price for people, the same however many zeros its source wrote behind it."""
    return f"{(Decimal(price.numerator) / price.denominator).normalize():f}"


def _positive(figure: Decimal | None) -> Fraction | None:
    """The exact figure when it is a positive number of a size that exists."""
    if figure is None or not figure.is_finite() or figure <= 0 or abs(figure.adjusted()) > _LARGEST_EXPONENT:
        return None
    return Fraction(figure)
