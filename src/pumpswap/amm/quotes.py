"""The four quotes (PROTOCOL 4.2 to 4.5): integer arithmetic equal to the program's. This is the hot path."""

from __future__ import annotations

from pumpswap.amm.fees import FeeSchedule
from pumpswap.amm.program_errors import refusal
from pumpswap.amm.quote import BuyQuote, SellQuote
from pumpswap.amm.state import PoolState, empty_pool
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.units import BPS, U64_MAX

__all__ = ["buy_exact_base", "buy_exact_quote", "sell_exact_base", "sell_exact_quote"]


def buy_exact_base(state: PoolState, schedule: FeeSchedule, base_out: int) -> BuyQuote:
    """Cost of exactly ``base_out`` base units (PROTOCOL 4.2).

    Raises TradeRefused: 6001 nothing asked for, 6016 more than the reserve, 6025 the whole reserve, 6024 a price
    beyond 64 bits, 6023 one that gets there by its fees; code None for an empty pool.
    """
    base, reserve = _reserves(state, base_out, 6001)
    if base_out > base:
        raise refusal(6016, f"{base_out} base units asked for, the pool has {base}")
    if base_out == base:
        raise refusal(6025, "the whole base reserve cannot be bought")
    gross = -(-reserve * base_out // (base - base_out))
    if gross > U64_MAX:
        raise refusal(6024, f"the price of {gross} quote units is beyond 64 bits")
    lp_bps, protocol_bps, creator_bps = schedule.rates(state)
    lp = -(-gross * lp_bps // BPS)
    protocol = -(-gross * protocol_bps // BPS)
    creator = -(-gross * creator_bps // BPS)
    total = gross + lp + protocol + creator
    if total > U64_MAX:
        raise refusal(6023, f"the cost of {total} quote units is beyond 64 bits")
    pool = state.pool
    cashback = creator if pool.is_cashback_coin else 0
    buyback = 0 if pool.is_mayhem_mode else protocol * schedule.buyback_bps // BPS
    return BuyQuote(
        gross, lp, protocol, creator - cashback, cashback, buyback, lp_bps, protocol_bps, creator_bps, base, reserve,
        base_out, total,
    )  # fmt: skip


def buy_exact_quote(state: PoolState, schedule: FeeSchedule, quote_in: int) -> BuyQuote:
    """Base for a budget of ``quote_in`` quote units, fees included; never pays more (PROTOCOL 4.3).

    Raises TradeRefused: 6002 no budget, 6039 a budget that does not cover the fees, 6040 one that yields no base;
    code None for an empty pool.
    """
    base, reserve = _reserves(state, quote_in, 6002)
    lp_bps, protocol_bps, creator_bps = schedule.rates(state)
    net = quote_in * BPS // (BPS + lp_bps + protocol_bps + creator_bps)
    if net == 0:
        raise refusal(6039, f"{quote_in} quote units do not cover the fees")
    lp = -(-net * lp_bps // BPS)
    protocol = -(-net * protocol_bps // BPS)
    creator = -(-net * creator_bps // BPS)
    excess = net + lp + protocol + creator - quote_in
    if excess > 0:
        # The program shaves the amount that prices the swap and keeps the fees as they were.
        net -= excess
        if net < 0:
            raise refusal(6039, f"{quote_in} quote units do not cover the fees")
    base_out = base * (net - 1) // (reserve + net - 1) if net > 1 else 0
    if base_out == 0:
        raise refusal(6040, f"{quote_in} quote units buy less than one base unit")
    pool = state.pool
    cashback = creator if pool.is_cashback_coin else 0
    buyback = 0 if pool.is_mayhem_mode else protocol * schedule.buyback_bps // BPS
    return BuyQuote(
        net, lp, protocol, creator - cashback, cashback, buyback, lp_bps, protocol_bps, creator_bps, base, reserve,
        base_out, net + lp + protocol + creator, quote_in,
    )  # fmt: skip


def sell_exact_base(state: PoolState, schedule: FeeSchedule, base_in: int) -> SellQuote:
    """Proceeds of exactly ``base_in`` base units (PROTOCOL 4.4). May be 0 for dust: quotable, never built.

    Raises TradeRefused: 6001 nothing to sell, 6063 the real reserves cannot pay, 6023 fees above the proceeds;
    code None for an empty pool.
    """
    _reserves(state, base_in, 6001)
    return _sale(state, schedule, schedule.rates(state), base_in)


def sell_exact_quote(state: PoolState, schedule: FeeSchedule, quote_out: int) -> SellQuote:
    """The smallest sale that really pays at least ``quote_out`` quote units (PROTOCOL 4.5, pitfall 8).

    The client formula alone is one or two units short in most cases, because the three fees are rounded up
    separately. Raises TradeRefused: 6002 nothing asked for, 6063 more than the real reserves can pay (or than the
    whole reserve), code None for an empty pool.
    """
    base, reserve = _reserves(state, quote_out, 6002)
    rates = schedule.rates(state)
    share = BPS - sum(rates)
    if share <= 0:
        raise refusal(6023, f"fees of {sum(rates)} bps leave nothing of a sale")
    raw = -(-quote_out * BPS // share)
    while raw < reserve:
        base_in = -(-base * raw // (reserve - raw))
        if base_in > U64_MAX:
            break
        gross = reserve * base_in // (base + base_in)
        if _payout(gross, rates) >= quote_out:
            return _sale(state, schedule, rates, base_in, quote_out)
        # Each round asks for one more unit of gross proceeds; at most a few are needed, see the bound of 3 roundings.
        raw = gross + 1
    raise refusal(6063, f"the pool cannot pay {quote_out} quote units")


def _payout(gross: int, rates: tuple[int, int, int]) -> int:
    lp_bps, protocol_bps, creator_bps = rates
    return gross + (-gross * lp_bps // BPS) + (-gross * protocol_bps // BPS) + (-gross * creator_bps // BPS)


def _sale(
    state: PoolState, schedule: FeeSchedule, rates: tuple[int, int, int], base_in: int, requested: int | None = None
) -> SellQuote:
    pool = state.pool
    base = state.base_reserve
    reserve = state.quote_vault + pool.virtual_quote_reserves
    lp_bps, protocol_bps, creator_bps = rates
    gross = reserve * base_in // (base + base_in)
    lp = -(-gross * lp_bps // BPS)
    protocol = -(-gross * protocol_bps // BPS)
    creator = -(-gross * creator_bps // BPS)
    # Solvency is about real money: virtual reserves price a sale but cannot pay it.
    if state.quote_vault - pool.protocol_fees - pool.creator_fees < gross - lp:
        raise refusal(6063, f"the sale is worth {gross} quote units, the pool really holds {state.real_quote_reserve}")
    out = gross - lp - protocol - creator
    if out < 0:
        raise refusal(6023, f"the fees of a sale worth {gross} quote units exceed it")
    cashback = creator if pool.is_cashback_coin else 0
    buyback = 0 if pool.is_mayhem_mode else protocol * schedule.buyback_bps // BPS
    return SellQuote(
        gross, lp, protocol, creator - cashback, cashback, buyback, lp_bps, protocol_bps, creator_bps, base, reserve,
        base_in, out, requested,
    )  # fmt: skip


def _reserves(state: PoolState, amount: int, zero_code: int) -> tuple[int, int]:
    """(B, E) of a pool that can trade, once ``amount`` is known to be a positive u64."""
    if type(amount) is not int:
        raise UsageError(f"amounts are integers of raw units, not {amount!r}", hint="see pumpswap.units.to_units")
    if amount <= 0:
        raise refusal(zero_code, f"an amount of {amount}")
    if amount > U64_MAX:
        raise TradeRefused(
            f"{amount} does not fit 64 bits", code=None, name="AmountTooLarge", hint="amounts are raw units"
        )
    base = state.base_reserve
    reserve = state.quote_vault + state.pool.virtual_quote_reserves
    if base <= 0 or reserve <= 0:
        raise empty_pool()
    return base, reserve
