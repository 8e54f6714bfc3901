"""Orders and the quality of their execution: quoted against executed, what it cost, why others failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pumpswap.amm.quote import amounts_of
from pumpswap.analytics.execution_quality import SlippageFigures, slippage_figures
from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.views.page import Page, PageWish, page_of
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.errors import UsageError
from pumpswap.model import COST_KINDS, SOL, Denied, EntryKind, Filled, Outcome, Rejected, TradeSide, Unknown
from pumpswap.storage.browse import STATUSES, ListedOrder
from pumpswap.storage.fills import execution_ns

__all__ = ["Execution", "OrderRow", "Orders", "execution", "order_row", "orders"]

_SAMPLE = 500  # the newest orders that ended, for distributions


@dataclass(frozen=True, slots=True)
class OrderRow:
    """``expected_*`` is the quote when it was ordered, ``executed_*`` what was traded (venue fees in), None where it
    was not. ``slippage`` is positive where it was worse than quoted. ``costs_lamports`` are the transaction's, without
    rent. ``took_ns``: from the decision to the end, which of a transaction is its confirmation. ``ended``: the rule, or
    the program's error, of an order that did not trade, and ``text`` its sentence.
    """

    order_id: str
    decision_id: str
    created_ns: int
    side: TradeSide
    status: str
    pool: str
    mint: str
    name: str
    decimals: int | None
    reason: str
    slippage_bps: int
    expected_base_units: int
    expected_quote_lamports: int
    executed_base_units: int | None
    executed_quote_lamports: int | None
    impact: Fraction | None
    slippage: Fraction | None
    costs_lamports: int | None
    took_ns: int | None
    ended: str
    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class Orders:
    """``counts`` are of all orders of the run, by status."""

    run: RunFacts
    as_of_ns: int
    statuses: tuple[str, ...]
    counts: Mapping[str, int]
    rows: Page[OrderRow]


@dataclass(frozen=True, slots=True)
class Execution:
    """``sampled``: over so many of the newest orders that have ended. ``landing_ms`` are milliseconds from the
    decision to its confirmation, by share of a hundred. ``costs`` are of the whole run, positive, by kind.
    """

    sampled: int
    filled: int
    slippage: SlippageFigures | None
    buys: SlippageFigures | None
    sales: SlippageFigures | None
    impact: SlippageFigures | None
    landing_ms: Mapping[int, float]
    failures: Mapping[str, int]
    costs: Mapping[EntryKind, int]


def orders(sight: Sight, statuses: Sequence[str] = (), wish: PageWish | None = None) -> Orders:
    """One page, the newest first. Raises UsageError for a status that no order has."""
    wish = wish or PageWish()
    for status in statuses:
        if status not in STATUSES:
            raise UsageError("no order has such a status", hint=f"one of: {', '.join(STATUSES)}")
    found = sight.browse.orders(statuses, wish.size + 1, wish.before)
    names = sight.names({one.order.pool for one in found})
    rows = page_of(found, wish, lambda one: one.place, lambda one: order_row(one, names.get(one.order.pool, "")))
    return Orders(sight.facts, sight.as_of_ns, tuple(statuses), sight.browse.order_counts(), rows)


def execution(sight: Sight) -> Execution:
    """Of the newest orders of a run."""
    browse = sight.browse
    ended = browse.orders(("filled", "rejected", "denied"), _SAMPLE)
    fills = [(one, one.outcome) for one in ended if isinstance(one.outcome, Filled)]
    slips = [(one.order.side, slippage_between(one.order.quote, filled.executed)) for one, filled in fills]
    moved = browse.moved(SOL)
    return Execution(
        sampled=len(ended),
        filled=len(fills),
        slippage=slippage_figures([share for _, share in slips]),
        buys=slippage_figures([share for side, share in slips if side is TradeSide.BUY]),
        sales=slippage_figures([share for side, share in slips if side is TradeSide.SELL]),
        impact=slippage_figures([filled.executed.impact for _, filled in fills]),
        landing_ms=_percentiles([_took_ns(one, filled) / 1e6 for one, filled in fills]),
        failures=dict(Counter(_ended(one.outcome) for one in ended if _ended(one.outcome)).most_common()),
        costs={kind: -moved[kind] for kind in COST_KINDS if moved.get(kind)},
    )


def order_row(one: ListedOrder, name: str) -> OrderRow:
    """As a list shows it."""
    order, outcome = one.order, one.outcome
    expected_base, expected_quote = amounts_of(order.quote)
    filled = outcome if isinstance(outcome, Filled) else None
    base, quote = (None, None) if filled is None else amounts_of(filled.executed)
    return OrderRow(
        order_id=order.order_id,
        decision_id=order.decision_id,
        created_ns=order.created_ns,
        side=order.side,
        status=one.status,
        pool=order.pool,
        mint=order.mint,
        name=name,
        decimals=one.decimals,
        reason=order.reason,
        slippage_bps=order.slippage_bps,
        expected_base_units=expected_base,
        expected_quote_lamports=expected_quote,
        executed_base_units=base,
        executed_quote_lamports=quote,
        impact=None if filled is None else filled.executed.impact,
        slippage=None if filled is None else slippage_between(order.quote, filled.executed),
        costs_lamports=outcome.costs.spent if isinstance(outcome, Filled | Rejected) else None,
        took_ns=None if outcome is None or isinstance(outcome, Unknown) else _took_ns(one, outcome),
        ended=_ended(outcome),
        text=outcome.text if isinstance(outcome, Rejected | Denied) else "",
        signature="" if outcome is None or isinstance(outcome, Denied) else outcome.signature,
    )


def _took_ns(one: ListedOrder, outcome: Outcome) -> int:
    return execution_ns(one.order.created_ns, outcome.at_ns, one.confirmed_ns)


def _ended(outcome: Outcome | None) -> str:
    if isinstance(outcome, Rejected):
        return f"rejected: {outcome.name}"
    return f"denied: {outcome.rule}" if isinstance(outcome, Denied) else ""


def _percentiles(found: Sequence[float]) -> dict[int, float]:
    ordered = sorted(found)
    return {share: ordered[max(-(-len(ordered) * share // 100) - 1, 0)] for share in (50, 95, 99)} if ordered else {}
