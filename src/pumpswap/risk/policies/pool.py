"""Whether this pool takes this trade: its kind, the age of its state, depth, impact, slippage, the way out."""

from __future__ import annotations

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.errors import TradeRefused
from pumpswap.model import Verdict
from pumpswap.risk.policies.candidate import Candidate, percent, seconds, sol
from pumpswap.units import BPS

__all__ = ["freshness", "impact", "liquidity", "price", "slippage", "venue", "way_out"]

_ROUNDED_NS = 100_000_000  # times of slots are estimated: a state that is so little ahead of us is of now


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
    return Verdict("liquidity", real >= least, f"the pool holds {sol(real)} SOL, at least {sol(least)}", numbers)


def impact(ask: Candidate) -> Verdict | None:
    """The exact price impact of this size."""
    if ask.quotes is None or ask.amount == 0:
        return None
    most = ask.limits.max_impact_bps
    try:
        found = ask.quotes.impact(ask.amount)
    except TradeRefused as refused:
        return Verdict("price impact", False, refused.what)
    numbers = {"impact": str(found), "max_impact_bps": str(most)}
    passed = found.numerator * BPS <= most * found.denominator
    return Verdict("price impact", passed, f"{percent(found)}, at most {most / 100:g} %", numbers)


def price(ask: Candidate) -> Verdict | None:
    """The average price after all fees, against the price before the trade."""
    if ask.quotes is None or ask.amount == 0:
        return None
    most = ask.limits.max_cost_bps
    try:
        found = ask.quotes.cost(ask.amount)
    except TradeRefused as refused:
        return Verdict("price after fees", False, refused.what)
    numbers = {"over_spot": str(found), "max_cost_bps": str(most)}
    passed = found.numerator * BPS <= most * found.denominator
    return Verdict("price after fees", passed, f"{percent(found)} over spot, at most {most / 100:g} %", numbers)


def slippage(ask: Candidate) -> Verdict | None:
    """What the order would accept between quote and execution."""
    asked, most = ask.intent.slippage_bps, ask.limits.max_slippage_bps
    accepts = ask.limits.slippage_bps if asked is None else asked
    numbers = {"slippage_bps": str(accepts), "max_slippage_bps": str(most)}
    text = f"the order accepts {accepts / 100:g} %, at most {most / 100:g} %"
    return Verdict("slippage", 0 <= accepts <= most, text, numbers)


def way_out(ask: Candidate) -> Verdict | None:
    """It could be sold again at once at an acceptable loss."""
    if ask.quotes is None or ask.amount == 0:
        return None
    most = ask.limits.max_round_trip_loss_bps
    try:
        loss = ask.quotes.round_trip_loss(ask.amount)
    except TradeRefused as refused:
        return Verdict("way out", False, f"could not be sold again: {refused.what}")
    numbers = {"round_trip_loss": str(loss), "max_round_trip_loss_bps": str(most)}
    text = f"buying and selling at once loses {percent(loss)}, at most {most / 100:g} %"
    return Verdict("way out", loss.numerator * BPS <= most * loss.denominator, text, numbers)
