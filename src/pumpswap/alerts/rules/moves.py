"""MoveRule: a position's value, its pool's price or its pool's liquidity has moved far within little time."""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.rules.window import MovingRange
from pumpswap.alerts.texts import one_line, share_text, sol_text, span_text
from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_pool import product_of
from pumpswap.model import AlertLevel, Filled, Mark, MarketUpdate, Order, Outcome, Position
from pumpswap.units import BPS

__all__ = ["MoveRule"]

Move = tuple[int, str]  # up or down, and how it is said

_SCALE = 10**18  # prices and values per unit, as integers


class MoveRule(Rule):
    """Looks at the pools in which something is held; ``held`` are the open positions at the start. A move one way is
    told once in a window for each pool: in a crash a price falls through one limit after the other.
    """

    def __init__(self, context: RuleContext, held: Iterable[Position]) -> None:
        self._context = context
        self._limit_bps = context.rules.large_move_bps
        self._window_ns = context.rules.large_move_seconds * NS_PER_SECOND
        self._held = {position.pool: position for position in held}
        self._states: dict[str, PoolState] = {}
        self._ranges: dict[tuple[str, str], MovingRange] = {}
        self._told: dict[tuple[str, int], int] = {}  # when a move of a pool was told, up (1) or down (−1)

    def on_update(self, update: MarketUpdate) -> None:
        """The pool; the value of what is held in it is told right after."""
        pool, state = update.pool, update.state
        if state is None or pool not in self._held or not self._limit_bps:
            return
        self._states[pool] = state
        product = product_of(state)
        if product or (state.pool.lp_supply and not state.base_reserve):
            self._liquidity(pool, state, product, update.at_ns)

    def on_mark(self, mark: Mark) -> None:
        position, state = self._held.get(mark.pool), self._states.get(mark.pool)
        if position is None or not self._limit_bps:
            return
        price, value = self._price(mark, state), self._value(mark)
        moved = price or value  # they move together, and once is enough
        if moved is None:
            return
        way, text = moved
        told_ns = self._told.get((mark.pool, way))
        if told_ns is not None and mark.at_ns - told_ns < self._window_ns:
            return
        self._told[mark.pool, way] = mark.at_ns
        self._restart(mark.pool)
        self._price(mark, state)  # what was told now is what the next move is measured from
        self._value(mark)
        coin = self._context.coin(mark.pool, position.mint, position.name)
        worth = f"it cannot be sold now: {one_line(mark.obstacle, 200)}"
        if not mark.obstacle:
            gain = share_text(mark.value_lamports - position.cost_lamports, position.cost_lamports, signed=True)
            cost = sol_text(position.cost_lamports)
            worth = f"what you hold would bring {sol_text(mark.value_lamports)}, {gain} against its cost of {cost}"
        self._context.tell(AlertLevel.WARNING, "large move", mark.pool, f"{coin}: {text}; {worth}")

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        """Our own trade moves the price, and a smaller position is worth more for each unit: that is no news."""
        if not isinstance(outcome, Filled) or position is None:
            return
        if position.is_open:
            self._held[position.pool] = position
        else:
            self._held.pop(position.pool, None)
        self._restart(order.pool)

    # ------------------------------------------------------------------------------------------ what is compared

    def _price(self, mark: Mark, state: PoolState | None) -> Move | None:
        if state is None or state.base_reserve <= 0 or state.effective_quote_reserve <= 0:
            return None
        price = state.effective_quote_reserve * _SCALE // state.base_reserve
        return self._moved("price", mark.pool, mark.at_ns, price)

    def _value(self, mark: Mark) -> Move | None:
        """For each unit: a part that is sold is no fall. What the pool can pay for only in part says nothing."""
        if mark.obstacle or mark.sellable_units is not None or not mark.base_units or not mark.value_lamports:
            return None
        return self._moved("value", mark.pool, mark.at_ns, mark.value_lamports * _SCALE // mark.base_units)

    def _moved(self, what: str, pool: str, at_ns: int, value: int) -> Move | None:
        """By how much and how fast against the window's lowest or highest, when that is far."""
        (low_ns, lowest), (high_ns, highest) = self._range(what, pool).add(at_ns, value)
        fell = (highest - value) * BPS >= self._limit_bps * highest > 0
        rose = lowest > 0 and (value - lowest) * BPS >= self._limit_bps * lowest
        if not fell and not rose:
            return None
        # Of both the later extreme: that is how it moves now.
        since_ns, before = (high_ns, highest) if fell and (not rose or high_ns > low_ns) else (low_ns, lowest)
        share = share_text(value - before, before, signed=True)
        span = span_text(max(at_ns - since_ns, NS_PER_SECOND))
        return 1 if value > before else -1, f"its {what} moved by {share} within {span}"

    def _liquidity(self, pool: str, state: PoolState, product: int, at_ns: int) -> None:
        """The product of the reserves, which no trade makes smaller: only who takes liquidity out."""
        seen = self._range("product", pool)
        _, (since_ns, highest) = seen.add(at_ns, product)
        if (highest - product) * BPS < self._limit_bps * highest or not highest:
            return
        seen.restart()
        seen.add(at_ns, product)
        position = self._held[pool]
        text = (
            f"{self._context.coin(pool, position.mint, position.name)}: liquidity was taken out of its pool: the "
            f"product of its reserves fell by {share_text(highest - product, highest)} within "
            f"{span_text(max(at_ns - since_ns, NS_PER_SECOND))}; it holds {sol_text(state.real_quote_reserve)}"
        )
        self._context.tell(AlertLevel.WARNING, "liquidity flight", pool, text)

    def _restart(self, pool: str) -> None:
        """What comes next is compared with what comes next; a pool that is left is forgotten."""
        gone = () if pool in self._held else ("product",)
        for what in ("price", "value", *gone):
            self._ranges.pop((what, pool), None)
        if gone:
            self._states.pop(pool, None)
            self._told.pop((pool, 1), None)
            self._told.pop((pool, -1), None)

    def _range(self, what: str, pool: str) -> MovingRange:
        return self._ranges.setdefault((what, pool), MovingRange(self._window_ns))
