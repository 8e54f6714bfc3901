"""Why a round ended as it did: the loss or gain split into price, venue fees and network, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pumpswap.amm import BuyQuote
from pumpswap.analytics.record import RunRecord, Trade
from pumpswap.model import Filled, Position

__all__ = ["RoundStory", "parts_of", "story_of"]


@dataclass(frozen=True, slots=True)
class RoundStory:
    """One closed round. ``price_lamports + venue_fees_lamports + network_lamports`` is exactly the result; the last two
    are costs and never positive.
    """

    position: Position
    trades: tuple[Trade, ...]
    price_lamports: int
    venue_fees_lamports: int
    network_lamports: int
    entry_reason: str
    exit_reason: str

    @property
    def result_lamports(self) -> int:
        """What the round earned."""
        return self.position.realised_lamports


def story_of(position: Position, record: RunRecord) -> RoundStory:
    """The story of a closed round."""
    trades = tuple(
        trade
        for trade in record.trades
        if (trade.position.pool, trade.position.round) == (position.pool, position.round)
    )
    price, venue, network = parts_of(trade.filled for trade in trades)
    return RoundStory(position, trades, price, venue, network, trades[0].order.reason, trades[-1].order.reason)


def parts_of(fills: Iterable[Filled]) -> tuple[int, int, int]:
    """What these fills have changed in lamports: by the price, by venue fees, by the network."""
    price = venue = network = 0
    for filled in fills:
        quote = filled.executed
        price += -quote.gross_quote if isinstance(quote, BuyQuote) else quote.gross_quote
        venue -= quote.fees
        network -= filled.costs.spent
    return price, venue, network
