"""Profit and loss by strategy, exit, token, position and day. Each of these adds up to all that sales have earned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from pumpswap.analytics.performance.capital import is_capital
from pumpswap.analytics.performance.given import PerformanceInput, Sale
from pumpswap.analytics.performance.result import Day, PositionGain, Slice
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model.booked import BookedFill, BookedMove, BookedRound

__all__ = ["RENT", "by_day", "by_exit", "by_position", "by_strategy", "by_token", "moves_for_nothing"]

RENT = frozenset({"rent_paid", "rent_returned"})
_TURNED = frozenset({"wrap", "unwrap"})  # cancel each other
_DAY_NS = 86_400 * NS_PER_SECOND


class _Sum:
    __slots__ = ("bought", "closed", "cost", "gain", "sales", "won")

    def __init__(self) -> None:
        self.sales = self.closed = self.won = self.gain = self.cost = self.bought = 0


def by_strategy(given: PerformanceInput, closed: Sequence[BookedRound]) -> tuple[Slice, ...]:
    """By what opened the round; empty where no strategy did."""
    key = attrgetter("strategy")
    sums = _sums(given.sales, closed, key)
    _add_bought(sums, given.fills, key)
    return _slices(sums, {})


def by_exit(given: PerformanceInput, closed: Sequence[BookedRound]) -> tuple[Slice, ...]:
    """By what sold; a round counts for the exit that closed it. Empty where no rule is named."""
    return _slices(_sums(given.sales, closed, attrgetter("exit_kind")), {})


def by_token(given: PerformanceInput, closed: Sequence[BookedRound]) -> tuple[Slice, ...]:
    """By mint, over all its pools."""
    key = attrgetter("mint")
    sums = _sums(given.sales, closed, key)
    _add_bought(sums, given.fills, key)
    return _slices(sums, {one.mint: one.name for one in given.rounds if one.name})


def by_position(given: PerformanceInput) -> tuple[PositionGain, ...]:
    """Rounds of this time in order of opening, those without a sale too."""
    gains: dict[tuple[str, int], tuple[int, int]] = {}
    for sale in given.sales:
        gain, sales = gains.get((sale.pool, sale.round), (0, 0))
        gains[sale.pool, sale.round] = gain + sale.gain_lamports, sales + 1
    return tuple(PositionGain(one, *gains.get((one.pool, one.number), (0, 0))) for one in given.rounds)


def by_day(given: PerformanceInput) -> tuple[Day, ...]:
    """UTC days on which something happened. What positions were given of sales by hand is in their gains, so it is not
    counted again among what was put in.
    """
    # fills, sales, gain, other, capital
    days: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for fill in given.fills:
        days[fill.at_ns // _DAY_NS][0] += 1
    for sale in given.sales:
        row = days[sale.at_ns // _DAY_NS]
        row[1] += 1
        row[2] += sale.received_lamports - sale.cost_lamports
        row[4] -= 0 if sale.order_id else sale.received_lamports
    for move in given.moves:
        if is_capital(move):
            days[move.at_ns // _DAY_NS][4] += move.lamports
    for move in moves_for_nothing(given.moves):
        days[move.at_ns // _DAY_NS][3] += move.lamports
    within = (point for point in given.equity if point.at_ns >= given.since_ns)
    equity = {point.at_ns // _DAY_NS: point.equity_lamports for point in within}
    return tuple(
        Day(day * _DAY_NS, fills, sales, gain, other, capital, equity.get(day))
        for day, (fills, sales, gain, other, capital) in sorted(days.items())
    )


def moves_for_nothing(moves: Iterable[BookedMove]) -> list[BookedMove]:
    """Moves that are profit or loss: no capital, no deposit of rent, no turning of SOL into its token."""
    return [move for move in moves if not is_capital(move) and move.kind not in RENT and move.kind not in _TURNED]


def _sums(
    sales: Sequence[Sale], closed: Sequence[BookedRound], key: Callable[[Sale | BookedRound], str]
) -> dict[str, _Sum]:
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    for sale in sales:
        found = sums[key(sale)]
        found.sales += 1
        found.gain += sale.received_lamports - sale.cost_lamports
        found.cost += sale.cost_lamports
    for one in closed:
        found = sums[key(one)]
        found.closed += 1
        found.won += one.realised_lamports > 0
    return sums


def _add_bought(sums: dict[str, _Sum], fills: Sequence[BookedFill], key: Callable[[BookedFill], str]) -> None:
    for fill in fills:
        if fill.is_buy:
            found = sums.get(key(fill))
            if found is None:
                found = sums[key(fill)] = _Sum()
            found.bought += fill.quote_lamports + fill.spent_lamports


def _slices(sums: Mapping[str, _Sum], labels: Mapping[str, str]) -> tuple[Slice, ...]:
    found = [
        Slice(key, labels.get(key, ""), each.sales, each.closed, each.won, each.gain, each.cost, each.bought)
        for key, each in sums.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.gain_lamports, each.key)))
