"""Hypothesis strategies for every object that the books hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pumpswap.amm import BuyQuote, SellQuote
from pumpswap.model import (
    BreakerState,
    Costs,
    Decision,
    Denied,
    EntryKind,
    ExitKind,
    ExitState,
    Filled,
    Intent,
    LedgerEntry,
    Mark,
    Order,
    Outcome,
    Position,
    Rejected,
    RiskState,
    Side,
    Signal,
    SizingStep,
    TradeSide,
    TradingState,
    Unknown,
    Verdict,
)

I64_MAX = 2**63 - 1

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789", min_size=1, max_size=12)
edges = st.sampled_from([0, 1, 2**31, 2**53 + 1, I64_MAX])
units = edges | st.integers(0, I64_MAX)
signed = edges | edges.map(lambda value: -value - 1) | st.integers(-I64_MAX - 1, I64_MAX)
times = st.sampled_from([0, I64_MAX]) | st.integers(0, I64_MAX)
observed = edges | st.integers(-(2**127), 2**127)  # what documents hold may be larger than any column
scores = st.floats(allow_nan=False)

signals = st.builds(
    Signal,
    pool=names,
    at_ns=times,
    side=st.sampled_from(Side),
    score=scores,
    strength=scores,
    source=names,
    reasons=st.lists(texts, max_size=3).map(tuple),
    mint=st.none() | texts,
    name=texts,
    q50=st.none() | scores,
    regime=texts,
    size_multiplier=scores,
    win_probability=st.none() | scores,
    win_loss_ratio=st.none() | scores,
    vol_risk=st.none() | scores,
    base_score=st.none() | scores,
)
verdicts = st.builds(
    Verdict,
    policy=names,
    passed=st.booleans(),
    text=texts,
    numbers=st.dictionaries(texts, texts, max_size=3),
    until_ns=st.none() | times,
)
steps = st.builds(SizingStep, rule=names, lamports=observed, note=texts)
intents = st.builds(
    Intent,
    side=st.sampled_from(TradeSide),
    pool=names,
    mint=names,
    at_ns=times,
    reason=texts,
    signal=st.none() | signals,
    base_units=st.none() | units,
    quote_lamports=st.none() | units,
    exit=st.none() | st.sampled_from(ExitKind),
    slippage_bps=st.none() | st.integers(0, 10_000),
    strategy=texts,
)
decisions = st.builds(
    Decision,
    decision_id=names,
    intent=intents,
    accepted=st.booleans(),
    verdicts=st.lists(verdicts, max_size=4).map(tuple),
    sizing=st.lists(steps, max_size=4).map(tuple),
    quote_lamports=units,
    base_units=units,
)

_TERMS: dict[str, Any] = {
    "gross_quote": units,
    "lp_fee": units,
    "protocol_fee": units,
    "creator_fee": units,
    "cashback": units,
    "buyback_fee": observed,
    "lp_bps": observed,
    "protocol_bps": observed,
    "creator_bps": observed,
    "base_reserve": observed,
    "effective_quote_reserve": observed,
}
buy_quotes = st.builds(BuyQuote, **_TERMS, base_out=units, total_quote=units, spendable_quote=st.none() | observed)
sell_quotes = st.builds(SellQuote, **_TERMS, base_in=units, user_quote_out=units, requested_quote=st.none() | observed)

# Their sum is a column as well.
_fees = st.integers(0, I64_MAX // 3)
costs = st.builds(Costs, network_fee=_fees, priority_fee=_fees, tip=_fees, rent_paid=units, rent_returned=units)


def quotes(side: TradeSide) -> st.SearchStrategy[BuyQuote | SellQuote]:
    return buy_quotes if side is TradeSide.BUY else sell_quotes


@st.composite
def orders(draw: st.DrawFn, decision_id: str, order_id: str) -> Order:
    side = draw(st.sampled_from(TradeSide))
    return Order(
        order_id=order_id,
        decision_id=decision_id,
        side=side,
        pool=draw(names),
        mint=draw(names),
        created_ns=draw(times),
        limit=draw(units),
        quote=draw(quotes(side)),
        quote_lamports=draw(units),
        base_units=draw(units),
        slippage_bps=draw(st.integers(0, 10_000)),
        reason=draw(texts),
    )


@st.composite
def outcomes(draw: st.DrawFn, order: Order) -> Outcome:
    at_ns, kind = draw(times), draw(st.sampled_from([Filled, Rejected, Denied, Unknown]))
    if kind is Filled:
        executed = draw(quotes(order.side))
        return Filled(order.order_id, at_ns, draw(units), executed, draw(costs), draw(texts))
    if kind is Rejected:
        code = draw(st.none() | st.integers(0, 2**32 - 1))
        slot, name, text = draw(units), draw(texts), draw(texts)
        return Rejected(order.order_id, at_ns, slot, code, name, text, draw(costs), draw(texts))
    if kind is Denied:
        return Denied(order.order_id, at_ns, draw(texts), draw(texts))
    return Unknown(order.order_id, at_ns, draw(texts), draw(units))


@st.composite
def stories(draw: st.DrawFn) -> tuple[Decision, Order, Outcome]:
    """A decision, its order, and how that ended."""
    decision = draw(decisions)
    order = draw(orders(decision.decision_id, draw(names)))
    return decision, order, draw(outcomes(order))


@st.composite
def ledgers(draw: st.DrawFn) -> list[LedgerEntry]:
    count = draw(st.integers(0, 12))
    return [
        LedgerEntry(
            sequence=number,
            at_ns=draw(times),
            asset=draw(st.sampled_from(["SOL", "MintA", "MintB"])),
            units=draw(signed),
            kind=draw(st.sampled_from(EntryKind)),
            slot=draw(units),
            order_id=draw(texts),
            signature=draw(texts),
        )
        for number in range(1, count + 1)
    ]


positions = st.builds(
    Position,
    pool=names,
    mint=names,
    round=st.integers(1, 1_000),
    opened_ns=times,
    base_units=units,
    cost_lamports=units,
    bought_lamports=units,
    sold_lamports=units,
    realised_lamports=signed,
    rent_lamports=units,
    # Their sum is a column as well.
    buys=st.integers(0, 2**62 - 1),
    sells=st.integers(0, 2**62 - 1),
    last_trade_ns=times,
    closed_ns=st.none() | times,
    name=texts,
)
marks = st.builds(Mark, pool=names, at_ns=times, state_ns=times, base_units=units, value_lamports=units, obstacle=texts)

risk_states = st.builds(
    RiskState,
    trading=st.sampled_from(TradingState),
    trading_reason=texts,
    faults=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    breaker=st.sampled_from(BreakerState),
    failures_in_a_row=units,
    opened_ns=times,
    losses_until_ns=times,
    day=units,
    day_start_lamports=observed,
    day_is_lost=st.booleans(),
    is_drawn_down=st.booleans(),
    peak_lamports=observed,
    entries_ns=st.lists(times, max_size=4).map(tuple),
    trials=st.lists(names, max_size=2).map(tuple),
    unknown=st.lists(names, max_size=2).map(tuple),
)
exit_states = st.builds(
    ExitState,
    pool=names,
    round=st.integers(1, 1_000),
    entry_quote_lamports=units,
    entry_product=observed,
    entry_supply=observed,
    peak_lamports=units,
    peak_units=units,
    rungs=st.integers(0, 9),
    wanted=st.none() | st.sampled_from(ExitKind),
    wanted_units=units,
    wanted_reason=texts,
    failures=st.integers(0, 99),
    retry_ns=times,
)
