"""Model objects as rows of the tables, and back. Every integer is checked here, before any SQL runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pumpswap.amm import BuyQuote, Quote
from pumpswap.amm.quote import amounts_of
from pumpswap.errors import UsageError
from pumpswap.model import (
    Costs,
    Decision,
    EntryKind,
    ExitKind,
    Filled,
    Intent,
    LedgerEntry,
    Mark,
    Order,
    Position,
    RealisedGain,
    TradeSide,
)
from pumpswap.storage import display
from pumpswap.storage.documents import (
    clean_text,
    dump_quote,
    dump_signal,
    dump_sizing,
    dump_verdicts,
    load_quote,
    load_signal,
    load_sizing,
    load_verdicts,
)
from pumpswap.storage.tables import StoredRow
from pumpswap.units import checked_i64

__all__ = [
    "OrderFacts",
    "Values",
    "check_integers",
    "decision_of",
    "decision_values",
    "entry_columns",
    "entry_of",
    "filled_of",
    "gain_values",
    "mark_of",
    "mark_values",
    "order_of",
    "order_values",
    "position_of",
    "position_values",
    "token_values",
    "trade_integers",
    "trade_values",
    "valuation_values",
]

Values = dict[str, Any]

_NS_PER_HOUR = 3_600 * 10**9


def check_integers(values: Mapping[str, int | None], what: str) -> None:
    """Raise AmountOutOfRange beyond signed 64 bits, UsageError for what is no integer. None passes."""
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, int):
            raise UsageError(f"{name} of {what} is {value!r}", hint="the books hold integers of raw units")
        checked_i64(value, f"{name} of {what}")


# ---------------------------------------------------------------- decisions


def decision_values(decision: Decision) -> Values:
    """Row of ``pumpswap_decisions``."""
    intent = decision.intent
    integers = {
        "at_ns": intent.at_ns,
        "intent_base_units": intent.base_units,
        "intent_quote_lamports": intent.quote_lamports,
        "slippage_bps": intent.slippage_bps,
        "quote_lamports": decision.quote_lamports,
        "base_units": decision.base_units,
    }
    check_integers(integers, f"decision {decision.decision_id}")
    signal = intent.signal
    return integers | {
        "decision_id": decision.decision_id,
        "side": intent.side.value,
        "pool": intent.pool,
        "mint": intent.mint,
        "reason": clean_text(intent.reason),
        "accepted": decision.accepted,
        "signal_score": None if signal is None else float(signal.score),
        "signal_strength": None if signal is None else float(signal.strength),
        "q50_value": None if signal is None or signal.q50 is None else float(signal.q50),
        "vol_regime": None if signal is None else clean_text(signal.regime) or None,
        "exit_kind": None if intent.exit is None else intent.exit.value,
        "strategy": clean_text(intent.strategy) or None,
        "signal": None if signal is None else dump_signal(signal),
        "verdicts": dump_verdicts(decision.verdicts),
        "sizing": dump_sizing(decision.sizing),
    }


def decision_of(row: StoredRow) -> Decision:
    """Inverse of ``decision_values``."""
    signal = None if row.signal is None else load_signal(row.signal)
    intent = Intent(
        TradeSide(row.side),
        row.pool,
        row.mint,
        row.at_ns,
        row.reason,
        signal=signal,
        base_units=row.intent_base_units,
        quote_lamports=row.intent_quote_lamports,
        exit=None if row.exit_kind is None else ExitKind(row.exit_kind),
        slippage_bps=row.slippage_bps,
        strategy=row.strategy or "",
    )
    return Decision(
        decision_id=row.decision_id,
        intent=intent,
        accepted=row.accepted,
        verdicts=load_verdicts(row.verdicts),
        sizing=load_sizing(row.sizing),
        quote_lamports=row.quote_lamports,
        base_units=row.base_units,
    )


# ---------------------------------------------------------------- orders and trades


def order_values(order: Order) -> Values:
    """Row of ``pumpswap_orders``, waiting for its outcome."""
    integers = {
        "created_ns": order.created_ns,
        "limit_units": order.limit,
        "quote_lamports": order.quote_lamports,
        "base_units": order.base_units,
        "slippage_bps": order.slippage_bps,
    }
    check_integers(integers, f"order {order.order_id}")
    base_units, quote_lamports = amounts_of(order.quote)
    check_integers({"expected base": base_units, "expected quote": quote_lamports}, f"order {order.order_id}")
    _check_side(order.side.value, order.quote, order.order_id)
    return integers | {
        "order_id": order.order_id,
        "decision_id": order.decision_id,
        "side": order.side.value,
        "pool": order.pool,
        "mint": order.mint,
        "reason": clean_text(order.reason),
        "quote": dump_quote(order.quote),
        "status": "pending",
        "client_order_id": order.client_order_id or None,
    }


def order_of(row: StoredRow) -> Order:
    """Inverse of ``order_values``."""
    return Order(
        order_id=row.order_id,
        decision_id=row.decision_id,
        side=TradeSide(row.side),
        pool=row.pool,
        mint=row.mint,
        created_ns=row.created_ns,
        limit=row.limit_units,
        quote=load_quote(row.quote),
        quote_lamports=row.quote_lamports,
        base_units=row.base_units,
        slippage_bps=row.slippage_bps,
        reason=row.reason,
        client_order_id=row.client_order_id or "",
    )


def trade_integers(filled: Filled) -> Values:
    """The exact columns of ``pumpswap_trades``, checked."""
    quote, costs = filled.executed, filled.costs
    base_units, quote_lamports = amounts_of(quote)
    exact = {
        "at_ns": filled.at_ns,
        "slot": filled.slot,
        "base_units": base_units,
        "quote_lamports": quote_lamports,
        "gross_quote_lamports": quote.gross_quote,
        "lp_fee_lamports": quote.lp_fee,
        "protocol_fee_lamports": quote.protocol_fee,
        "creator_fee_lamports": quote.creator_fee,
        "cashback_lamports": quote.cashback,
        "network_fee_lamports": costs.network_fee,
        "priority_fee_lamports": costs.priority_fee,
        "tip_lamports": costs.tip,
        "rent_paid_lamports": costs.rent_paid,
        "rent_returned_lamports": costs.rent_returned,
        "gas_used": costs.spent,
        "block_timestamp": filled.at_ns // 1_000_000_000,
    }
    check_integers(exact, f"the trade of order {filled.order_id}")
    return exact


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What a trade says of its order and of the signal behind it."""

    side: str
    pool: str
    mint: str
    signal_score: float | None = None
    signal_strength: float | None = None
    q50_value: float | None = None
    vol_regime: str | None = None


def trade_values(filled: Filled, order: StoredRow | OrderFacts, decimals: int | None) -> Values:
    """The other columns. ``order`` is the stored order, with the signal figures of its decision, or what is known."""
    quote = filled.executed
    base_units, quote_lamports = amounts_of(quote)
    _check_side(order.side, quote, filled.order_id)
    when = display.utc_time(filled.at_ns)
    return {
        "order_id": filled.order_id,
        "executed": dump_quote(quote),
        "pool_id": display.host_pool_id(order.pool),
        "mint_address": order.mint,
        "pair_address": order.pool,
        "action": order.side,
        "sol_amount": display.sol(quote_lamports),
        "token_amount": display.tokens(base_units, decimals),
        "price_per_token": display.price_per_token(quote_lamports, base_units, decimals),
        "signal_score": display.figure(order.signal_score),
        "signal_strength": display.figure(order.signal_strength),
        "q50_value": display.figure(order.q50_value),
        "vol_regime": order.vol_regime,
        "transaction_hash": filled.signature or None,
        "execution_status": "filled",
        "created_at": when,
        "updated_at": when,
    }


def gain_values(gain: RealisedGain | None) -> Values:
    """The columns of a sale about its profit, for people."""
    if gain is None:
        return {}
    return {
        "pnl_sol": display.sol(gain.gain_lamports),
        "pnl_percentage": display.percent(gain.gain_lamports, gain.cost_lamports),
        "holding_period_hours": gain.held_ns // _NS_PER_HOUR,
    }


def filled_of(row: StoredRow) -> Filled:
    """Inverse of ``trade_values``."""
    costs = Costs(
        network_fee=row.network_fee_lamports,
        priority_fee=row.priority_fee_lamports,
        tip=row.tip_lamports,
        rent_paid=row.rent_paid_lamports,
        rent_returned=row.rent_returned_lamports,
    )
    return Filled(row.order_id, row.at_ns, row.slot, load_quote(row.executed), costs, row.transaction_hash or "")


def _check_side(side: str, quote: Quote, order_id: str) -> None:
    quoted = "buy" if isinstance(quote, BuyQuote) else "sell"
    if side != quoted:
        raise UsageError(
            f"order {order_id} is a {side} with the quote of a {quoted}", hint="quote the order's own side"
        )


# ---------------------------------------------------------------- ledger, positions, marks


_KINDS = {kind.value: kind for kind in EntryKind}
_ENTRY_INTEGERS = ("sequence", "at_ns", "units", "slot")


def entry_columns(entries: Sequence[LedgerEntry]) -> dict[str, list[Any]]:
    """Rows of ``pumpswap_ledger`` by column, in the order of the table: thousands at once cost little that way."""
    exact = {name: [getattr(entry, name) for entry in entries] for name in _ENTRY_INTEGERS}
    if not all(map(_are_stored_exactly, exact.values())):
        for entry in entries:
            values = {name: getattr(entry, name) for name in _ENTRY_INTEGERS}
            check_integers(values, f"ledger entry {entry.sequence}")
    return {
        "sequence": exact["sequence"],
        "at_ns": exact["at_ns"],
        "asset": [entry.asset for entry in entries],
        "units": exact["units"],
        "kind": [entry.kind.value for entry in entries],
        "slot": exact["slot"],
        "order_id": [entry.order_id or None for entry in entries],
        "signature": [entry.signature or None for entry in entries],
        "note": [entry.note or None for entry in entries],
    }


def _are_stored_exactly(column: list[int]) -> bool:
    return {*map(type, column)} <= {int} and (not column or (min(column) >= -(2**63) and max(column) < 2**63))


def entry_of(row: StoredRow) -> LedgerEntry:
    """The entry of a row of ``pumpswap_ledger``."""
    _, sequence, at_ns, asset, units, kind, slot, order_id, signature, note = row
    return LedgerEntry(sequence, at_ns, asset, units, _KINDS[kind], slot, order_id or "", signature or "", note or "")


_POSITION_INTEGERS = (
    "round",
    "opened_ns",
    "base_units",
    "cost_lamports",
    "bought_lamports",
    "sold_lamports",
    "realised_lamports",
    "rent_lamports",
    "buys",
    "sells",
    "last_trade_ns",
    "closed_ns",
)


def position_values(position: Position, decimals: int | None) -> Values:
    """Row of ``pumpswap_positions``, without a value until the next mark."""
    integers: dict[str, int | None] = {name: getattr(position, name) for name in _POSITION_INTEGERS}
    integers["trade_count"] = position.buys + position.sells
    check_integers(integers, f"the position in {position.pool}")
    changed_ns = max(position.opened_ns, position.last_trade_ns, position.closed_ns or 0)
    return integers | {
        "name": clean_text(position.name),
        "mint_address": position.mint,
        "pool_id": display.host_pool_id(position.pool),
        "pair_address": position.pool,
        "marked_ns": None,
        "value_lamports": None,
        **token_values(position.base_units, position.cost_lamports, decimals),
        "total_sol_invested": display.sol(position.cost_lamports),
        "current_value_sol": None,
        "unrealized_pnl_sol": None,
        "unrealized_pnl_percentage": None,
        "first_buy_at": display.utc_time(position.opened_ns),
        "last_trade_at": display.utc_time(position.last_trade_ns) if position.last_trade_ns else None,
        "is_active": position.is_open,
        "created_at": display.utc_time(position.opened_ns),
        "updated_at": display.utc_time(changed_ns),
    }


def token_values(base_units: int, cost_lamports: int, decimals: int | None) -> Values:
    """What of a position is told in whole tokens."""
    return {
        "token_amount": display.tokens(base_units, decimals),
        "average_buy_price": display.price_per_token(cost_lamports, base_units, decimals),
    }


def position_of(row: StoredRow) -> Position:
    """Inverse of ``position_values``."""
    exact = {name: getattr(row, name) for name in _POSITION_INTEGERS}
    return Position(pool=row.pair_address, mint=row.mint_address, name=row.name, **exact)


def valuation_values(mark: Mark, cost_lamports: int) -> Values:
    """What a mark says about the position whose units cost ``cost_lamports``; nothing where it met an obstacle."""
    if mark.obstacle:
        columns = ("value_lamports", "current_value_sol", "unrealized_pnl_sol", "unrealized_pnl_percentage")
        return dict.fromkeys(columns) | {"marked_ns": mark.at_ns, "updated_at": display.utc_time(mark.at_ns)}
    gain = mark.value_lamports - cost_lamports
    return {
        "marked_ns": mark.at_ns,
        "value_lamports": mark.value_lamports,
        "current_value_sol": display.sol(mark.value_lamports),
        "unrealized_pnl_sol": display.sol(gain),
        "unrealized_pnl_percentage": display.percent(gain, cost_lamports),
        "updated_at": display.utc_time(mark.at_ns),
    }


def mark_values(mark: Mark) -> Values:
    """Row of ``pumpswap_marks``."""
    integers = {
        "at_ns": mark.at_ns,
        "state_ns": mark.state_ns,
        "base_units": mark.base_units,
        "value_lamports": mark.value_lamports,
    }
    check_integers(integers, f"the mark of {mark.pool}")
    return integers | {"pool": mark.pool, "obstacle": clean_text(mark.obstacle)}


def mark_of(row: StoredRow) -> Mark:
    """Inverse of ``mark_values``."""
    return Mark(row.pool, row.at_ns, row.state_ns, row.base_units, row.value_lamports, row.obstacle)
