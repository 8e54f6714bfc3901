"""Quotes over several pools in one transaction (PROTOCOL 3.5 and 4.10)."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey

from pumpswap.amm.codec import Record
from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.state import PoolState, empty_pool
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import BPS

__all__ = ["MAX_HOPS", "HopQuote", "RouteQuote", "buy_hop", "check_route", "quote_route", "sell_hop"]

MAX_HOPS = 6


class HopQuote(Record, frozen=True):
    """One hop: what came in, what priced it, the fees charged on this leg, what went out."""

    amount_in: int
    priced_quote: int
    lp_fee: int
    protocol_fee: int
    creator_fee: int
    amount_out: int


class RouteQuote(Record, frozen=True):
    """A route: exact input, the hops in order, the output of the last one."""

    is_buy: bool
    amount_in: int
    hops: tuple[HopQuote, ...]

    @property
    def amount_out(self) -> int:
        """What the user receives."""
        return self.hops[-1].amount_out

    def limit(self, slippage_bps: int) -> int:
        """Least output to accept, rounded down, at least 1."""
        if type(slippage_bps) is not int or not 0 <= slippage_bps <= BPS:
            raise UsageError(f"slippage of {slippage_bps!r} bps", hint="an integer from 0 to 10000")
        return max(self.amount_out * (BPS - slippage_bps) // BPS, 1)


def check_route(pools: Sequence[PoolState], schedule: FeeSchedule, *, is_buy: bool) -> None:
    """Raises TradeRefused for a route the program refuses before any arithmetic: 6078 a permissionless pool, 6080 a
    mayhem pool, 6079 a cashback pool on the leg that charges the creator fee, 6084 hops that do not connect.
    """
    if not 1 <= len(pools) <= MAX_HOPS:
        raise UsageError(f"a route of {len(pools)} hops", hint=f"1 to {MAX_HOPS} hops")
    far_leg = len(pools) - 1 if is_buy else 0
    for at, state in enumerate(pools):
        pool = state.pool
        if not pool.is_canonical:
            raise refusal(6078, f"hop {at + 1} is a permissionless pool")
        if pool.is_mayhem_mode:
            raise refusal(6080, f"hop {at + 1} is a mayhem pool")
        if at == far_leg and pool.is_cashback_coin and _charges_creator(state, schedule):
            raise refusal(6079, f"hop {at + 1} is a cashback coin and would charge the creator fee")
    for at in range(1, len(pools)):
        before, here = pools[at - 1].pool, pools[at].pool
        handed, taken = (before.base_mint, here.quote_mint) if is_buy else (before.quote_mint, here.base_mint)
        if handed != taken:
            raise refusal(6084, f"hop {at} delivers {handed}, hop {at + 1} takes {taken}")


def quote_route(
    pools: Sequence[PoolState], schedules: Sequence[FeeSchedule], amount_in: int, *, is_buy: bool
) -> RouteQuote:
    """Exact-input quote over ``pools`` in route order; ``schedules`` has one entry per hop (or one for all).

    The protocol fee is charged once, on the leg that trades the user's currency; LP and creator fees once, on the far
    leg. Raises TradeRefused like a single trade (6039, 6063, …); code None when a hop delivers nothing.
    """
    if not pools:
        raise UsageError("a route without hops", hint=f"1 to {MAX_HOPS} hops")
    every = list(schedules) * len(pools) if len(schedules) == 1 else list(schedules)
    last = len(pools) - 1
    hops, flow = [], amount_in
    for at, (state, schedule) in enumerate(zip(pools, every, strict=True)):
        near, far = (at == 0, at == last) if is_buy else (at == last, at == 0)
        lp, protocol, creator = schedule.rates(state)
        rates = (lp if far else 0, protocol if near else 0, creator if far else 0)
        hop = buy_hop(state, rates, flow) if is_buy else sell_hop(state, rates, flow)
        if hop.amount_out <= 0:
            raise TradeRefused(f"hop {at + 1} delivers nothing", code=None, name="HopOutputZero", hint="send more")
        hops.append(hop)
        flow = hop.amount_out
    return RouteQuote(is_buy, amount_in, tuple(hops))


def route_mints(pools: Sequence[PoolState], *, is_buy: bool) -> tuple[Pubkey, Pubkey]:
    """(mint the user pays, mint the user receives) of a route."""
    first, last = pools[0].pool, pools[-1].pool
    return (first.quote_mint, last.base_mint) if is_buy else (first.base_mint, last.quote_mint)


def buy_hop(state: PoolState, rates: tuple[int, int, int], amount_in: int) -> HopQuote:
    """One hop that takes base: exact quote input at the rates that it is charged. Raises TradeRefused 6039."""
    base, reserve = state.base_reserve, state.effective_quote_reserve
    if base <= 0 or reserve <= 0:
        raise empty_pool()
    net = amount_in * BPS // (BPS + sum(rates))
    lp, protocol, creator = (-(-net * bps // BPS) for bps in rates)
    # Unlike a single buy a hop always consumes its whole input: what the fees leave prices the swap.
    priced = amount_in - lp - protocol - creator
    if net == 0 or priced < 0:
        raise refusal(6039, f"{amount_in} quote units do not cover the fees")
    out = base * (priced - 1) // (reserve + priced - 1) if priced > 1 else 0
    return HopQuote(amount_in, priced, lp, protocol, creator, out)


def sell_hop(state: PoolState, rates: tuple[int, int, int], amount_in: int) -> HopQuote:
    """One hop that gives base: exact input at the rates that it is charged. Raises TradeRefused 6063."""
    base, reserve = state.base_reserve, state.effective_quote_reserve
    if base <= 0 or reserve <= 0:
        raise empty_pool()
    gross = reserve * amount_in // (base + amount_in)
    lp, protocol, creator = (-(-gross * bps // BPS) for bps in rates)
    if state.real_quote_reserve < gross - lp:
        raise refusal(6063, f"a hop is worth {gross} quote units, its pool really holds {state.real_quote_reserve}")
    return HopQuote(amount_in, gross, lp, protocol, creator, gross - lp - protocol - creator)


def _charges_creator(state: PoolState, schedule: FeeSchedule) -> bool:
    return schedule.rates(state)[2] > 0
