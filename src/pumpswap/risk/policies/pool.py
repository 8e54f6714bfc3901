"""Whether this pool takes this trade: its kind, the age of its state, depth, impact, slippage, the way out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.errors import TradeRefused
from pumpswap.model import Verdict
from pumpswap.risk.policies.candidate import Candidate, percent, seconds
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.units import BPS, format_sol

__all__ = ["freshness", "impact", "liquidity", "price", "slippage", "venue", "way_out"]

_ROUNDED_NS = 100_000_000  # times of slots are estimated: a state that is so little ahead of us is of now


class _Told(NamedTuple):
    """How a share of the trade and its limit are told; ``refused`` begins what is said of a trade that cannot be."""

    policy: str
    number: str
    limit: str
    share: str = "{}"
    refused: str = ""


_IMPACT = _Told("price impact", "impact", "max_impact_bps")
_PRICE = _Told("price after fees", "over_spot", "max_cost_bps", "{} over spot")
_WAY_OUT = _Told(
    "way out",
    "round_trip_loss",
    "max_round_trip_loss_bps",
    "buying and selling at once loses {}",
    "could not be sold again: ",
)


def venue(ask: Candidate) -> Verdict | None:
    """The pool is one we can trade at all, and trades what is wished for."""
    state = ask.state
    if state is None or ask.obstacle:
        return Verdict("venue", False, ask.obstacle or "no state of this pool is known")
    pool = state.pool
    if pool.account_len not in KNOWN_POOL_LENGTHS or any(pool.tail):
        return Verdict("venue", False, "the pool account has a layout that this version does not know: upgrade")
    if pool.quote_mint != WSOL_MINT or pool.base_mint == WSOL_MINT:
        return Verdict("venue", False, "the pool does not price a token in SOL")
    if str(pool.base_mint) != ask.intent.mint:
        text = "the pool trades another token than the wish names"
        return Verdict("venue", False, text, {"base_mint": str(pool.base_mint), "wished": ask.intent.mint})
    if pool.is_canonical:
        return Verdict("venue", True, "a canonical PumpSwap pool")
    text = "not the coin's canonical pool: anyone can make one and pull its liquidity"
    return Verdict("venue", ask.limits.allow_permissionless_pools, text)


def freshness(ask: Candidate) -> Verdict | None:
    """The state is recent enough to trade on. One that is stamped later than now is as far off as an older one."""
    if ask.quotes is None:
        return None
    most = ask.limits.max_state_age_seconds
    if ask.observed_ns is None:
        return Verdict("fresh state", False, "nobody knows how old the pool's state is")
    age = ask.intent.at_ns - ask.observed_ns
    numbers = {"age_ns": str(age), "max_state_age_seconds": str(most)}
    said = f"{seconds(max(age, 0))} old" if age >= -_ROUNDED_NS else f"stamped {seconds(-age)} after now"
    text = f"the pool's state is {said}, at most {most} s"
    return Verdict("fresh state", abs(age) <= ask.caps.max_state_age_ns, text, numbers)


def liquidity(ask: Candidate) -> Verdict | None:
    """The pool really holds enough, in itself and for this size."""
    if ask.state is None:
        return None
    real = ask.state.real_quote_reserve
    least = max(ask.caps.min_liquidity, ask.amount * ask.limits.liquidity_multiple)
    numbers = {"real_quote_lamports": str(real), "min_lamports": str(least)}
    return Verdict(
        "liquidity", real >= least, f"the pool holds {format_sol(real)} SOL, at least {format_sol(least)}", numbers
    )


def impact(ask: Candidate) -> Verdict | None:
    """The exact price impact of this size."""
    return _within(ask, _IMPACT, PoolQuotes.impact, ask.limits.max_impact_bps)


def price(ask: Candidate) -> Verdict | None:
    """The average price after all fees, against the price before the trade."""
    return _within(ask, _PRICE, PoolQuotes.cost, ask.limits.max_cost_bps)


def slippage(ask: Candidate) -> Verdict | None:
    """What the order would accept between quote and execution."""
    asked, most = ask.intent.slippage_bps, ask.limits.max_slippage_bps
    accepts = ask.limits.slippage_bps if asked is None else asked
    numbers = {"slippage_bps": str(accepts), "max_slippage_bps": str(most)}
    text = f"the order accepts {accepts / 100:g} %, at most {most / 100:g} %"
    return Verdict("slippage", 0 <= accepts <= most, text, numbers)


def way_out(ask: Candidate) -> Verdict | None:
    """It could be sold again at once at an acceptable loss."""
    return _within(ask, _WAY_OUT, PoolQuotes.round_trip_loss, ask.limits.max_round_trip_loss_bps)


def _within(
    ask: Candidate, told: _Told, measure: Callable[[PoolQuotes, int], Fraction], most_bps: int
) -> Verdict | None:
    """Whether what the pool would do to this size is within its limit, compared exactly."""
    if ask.quotes is None or ask.amount == 0:
        return None
    try:
        found = measure(ask.quotes, ask.amount)
    except TradeRefused as refused:
        return Verdict(told.policy, False, f"{told.refused}{refused.what}")
    numbers = {told.number: str(found), told.limit: str(most_bps)}
    passed = found.numerator * BPS <= most_bps * found.denominator
    return Verdict(told.policy, passed, f"{told.share.format(percent(found))}, at most {most_bps / 100:g} %", numbers)
