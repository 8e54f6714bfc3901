"""Causes: the difference between two rounds on the same chance, step by step from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pumpswap.analytics.drift.side import DriftRound

__all__ = ["Cause", "split"]


class Cause(Enum):
    """Why one run has earned more or less than the other. Values are the words for people and scripts."""

    ONLY_FIRST = "taken by the first only"
    ONLY_SECOND = "taken by the second only"
    SIZE = "sizes"
    ENTRY_PRICE = "entry prices"  # what was quoted when the order was made
    ENTRY_SLIPPAGE = "entry slippage"  # executed against quoted: latency
    EXITS = "exits"  # when, how much and why it was sold
    EXIT_SLIPPAGE = "exit slippage"
    VENUE_FEES = "venue fees"  # rates: fees on another size are part of the size
    TRANSACTION_COSTS = "transaction costs"
    IDLE = "transactions that traded nothing"  # failed, or upkeep of the wallet
    OUTSIDE_FIRST = "outside the common time, first"
    OUTSIDE_SECOND = "outside the common time, second"
    OTHER = "movements from outside"


def split(first: DriftRound, second: DriftRound) -> Mapping[Cause, int]:
    """``first.gain_lamports - second.gain_lamports`` by cause; the parts sum to it exactly.

    The second round is turned into the first in steps, and every cause is the difference between two steps, rounded
    down to whole lamports: 1. the second, 2. at the size of the first, 3. with the units that the first one's money
    would have bought at its quotes, and 4. has bought, 5. sold as the first has sold, had all sales brought their
    quotes less what the second one's have missed, 6. and with its own misses, 7. its own fees, 8. its own costs.
    """
    spent, before = first.spent_lamports, second.spent_lamports
    units = first.bought_units

    def proceeds(held: int) -> int:
        """Of so many units, sold as the second has sold its own."""
        return second.proceeds_lamports * held // second.bought_units

    second_size = second.gain_lamports + second.cost_lamports
    scaled_fees = second.venue_fee_lamports * spent // before
    # The second one's own slippage of entries is kept in step 3: what it missed of its quotes, the first would too.
    as_quoted = first.units_as_quoted or units
    missed = (second.units_as_quoted or second.bought_units) - second.bought_units
    at_quotes = as_quoted - missed * spent // before
    steps = [
        second.gain_lamports,
        second_size * spent // before - second.cost_lamports,
        proceeds(at_quotes) - spent - scaled_fees - second.cost_lamports,
        proceeds(units) - spent - scaled_fees - second.cost_lamports,
    ]
    lost = second.lost_lamports * units // second.bought_units
    settled = first.proceeds_lamports - spent - scaled_fees - second.cost_lamports
    steps += [settled + first.lost_lamports - lost, settled]
    steps.append(first.proceeds_lamports - spent - first.venue_fee_lamports - second.cost_lamports)
    steps.append(first.gain_lamports)
    order = (
        *(Cause.SIZE, Cause.ENTRY_PRICE, Cause.ENTRY_SLIPPAGE, Cause.EXITS, Cause.EXIT_SLIPPAGE),
        *(Cause.VENUE_FEES, Cause.TRANSACTION_COSTS),
    )
    return {cause: after - now for cause, now, after in zip(order, steps, steps[1:], strict=False)}
