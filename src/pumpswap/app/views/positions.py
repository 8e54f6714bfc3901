"""Positions: what is held, what it would bring now, and how far each exit is away; and the rounds that are over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pumpswap.app.books import Held
from pumpswap.app.views.page import Page, PageWish, page_of
from pumpswap.app.views.sight import RunFacts, Sight, shown_name
from pumpswap.execution.exit_distances import exit_distances
from pumpswap.storage.browse import ListedPosition, PositionSums

__all__ = ["Positions", "positions"]


@dataclass(frozen=True, slots=True)
class Positions:
    """``rows`` are open rounds (the newest first), or closed ones (the last closed first); ``sums`` are over all."""

    run: RunFacts
    as_of_ns: int
    is_open: bool
    sums: PositionSums
    rows: Page[Held]


def positions(sight: Sight, wish: PageWish | None = None, *, closed: bool = False) -> Positions:
    """One page of the rounds of a run."""
    wish = wish or PageWish()
    browse = sight.browse
    listed = (browse.closed_positions if closed else browse.open_positions)(wish.size + 1, wish.before)
    held = [_closed(one) for one in listed] if closed else open_ones(sight, listed)
    rows = page_of(list(zip(listed, held, strict=True)), wish, lambda row: row[0].place, lambda row: row[1])
    return Positions(sight.facts, sight.as_of_ns, not closed, sight.sums, rows)


def open_ones(sight: Sight, listed: list[ListedPosition]) -> list[Held]:
    """With the newest mark of exactly these units, and the distances of the exits."""
    pools = {one.position.pool for one in listed}
    marks = sight.browse.marks(pools)
    known = {state.pool: state for state in sight.books.run.states.exits_of(pools)}
    found = []
    for one in listed:
        position = one.position
        if not position.name:
            position = replace(position, name=sight.books.run.history.called(position.mint))
        position = replace(position, name=shown_name(position.name))
        mark = marks.get(position.pool)
        mark = mark if mark is not None and mark.base_units == position.base_units else None
        exits = exit_distances(position, mark, sight.rules, sight.as_of_ns, known.get(position.pool))
        found.append(Held(position, one.decimals, mark, exits))
    return found


def _closed(one: ListedPosition) -> Held:
    return Held(replace(one.position, name=shown_name(one.position.name)), one.decimals, None, None)
