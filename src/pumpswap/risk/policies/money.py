"""Whether the money allows it: the size itself, one token, everything together, what has to stay."""

from __future__ import annotations

from pumpswap.model import Verdict
from pumpswap.risk.policies.candidate import Candidate, at_most
from pumpswap.units import format_sol

__all__ = ["balance", "concentration", "exposure", "native_reserve", "per_token", "size"]


def size(ask: Candidate) -> Verdict | None:
    """Sizing left something to trade, within the limits of one trade. What a person asked for is taken whole or not."""
    if not ask.is_sized:
        return None
    least, most = ask.caps.min_position, ask.caps.max_position
    numbers = {
        "budget_lamports": str(ask.budget),
        "min_lamports": str(least),
        "max_lamports": str(most),
        "limited_by": ask.limited_by,
    }
    asked = ask.asked
    if asked is not None and ask.budget < asked:
        numbers["asked_lamports"] = str(asked)
        return Verdict(
            "size", False, f"{format_sol(asked)} SOL asked for, the limits allow {format_sol(ask.budget)}", numbers
        )
    if ask.budget < max(least, 1):
        return Verdict("size", False, f"no size of at least {format_sol(least)} SOL fits: {ask.limited_by}", numbers)
    return Verdict("size", ask.budget <= most, f"{format_sol(ask.budget)} SOL, at most {format_sol(most)}", numbers)


def balance(ask: Candidate) -> Verdict | None:
    """The trade and its own costs are there."""
    if ask.amount == 0:
        return None
    needed, free = ask.amount + ask.caps.cost_allowance, ask.book.balance
    numbers = {"needed_lamports": str(needed), "free_lamports": str(free)}
    return Verdict(
        "balance", needed <= free, f"{format_sol(needed)} SOL with costs, {format_sol(free)} are free", numbers
    )


def native_reserve(ask: Candidate) -> Verdict | None:
    """Fees, rent and exits stay payable, after this trade and everything that is on its way."""
    if ask.amount == 0:
        return None
    left, least = ask.book.balance - ask.amount - ask.caps.cost_allowance, ask.caps.native_reserve
    numbers = {"left_lamports": str(left), "native_reserve_lamports": str(least)}
    return Verdict(
        "native reserve", left >= least, f"{format_sol(left)} SOL would stay, at least {format_sol(least)}", numbers
    )


def per_token(ask: Candidate) -> Verdict | None:
    """What one token may cost, in all its pools together, fees in."""
    if ask.amount == 0:
        return None
    total = ask.book.token_exposure + ask.amount + ask.caps.cost_allowance
    return at_most(
        "per token", total, ask.caps.max_token, f"{format_sol(total)} SOL in this token with this trade and its costs"
    )


def concentration(ask: Candidate) -> Verdict | None:
    """The same, as a share of equity."""
    if ask.amount == 0:
        return None
    total = ask.book.token_exposure + ask.amount + ask.caps.cost_allowance
    most = ask.caps.token_fraction.part(ask.book.equity)
    return at_most(
        "concentration", total, most, f"{format_sol(total)} SOL of equity in this token with this trade and its costs"
    )


def exposure(ask: Candidate) -> Verdict | None:
    """All positions together stay below a share of equity."""
    if ask.amount == 0:
        return None
    total = ask.book.exposure + ask.amount + ask.caps.cost_allowance
    most = ask.caps.exposure_fraction.part(ask.book.equity)
    return at_most("total exposure", total, most, f"{format_sol(total)} SOL with this trade and its costs")
