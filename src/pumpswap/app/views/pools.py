"""Pools: those that were traded, and one of them with its price, its liquidity, our trades and what was found of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpswap.amm.quote import amounts_of
from pumpswap.app.books import Held
from pumpswap.app.views.decisions import DecisionRow, row_of
from pumpswap.app.views.page import Page, PageWish, page_of
from pumpswap.app.views.positions import open_ones
from pumpswap.app.views.sight import RunFacts, Sight, shown_name
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotFound
from pumpswap.model import Mark, PoolPoint, Position, TradeSide, Verdict
from pumpswap.storage.browse import DecisionWish, ListedPool
from pumpswap.storage.history import StoredTrade

__all__ = ["PoolTrade", "PoolView", "Pools", "pool", "pools"]

POINTS = 600
_MARKS = 300
_TRADES = 500
_ROUNDS = 200
_DECISIONS = 20
_MARGIN_NS = 600 * NS_PER_SECOND
_ABOUT_TOKEN = ("screen", "token lists", "venue", "liquidity", "fresh state")


@dataclass(frozen=True, slots=True)
class Pools:
    """``untraded`` are pools of which the engine has kept points, without a trade in them."""

    run: RunFacts
    as_of_ns: int
    rows: Page[ListedPool]
    untraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolTrade:
    """One of our trades. The price of a trade is ``quote_lamports`` over ``base_units``, all venue fees in; that of the
    pool just before is ``effective_quote_lamports`` over ``reserve_base_units``.
    """

    order_id: str
    decision_id: str
    at_ns: int
    side: TradeSide
    base_units: int
    quote_lamports: int
    effective_quote_lamports: int
    reserve_base_units: int
    reason: str


@dataclass(frozen=True, slots=True)
class PoolView:
    """``points`` are what the engine has seen, ``marks`` what our units would have brought (the oldest first);
    ``checks`` are what the newest decisions said about token and pool, ``decisions`` the newest ones. ``rounds`` are at
    most 200 and ``trades`` at most 500, the newest of each; ``has_more_rounds``: there are older ones.
    """

    run: RunFacts
    as_of_ns: int
    pool: str
    mint: str
    name: str
    decimals: int | None
    held: Held | None
    rounds: tuple[Position, ...]
    has_more_rounds: bool
    points: tuple[PoolPoint, ...]
    marks: tuple[Mark, ...]
    trades: tuple[PoolTrade, ...]
    checks: tuple[Verdict, ...]
    decisions: tuple[DecisionRow, ...]


def pools(sight: Sight, wish: PageWish | None = None) -> Pools:
    """One page of the pools that were traded, the last traded first; others that were watched beside the first page."""
    wish = wish or PageWish()
    found = sight.browse.pools(wish.size + 1, wish.before)
    rows = page_of(found, wish, lambda one: one.place, lambda one: replace(one, name=shown_name(one.name)))
    watched = () if wish.before else sight.books.database.pool_points(sight.facts.run_id).pools(2 * wish.size)
    traded = sight.browse.names(set(watched)).keys() | {one.pool for one in found}
    return Pools(sight.facts, sight.as_of_ns, rows, tuple(one for one in watched if one not in traded)[: wish.size])


def pool(sight: Sight, address: str) -> PoolView:
    """A pool by its address. Raises NotFound for one that the run knows nothing of."""
    browse, run = sight.browse, sight.books.run
    found = browse.rounds(address, _ROUNDS + 1)
    listed = found[:_ROUNDS]
    newest = browse.decisions(DecisionWish(address=address), _DECISIONS)
    about = [stored for _, stored in newest if stored.decision.intent.pool == address]
    if not listed and not about:
        raise NotFound(f"run {run.run_id} knows no such pool", hint="the list of pools has their addresses")
    mint = listed[0].position.mint if listed else about[0].decision.intent.mint
    rows = tuple(row_of(stored, {}) for stored in about)
    name = next((one.position.name for one in listed if one.position.name), "") or next(
        (row.name for row in rows if row.name), ""
    )
    trades = run.history.trades_in(address, _TRADES)
    marks = run.history.marks_of(address, _MARKS)[::-1]
    held = next(iter(open_ones(sight, [one for one in listed if one.position.is_open][:1])), None)
    return PoolView(
        run=sight.facts,
        as_of_ns=sight.as_of_ns,
        pool=address,
        mint=mint,
        name=shown_name(name),
        decimals=next((trade.decimals for trade in reversed(trades) if trade.decimals is not None), None),
        held=held,
        rounds=tuple(replace(one.position, name=shown_name(one.position.name)) for one in listed),
        has_more_rounds=len(found) > _ROUNDS,
        points=_points(sight, address, trades),
        marks=tuple(marks),
        trades=tuple(map(_trade, trades)),
        checks=_checks([verdict for stored in about for verdict in stored.decision.verdicts]),
        decisions=rows,
    )


def _points(sight: Sight, address: str, trades: Sequence[StoredTrade]) -> tuple[PoolPoint, ...]:
    """Around our trades and since; of a pool that was only watched, everything."""
    since_ns = trades[0].filled.at_ns - _MARGIN_NS if trades else 0
    stored = sight.books.database.pool_points(sight.facts.run_id)
    first, last = stored.first_ns(address, since_ns), sight.as_of_ns
    return () if first is None or first > last else tuple(stored.of_pool(address, first, last, POINTS))


def _trade(trade: StoredTrade) -> PoolTrade:
    executed, order = trade.filled.executed, trade.order
    base, quote = amounts_of(executed)
    return PoolTrade(
        order.order_id, order.decision_id, trade.filled.at_ns, order.side, base, quote,
        executed.effective_quote_reserve, executed.base_reserve, order.reason,
    )  # fmt: skip


def _checks(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Of each policy about token and pool what it said last; sales are not asked all of them."""
    newest: dict[str, Verdict] = {}
    for verdict in verdicts:
        newest.setdefault(verdict.policy, verdict)
    return tuple(newest[policy] for policy in _ABOUT_TOKEN if policy in newest)
