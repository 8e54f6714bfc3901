"""How much to buy: what is wished, then what is allowed. Every step is kept, so that ``why`` can show the calculation.

What is wished begins with the base fraction and is scaled by the signal's odds, volatility, strength and regime. Only
the regime may raise it. From there on every step is a cap and only lowers, so no wish can pass a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pumpswap.amm.largest import largest_buy
from pumpswap.errors import BadInput, TradeRefused
from pumpswap.model import Signal, SizingStep
from pumpswap.risk.caps import Caps
from pumpswap.risk.odds import PPM, kelly, ppm, regime_ppm, strength_ppm, volatility_ppm
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.way_out import largest_with_way_out
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS, I64_MAX, format_sol

__all__ = ["POOL_STEPS", "Funds", "Size", "size_buy"]

POOL_STEPS = frozenset({"share of the pool", "price impact", "way out"})  # those by which the pool makes a size small


@dataclass(frozen=True, slots=True)
class Funds:
    """What there is, and what of it is taken, in lamports: ``exposure`` is the cost of all that is held, fees in, with
    what buys on their way may cost, and ``token_exposure`` the part of it that is in the token to be bought.
    ``approved`` is what a person has approved to be spent, where one was asked; ``most`` what the wish itself allows.
    """

    balance: int
    equity: int
    exposure: int = 0
    token_exposure: int = 0
    approved: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Budget of a buy in lamports and how it came about; 0 with the step that made it so."""

    lamports: int
    steps: tuple[SizingStep, ...]

    @property
    def limited_by(self) -> str:
        """The step that made it so: the last that lowered it, or raised it, or the first."""
        changed = [
            here for here, before in zip(self.steps[1:], self.steps, strict=False) if here.lamports != before.lamports
        ]
        step = changed[-1] if changed else next(iter(self.steps), None)
        return "" if step is None else step.rule


class _Calculation:
    """The steps so far. Once the size is 0 it stays so, and its last step says why."""

    def __init__(self) -> None:
        self.lamports = 0
        self.steps: list[SizingStep] = []

    @property
    def size(self) -> Size:
        return Size(self.lamports, tuple(self.steps))

    def put(self, rule: str, lamports: int, note: str) -> None:
        if self.steps and not self.lamports:
            return
        self.lamports = max(lamports, 0)
        self.steps.append(SizingStep(rule, self.lamports, note))

    def cap(self, rule: str, lamports: int, note: str) -> None:
        self.put(rule, min(self.lamports, lamports), note)


def size_buy(
    quotes: PoolQuotes,
    limits: RiskLimits,
    funds: Funds,
    *,
    signal: Signal | None = None,
    asked_lamports: int | None = None,
    caps: Caps | None = None,
) -> Size:
    """Size of a buy for ``signal``, or of the ``asked_lamports`` that a person named: all caps hold for both.

    Bad input gives 0 with the reason, never a default size.
    """
    caps = caps or Caps.of(limits)
    steps = _Calculation()
    obstacle = _obstacle(funds, signal, asked_lamports)
    if obstacle:
        steps.put("input", 0, obstacle)
        return steps.size
    if asked_lamports is not None:
        steps.put("asked", asked_lamports, "by hand")
    elif signal is not None:
        _wish(steps, limits, caps, funds.balance, signal)
    if funds.most is not None:
        steps.cap("named maximum", funds.most, f"the wish allows {format_sol(max(funds.most, 0))} SOL")
    for capped in (_cap_by_money, _cap_by_room, _cap_by_pool):
        capped(steps, limits, caps, funds, quotes)
    if funds.approved is not None:
        steps.cap("approved", funds.approved, f"{format_sol(funds.approved)} SOL were approved")
    if 0 < steps.lamports < caps.min_position:
        steps.cap("minimum size", 0, f"{format_sol(steps.lamports)} SOL is below {limits.min_position_sol} SOL")
    return steps.size


def _obstacle(funds: Funds, signal: Signal | None, asked: int | None) -> str:
    for name, amount in (
        ("balance", funds.balance),
        ("equity", funds.equity),
        ("exposure", funds.exposure),
        ("exposure of the token", funds.token_exposure),
    ):
        if type(amount) is not int or not 0 <= amount <= I64_MAX:
            return f"the {name} is {amount!r} lamports"
    if funds.balance == 0:
        return "the balance is 0"
    if asked is not None and (type(asked) is not int or not 0 < asked <= I64_MAX):
        return f"{asked!r} lamports asked for"
    return "there is no signal, and nobody named a size" if signal is None and asked is None else ""


# ---------------------------------------------------------------------------------------------------- what is wished


def _wish(steps: _Calculation, limits: RiskLimits, caps: Caps, balance: int, signal: Signal) -> None:
    steps.put("base fraction", caps.base_fraction.part(balance), f"{limits.base_position_fraction} of the balance")
    try:
        _by_odds(steps, limits, balance, signal)
        if limits.scale_by_volatility and signal.vol_risk is not None:
            left = volatility_ppm(signal.vol_risk, float(limits.base_position_fraction))
            note = f"vol_risk {signal.vol_risk:.3g}: × {left / PPM:.3f}"
            steps.cap("volatility", steps.lamports * left // PPM, note)
        left = strength_ppm(signal.strength)
        steps.cap(
            "signal strength", steps.lamports * left // PPM, f"strength {signal.strength:.3f}: × {left / PPM:.3f}"
        )
        factor = regime_ppm(signal.size_multiplier)
        if signal.regime or factor != PPM:
            note = f"{signal.regime or 'no regime named'}: × {factor / PPM:g}"
            steps.put("regime", steps.lamports * factor // PPM, note)
    except BadInput as bad:
        steps.put("input", 0, bad.what)


def _by_odds(steps: _Calculation, limits: RiskLimits, balance: int, signal: Signal) -> None:
    """Kelly, where the signal tells both its chance and its odds; one of them alone says nothing."""
    chance, odds = signal.win_probability, signal.win_loss_ratio
    if limits.kelly_fraction == 0 or chance is None or odds is None:
        return
    full = kelly(chance, odds)
    told = f"p {chance:.3f}, b {odds:.3g}: f* {full:.4f}"
    if full <= 0:
        steps.cap("Kelly", 0, f"{told}, no edge")
        return
    part = ppm(full * float(limits.kelly_fraction))
    steps.cap("Kelly", balance * part // PPM, f"{told}, of it {limits.kelly_fraction}: {part / PPM:.4f} of the balance")


# ---------------------------------------------------------------------------------------------------- what is allowed


def _cap_by_money(steps: _Calculation, limits: RiskLimits, caps: Caps, funds: Funds, quotes: PoolQuotes) -> None:
    part = caps.max_fraction.part(funds.balance)
    steps.cap("maximum fraction", part, f"{limits.max_position_fraction} of the balance")
    steps.cap("maximum size", caps.max_position, f"{limits.max_position_sol} SOL")
    spendable = funds.balance - caps.native_reserve - caps.cost_allowance
    kept = f"{limits.native_reserve_sol} SOL stay, {limits.cost_allowance_sol} SOL for costs"
    steps.cap("native reserve", spendable, kept)


def _cap_by_room(steps: _Calculation, limits: RiskLimits, caps: Caps, funds: Funds, quotes: PoolQuotes) -> None:
    # The fees of the buy become cost of what is held, so its allowance for them needs room too.
    token, equity, costs = funds.token_exposure, funds.equity, caps.cost_allowance
    with_costs = f"{limits.cost_allowance_sol} SOL for costs"
    left = caps.max_token - token - costs
    steps.cap("per token", left, f"{limits.max_token_sol} SOL, {format_sol(token)} SOL held, {with_costs}")
    left = caps.token_fraction.part(equity) - token - costs
    steps.cap(
        "concentration", left, f"{limits.max_token_fraction} of equity, {format_sol(token)} SOL held, {with_costs}"
    )
    taken = funds.exposure
    left = caps.exposure_fraction.part(equity) - taken - costs
    steps.cap(
        "total exposure", left, f"{limits.max_exposure_fraction} of equity, {format_sol(taken)} SOL taken, {with_costs}"
    )


def _cap_by_pool(steps: _Calculation, limits: RiskLimits, caps: Caps, funds: Funds, quotes: PoolQuotes) -> None:
    real = max(quotes.state.real_quote_reserve, 0)
    steps.cap(
        "share of the pool",
        real * caps.pool_share_bps // BPS,
        f"{caps.pool_share_bps} bps of {format_sol(real)} SOL in it",
    )
    if not steps.lamports:
        return
    note = f"impact at most {limits.max_impact_bps} bps, price after fees at most {limits.max_cost_bps} bps over spot"
    steps.cap("price impact", _largest_within_price(quotes, limits, steps.lamports), note)
    if not steps.lamports:
        return
    note = f"a round trip loses at most {limits.max_round_trip_loss_bps} bps"
    steps.cap("way out", largest_with_way_out(quotes, steps.lamports, limits.max_round_trip_loss_bps), note)


def _largest_within_price(quotes: PoolQuotes, limits: RiskLimits, most: int) -> int:
    impact, cost = Fraction(limits.max_impact_bps, BPS), Fraction(limits.max_cost_bps, BPS)
    try:
        if quotes.impact(most) <= impact and quotes.cost(most) <= cost:
            return most
    except TradeRefused:
        pass  # less may be taken: the search tells
    return largest_buy(quotes.state, quotes.schedule, most=most, max_impact=impact, max_cost_over_spot=cost)
