"""One side of a comparison: a run, as rounds of which every lamport is known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from pumpswap.analytics.tear_sheet.execution import Execution
from pumpswap.model import Position

__all__ = ["DriftFill", "DriftRound", "DriftSide", "rounds_of"]


# Fills come in hundreds of thousands and refer to nothing that refers to them.
class DriftFill(msgspec.Struct, frozen=True, gc=False):
    """A fill. Raw units and lamports: ``gross_lamports`` priced the swap, ``quote_lamports`` is after the venue's fees,
    ``cost_lamports`` what the transaction cost besides, rent apart. ``quoted_lamports`` for ``quoted_units`` is what
    the order expected, fees in.
    """

    order_id: str
    pool: str
    at_ns: int
    is_buy: bool
    base_units: int
    gross_lamports: int
    quote_lamports: int
    cost_lamports: int
    quoted_units: int
    quoted_lamports: int
    exit_kind: str = ""

    @property
    def venue_fee_lamports(self) -> int:
        """What the pool, the protocol and the coin's creator have kept."""
        return abs(self.quote_lamports - self.gross_lamports)

    @property
    def units_as_quoted(self) -> int:
        """Of a buy: what the same money would have bought at the quoted price."""
        return self.quoted_units * self.quote_lamports // self.quoted_lamports if self.quoted_lamports else 0

    @property
    def lost_lamports(self) -> int:
        """Of a sale: what it would have brought more at the quoted price."""
        if not self.quoted_units:
            return 0
        return self.quoted_lamports * self.base_units // self.quoted_units - self.quote_lamports


@dataclass(frozen=True, slots=True)
class DriftRound:
    """A round, summed over its fills. ``value_lamports`` is what is still held would bring; 0 when nothing is."""

    pool: str
    mint: str
    name: str
    opened_ns: int
    closed_ns: int | None = None
    spent_lamports: int = 0  # gross
    bought_units: int = 0
    units_as_quoted: int = 0
    received_lamports: int = 0  # gross
    lost_lamports: int = 0
    venue_fee_lamports: int = 0
    cost_lamports: int = 0
    value_lamports: int = 0
    exit_kind: str = ""

    @property
    def proceeds_lamports(self) -> int:
        """What sales have brought before fees, and what the rest would bring."""
        return self.received_lamports + self.value_lamports

    @property
    def gain_lamports(self) -> int:
        """What it has earned, all fees and costs in, rent apart."""
        return self.proceeds_lamports - self.spent_lamports - self.venue_fee_lamports - self.cost_lamports

    @property
    def is_comparable(self) -> bool:
        """Whether something was bought for money: what came from outside has no entry to compare."""
        return self.spent_lamports > 0 and self.bought_units > 0

    def with_fill(self, fill: DriftFill) -> DriftRound:
        """The same after one more fill."""
        fees = self.venue_fee_lamports + fill.venue_fee_lamports
        costs = self.cost_lamports + fill.cost_lamports
        if fill.is_buy:
            return replace(
                self,
                spent_lamports=self.spent_lamports + fill.gross_lamports,
                bought_units=self.bought_units + fill.base_units,
                units_as_quoted=self.units_as_quoted + fill.units_as_quoted,
                venue_fee_lamports=fees,
                cost_lamports=costs,
            )
        return replace(
            self,
            received_lamports=self.received_lamports + fill.gross_lamports,
            lost_lamports=self.lost_lamports + fill.lost_lamports,
            venue_fee_lamports=fees,
            cost_lamports=costs,
            exit_kind=fill.exit_kind or self.exit_kind,
        )


@dataclass(frozen=True, slots=True)
class DriftSide:
    """A run. ``gain_lamports`` is all that it has earned, by its ledger and the value of what it holds; rounds, and
    ``idle_lamports`` (transactions that have traded nothing, negative), are parts of it. Times are the market's;
    ``offset_ns`` is taken off before they are compared, for markets that are played again at another time.
    """

    label: str
    run_id: int
    first_ns: int
    last_ns: int
    gain_lamports: int
    rounds: Sequence[DriftRound] = ()
    idle_lamports: int = 0
    offset_ns: int = 0
    execution: Execution | None = None
    unvalued: int = 0
    notes: Sequence[str] = field(default=())


def rounds_of(
    positions: Iterable[Position], fills: Iterable[DriftFill], values: Mapping[tuple[str, int], int]
) -> list[DriftRound]:
    """Rounds with their fills, in order of opening. A fill belongs to the newest round of its pool that was open then.

    ``values`` by pool and number of the round, in lamports.
    """
    by_pool: dict[str, list[Position]] = {}
    for position in positions:
        by_pool.setdefault(position.pool, []).append(position)
    opened: dict[str, list[int]] = {}
    found: dict[tuple[str, int], DriftRound] = {}
    for pool, rounds in by_pool.items():
        rounds.sort(key=lambda one: one.round)
        opened[pool] = [one.opened_ns for one in rounds]
        for one in rounds:
            value = values.get((pool, one.round), 0)
            found[pool, one.round] = DriftRound(
                pool, one.mint, one.name, one.opened_ns, one.closed_ns, value_lamports=value
            )
    for fill in fills:
        times = opened.get(fill.pool)
        if not times:
            continue  # no round: it stays among what no round explains
        # What lands in a block is told by the block's clock, which may be a little behind that of the books.
        place = max(bisect_right(times, fill.at_ns) - 1, 0)
        key = fill.pool, by_pool[fill.pool][place].round
        found[key] = found[key].with_fill(fill)
    return sorted(found.values(), key=lambda one: (one.opened_ns, one.pool))
