"""Feasibility: what a trade in a pool would really cost, how large it may be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from pumpswap.amm import BuyQuote, buy_exact_quote, sell_exact_base
from pumpswap.amm.codec import Record
from pumpswap.amm.largest import cost_over_spot, largest_buy
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.model import ScreenVerdict
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals.enhanced_score import FeasibilityScore, ScoreRules, feasibility_score
from pumpswap.signals.pool_facts import PoolFacts, PoolKind
from pumpswap.units import BPS, U64_MAX, format_sol, to_units

__all__ = ["Assessor", "Feasibility", "FeesNow", "SizeImpact", "assess"]


@dataclass(frozen=True, slots=True)
class FeesNow:
    """What a trade pays at this moment, in bps of the amount that prices it. ``cashback`` says that the creator's part
    can be claimed back by the trader later.
    """

    lp_bps: int
    protocol_bps: int
    creator_bps: int
    cashback: bool

    @property
    def total_bps(self) -> int:
        """All three together."""
        return self.lp_bps + self.protocol_bps + self.creator_bps


class SizeImpact(Record, frozen=True):
    """What a buy of ``quote_lamports``, fees included, does: ``impact`` before fees and ``cost_over_spot`` after them,
    both against the spot price. Both None, with the reason in ``refused``, when the pool does not sell this much.
    """

    quote_lamports: int
    base_units: int
    impact: Fraction | None
    cost_over_spot: Fraction | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What can be traded. Lamports and exact fractions.

    ``can_buy``: some size is within the limits of impact and cost, the program takes buys, and the screen of the token
    does not object. ``can_sell``: what the intended buy brings could be sold again at once. ``largest_lamports`` is the
    largest size within both limits; ``max_buy_lamports`` the same up to the reference size of the score, and 0 when
    ``can_buy`` is false. ``screen`` is the screen's verdict, or ``not_requested``. ``reasons`` say what speaks against
    a trade, the intended size included.
    """

    depth_lamports: int
    intended: SizeImpact
    ladder: tuple[SizeImpact, ...]
    fees: FeesNow | None
    largest_lamports: int
    max_buy_lamports: int
    kind: PoolKind
    screen: str
    can_buy: bool
    can_sell: bool
    min_liquidity_met: bool
    intended_fits: bool
    score: FeasibilityScore
    reasons: tuple[str, ...]

    @property
    def is_tradeable(self) -> bool:
        """Whether a position could be opened here: buy, sell again, and enough liquidity for both."""
        return self.can_buy and self.can_sell and self.min_liquidity_met


class Assessor:
    """Assesses pools by the same settings, which it prepares once."""

    def __init__(self, settings: FeasibilitySettings) -> None:
        self.rules = ScoreRules.of(settings)
        self._intended = settings.lamports("intended_sol")
        self._ladder = tuple(lamports for size in settings.ladder_sol if (lamports := to_units(size, 9)))
        self._max_cost = Fraction(settings.max_slippage_bps, BPS)
        self._reference_buy = int(self.rules.reference_buy)
        self._least_depth = settings.lamports("min_liquidity_sol")
        self._liquidity_multiple = settings.liquidity_multiple
        self._require_screen = settings.require_screen

    def assess(self, facts: PoolFacts, intended_lamports: int | None = None) -> Feasibility:
        """Feasibility of a buy of ``intended_lamports``, fees included (default: the setting ``intended_sol``).

        Raises UsageError for a size of nothing, TradeRefused for a pool that is not priced in SOL, where depth and
        sizes in SOL mean nothing, and for one that sells SOL for SOL.
        """
        intended = self._intended if intended_lamports is None else intended_lamports
        if type(intended) is not int or intended <= 0:
            raise UsageError(f"an intended size of {intended} lamports", hint="it must be a whole number above 0")
        if not facts.is_priced_in_sol:
            raise TradeRefused(
                f"quoted in {facts.state.pool.quote_mint}, not in wrapped SOL",
                code=None,
                name="NotPricedInSol",
                hint="sizes and depth are in SOL; quote such a pool with: pumpswap quote",
            )
        if facts.is_sol_itself:
            raise TradeRefused(
                "the coin of the pool is SOL itself",
                code=None,
                name="NotACoin",
                hint="name a pool whose base token is a coin",
            )
        largest = self._largest(facts, U64_MAX)
        wanted, quote = _size_impact(facts, intended)
        against_buy = tuple(self._against_buying(facts, largest))
        against_sell = tuple(_against_selling(facts, quote))
        depth = facts.depth_lamports
        shallow = self._against_liquidity(depth, intended)
        misfit = self._misfit(wanted)
        max_buy = 0 if against_buy else self._capped(facts, largest)
        return Feasibility(
            depth_lamports=depth,
            intended=wanted,
            ladder=tuple(wanted if size == intended else _size_impact(facts, size)[0] for size in self._ladder),
            fees=_fees_now(facts),
            largest_lamports=largest,
            max_buy_lamports=max_buy,
            kind=facts.kind,
            screen="not_requested" if facts.screen is None else facts.screen.verdict.value,
            can_buy=not against_buy,
            can_sell=not against_sell,
            min_liquidity_met=not shallow,
            intended_fits=not misfit,
            score=feasibility_score(depth, wanted.impact, max_buy, self.rules),
            reasons=(*against_buy, *against_sell, *shallow, *misfit),
        )

    def _largest(self, facts: PoolFacts, most: int) -> int:
        return largest_buy(
            facts.state,
            facts.schedule,
            most=most,
            max_impact=self.rules.max_impact,
            max_cost_over_spot=self._max_cost,
        )

    def _capped(self, facts: PoolFacts, largest: int) -> int:
        """The largest size up to the reference of the score. Asked anew: not every size below the largest passes."""
        return largest if largest <= self._reference_buy else self._largest(facts, self._reference_buy)

    def _misfit(self, size: SizeImpact) -> tuple[str, ...]:
        """Which limits a size breaks."""
        most_impact, most_cost = self.rules.max_impact, self._max_cost
        if size.impact is None or size.cost_over_spot is None:
            return (f"{_bought(size)} is refused: {size.refused}",)
        broken = []
        if size.impact > most_impact:
            broken.append(
                f"{_bought(size)} moves the price by {_percent(size.impact)}, at most {_percent(most_impact)}"
            )
        if size.cost_over_spot > most_cost:
            found = _percent(size.cost_over_spot)
            broken.append(f"{_bought(size)} costs {found} over spot, at most {_percent(most_cost)}")
        return tuple(broken)

    def _against_buying(self, facts: PoolFacts, largest: int) -> Iterator[str]:
        pool, screen = facts.state.pool, facts.screen
        if facts.schedule.global_config.buys_disabled:
            yield "the program takes no buys at the moment"
        if pool.account_len not in KNOWN_POOL_LENGTHS or any(pool.tail):
            yield "the pool account has a layout that this version does not know"
        if largest == 0:
            yield "no size is within the limits of impact and cost"
        if screen is None:
            if self._require_screen:
                yield "the token was not screened"
        elif screen.verdict is ScreenVerdict.UNSAFE:
            yield f"the token is not safe: {_first(screen.objections)}"
        elif screen.verdict is ScreenVerdict.UNKNOWN:
            yield f"whether the token is safe is not known: {_first(screen.objections)}"

    def _against_liquidity(self, depth_lamports: int, intended: int) -> tuple[str, ...]:
        least = max(self._least_depth, intended * self._liquidity_multiple)
        if depth_lamports >= least:
            return ()
        return (f"the pool holds {format_sol(depth_lamports)} SOL, at least {format_sol(least)} are asked for",)


def assess(facts: PoolFacts, settings: FeasibilitySettings, intended_lamports: int | None = None) -> Feasibility:
    """Feasibility of one pool; see ``Assessor.assess``, which is faster for many."""
    return Assessor(settings).assess(facts, intended_lamports)


def _size_impact(facts: PoolFacts, quote_lamports: int) -> tuple[SizeImpact, BuyQuote | None]:
    try:
        quote = buy_exact_quote(facts.state, facts.schedule, quote_lamports)
    except TradeRefused as refused:
        return SizeImpact(quote_lamports, 0, None, None, refused.what), None
    return SizeImpact(quote_lamports, quote.base_out, quote.impact, cost_over_spot(quote)), quote


def _fees_now(facts: PoolFacts) -> FeesNow | None:
    try:
        lp, protocol, creator = facts.schedule.rates(facts.state)
    except TradeRefused:
        return None
    return FeesNow(lp, protocol, creator, facts.state.pool.is_cashback_coin)


def _against_selling(facts: PoolFacts, bought: BuyQuote | None) -> Iterator[str]:
    """What speaks against selling again what the intended buy brings."""
    if facts.schedule.global_config.sells_disabled:
        yield "the program takes no sales at the moment"
    if bought is None:
        yield "what cannot be bought cannot be sold again"
        return
    try:
        proceeds = sell_exact_base(facts.state.after(bought), facts.schedule, bought.base_out).user_quote_out
    except TradeRefused as refused:
        yield f"it could not be sold again: {refused.what}"
        return
    if proceeds <= 0:
        yield "a sale of it would pay nothing"


def _first(reasons: tuple[str, ...]) -> str:
    return reasons[0] if reasons else "no check was made"


def _bought(size: SizeImpact) -> str:
    return f"a buy of {format_sol(size.quote_lamports)} SOL"


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:,.2f} %"
