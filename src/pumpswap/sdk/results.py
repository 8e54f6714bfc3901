"""What the SDK's calls return: plain dictionaries with the names that its callers' code already uses.

Two vocabularies are served at once: ``transaction_hash`` and ``tx_id``, ``price`` and ``price_per_token``, and so on.
Beside every figure for people stands the exact one (``*_lamports``, ``*_units``): floats are for display only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, assert_never, cast

from pumpswap.amm import PoolState
from pumpswap.amm.quote import amounts_of
from pumpswap.model import Decision, Denied, Filled, Order, Outcome, Rejected, TradeSide, Unknown
from pumpswap.sdk.preview import Preview
from pumpswap.units import from_units

__all__ = ["PoolData", "TradeData", "TradeResult", "pool_data_of", "refused_result", "simulated_result", "trade_result"]


class PoolData(TypedDict):
    """``get_pool_data``. What the chain cannot tell is None, and ``unavailable`` says why."""

    mint_address: str
    pair_address: str
    base_mint: str
    quote_mint: str
    base_decimals: int
    quote_decimals: int
    reserve_sol: float
    reserve_token: float
    liquidity: float
    reserve_in_usd: float | None
    price: float | None
    volume_24h: float | None
    lp_supply: int
    coin_creator: str
    slot: int
    is_canonical: bool
    base_reserve_units: int
    quote_vault_units: int
    virtual_quote_units: int
    real_quote_units: int
    unavailable: dict[str, str]


class TradeData(TypedDict):
    """The nested ``data`` of a trade that happened."""

    tx_id: str
    sol_amount: float
    token_amount: float
    price: float


class TradeResult(TypedDict):
    """``buy`` and ``sell``. ``status`` is filled, rejected, denied, unknown, refused or simulated.

    ``success`` is True for filled only. **Do not repeat a trade whose status is unknown**: it may still land until the
    chain is past ``expiry_height``.
    """

    status: str
    success: bool
    message: str
    data: TradeData | None
    transaction_hash: str | None
    tx_id: str | None
    side: str
    mint_address: str
    pair_address: str
    sol_amount: float | None
    sol_received: float | None
    token_amount: float | None
    tokens_received: float | None
    price: float | None
    actual_price: float | None
    price_per_token: float | None
    expected_price: float | None
    gas_used: int | None
    quote_lamports: int | None
    base_units: int | None
    network_fee_lamports: int | None
    priority_fee_lamports: int | None
    tip_lamports: int | None
    rent_paid_lamports: int | None
    rent_returned_lamports: int | None
    error_code: int | None
    error_name: str | None
    expiry_height: int | None
    order_id: str | None
    slot: int | None
    refusals: list[str]


UNAVAILABLE = {
    "reserve_in_usd": "the chain knows no dollar price; use a market data source",
    "volume_24h": "an account holds no history; record the stream or use a market data source",
}


def pool_data_of(state: PoolState) -> PoolData:
    """Figures of a pool, from its state."""
    pool = state.pool
    reserve = from_units(state.effective_quote_reserve, state.quote_decimals)
    tokens = from_units(state.base_reserve, state.base_decimals)
    return PoolData(
        mint_address=str(pool.base_mint),
        pair_address=str(state.address),
        base_mint=str(pool.base_mint),
        quote_mint=str(pool.quote_mint),
        base_decimals=state.base_decimals,
        quote_decimals=state.quote_decimals,
        reserve_sol=float(from_units(state.real_quote_reserve, state.quote_decimals)),
        reserve_token=float(tokens),
        liquidity=float(from_units(state.real_quote_reserve, state.quote_decimals)),
        reserve_in_usd=None,
        price=float(reserve / tokens) if tokens else None,
        volume_24h=None,
        lp_supply=pool.lp_supply,
        coin_creator=str(pool.coin_creator),
        slot=state.slot,
        is_canonical=pool.is_canonical,
        base_reserve_units=state.base_reserve,
        quote_vault_units=state.quote_vault,
        virtual_quote_units=pool.virtual_quote_reserves,
        real_quote_units=state.real_quote_reserve,
        unavailable=UNAVAILABLE if tokens else {**UNAVAILABLE, "price": "the pool holds no tokens"},
    )


def trade_result(order: Order, outcome: Outcome, decimals: tuple[int, int]) -> TradeResult:
    """The dictionary of an order's outcome; ``decimals`` are those of base and quote."""
    told: dict[str, object] = {"order_id": order.order_id, "expected_price": _price(amounts_of(order.quote), decimals)}
    match outcome:
        case Filled():
            told |= _filled(order, outcome, decimals)
        case Rejected():
            told |= {
                "status": "rejected",
                "message": f"rejected by the program, its fees were paid: {outcome.text}",
                "error_code": outcome.code,
                "error_name": outcome.name,
                "slot": outcome.slot,
                **_hash(outcome.signature),
                **_costs(outcome),
            }
        case Denied():
            told |= {
                "status": "denied",
                "message": f"not executed, nothing paid: {outcome.text}",
                "error_name": outcome.rule,
            }
        case Unknown():
            told |= {
                "status": "unknown",
                "message": f"may still land until height {outcome.expiry_height}: do not repeat it",
                "expiry_height": outcome.expiry_height,
                **_hash(outcome.signature),
            }
        case _ as never:
            assert_never(never)
    return _result(order.side, order.mint, order.pool, told)


def refused_result(decision: Decision) -> TradeResult:
    """The dictionary of an intent that the gate refused, with every reason."""
    refusals = [f"{verdict.policy}: {verdict.text}" for verdict in decision.refusals]
    intent = decision.intent
    told = {"status": "refused", "refusals": refusals, "message": "; ".join(refusals)}
    return _result(intent.side, intent.mint, intent.pool, told)


def simulated_result(side: TradeSide, preview: Preview) -> TradeResult:
    """The dictionary of a trade that was only simulated: what it would have done, or why it would not have."""
    state, failure = preview.state, preview.failure
    decimals = (state.base_decimals, state.quote_decimals)
    base, paid = amounts_of(preview.quote)
    price = _price((base, paid), decimals)
    told: dict[str, object] = {
        "status": "simulated",
        "message": f"nothing was signed or sent; {preview.problem or 'the simulation succeeded'}",
        "base_units": base,
        "quote_lamports": paid,
        "expected_price": price,
        "price": price,
        "price_per_token": price,
        "gas_used": preview.fee_lamports,
        "rent_paid_lamports": preview.rent_lamports,
        "slot": state.slot,
        **_shown(side, base, paid, decimals),
    }
    if failure is not None:
        told |= {"error_code": failure.code, "error_name": failure.name}
    return _result(side, str(state.pool.base_mint), str(state.address), told)


def _filled(order: Order, outcome: Filled, decimals: tuple[int, int]) -> dict[str, object]:
    base, paid = amounts_of(outcome.executed)
    price, shown = _price((base, paid), decimals), _shown(order.side, base, paid, decimals)
    return {
        "status": "filled",
        "success": True,
        "message": "filled",
        "slot": outcome.slot,
        "base_units": base,
        "quote_lamports": paid,
        "price": price,
        "actual_price": price,
        "price_per_token": price,
        "data": {
            "tx_id": outcome.signature,
            "sol_amount": shown["sol_amount"],
            "token_amount": shown["token_amount"],
            "price": price,
        },
        **shown,
        **_hash(outcome.signature),
        **_costs(outcome),
    }


def _hash(signature: str) -> dict[str, object]:
    return {"transaction_hash": signature, "tx_id": signature}


def _shown(side: TradeSide, base: int, paid: int, decimals: tuple[int, int]) -> dict[str, object]:
    sol, tokens = float(from_units(paid, decimals[1])), float(from_units(base, decimals[0]))
    received = {"tokens_received": tokens} if side is TradeSide.BUY else {"sol_received": sol}
    return {"sol_amount": sol, "token_amount": tokens, **received}


def _costs(outcome: Filled | Rejected) -> dict[str, object]:
    costs = outcome.costs
    return {
        "gas_used": costs.spent,
        "network_fee_lamports": costs.network_fee,
        "priority_fee_lamports": costs.priority_fee,
        "tip_lamports": costs.tip,
        "rent_paid_lamports": costs.rent_paid,
        "rent_returned_lamports": costs.rent_returned,
    }


def _price(amounts: tuple[int, int], decimals: tuple[int, int]) -> float | None:
    base, paid = amounts
    if base == 0:
        return None
    return float(from_units(paid, decimals[1]) / from_units(base, decimals[0]))


def _result(side: TradeSide, mint: str, pool: str, told: Mapping[str, object]) -> TradeResult:
    fixed = {"success": False, "refusals": [], "side": side.value, "mint_address": mint, "pair_address": pool}
    return cast(TradeResult, {**dict.fromkeys(TradeResult.__annotations__), **fixed, **told})
