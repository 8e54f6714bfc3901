"""Marking: what everything open would bring now, stored beside the equity that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.errors import PumpSwapError
from pumpswap.execution.monitor import monitor
from pumpswap.model import EquityPoint, Mark, Position
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.portfolio.valuation import mark_position
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import ExitRules
from pumpswap.storage.run import Run

__all__ = ["store_marks"]


async def store_marks(connection: ChainConnection, run: Run, rules: ExitRules) -> Sequence[Mark]:
    """Ask the chain for the pools of all open positions, and store what these would bring and the equity, together.

    A pool that cannot be read is marked as that, with the reason; in the equity its position counts as what it was
    worth when it was last valued, else as what it has cost. Raises ChainError when the chain cannot be asked.
    """
    positions = tuple(run.open_positions())
    states, refused = await _newest_states(connection, positions)
    schedule, at_ns = await connection.schedules.current(), connection.clock.now_ns()
    marks = []
    with run.batch():
        for position in positions:
            state, refusal = states.get(position.pool), refused.get(position.pool)
            if refusal is not None:
                mark = Mark(position.pool, at_ns, at_ns, position.base_units, 0, refusal.what)
            else:
                mark = mark_position(position, state, schedule, at_ns=at_ns, state_ns=at_ns)
            if state is not None:
                run.tell_decimals(position.mint, state.base_decimals)
            run.save_mark(mark)
            marks.append(mark)
        seen = {mark.pool: mark for mark in marks if mark.pool not in refused}
        run.equity.add(_equity(run, seen, rules, at_ns))
    return marks


def _equity(run: Run, seen: Mapping[str, Mark], rules: ExitRules, at_ns: int) -> EquityPoint:
    """By the marks of what could be read. Inside of the batch that stores them, so that nobody trades in between."""
    portfolio, known = recall_portfolio(run), dict(seen)
    for position in portfolio.positions.open_positions():
        if position.pool in seen:
            continue
        last = run.history.last_value(position)
        if last is not None:
            known[position.pool] = last
    return monitor(portfolio, known, rules, at_ns=at_ns).equity


async def _newest_states(
    connection: ChainConnection, positions: Sequence[Position]
) -> tuple[dict[str, PoolState], dict[str, PumpSwapError]]:
    """States by pool, and why others have none."""
    refused: dict[Pubkey, PumpSwapError] = {}
    addresses = [Pubkey.from_string(position.pool) for position in positions]
    states = await connection.reader.load_many(addresses, on_refusal=refused.__setitem__)
    return (
        {str(address): state for address, state in states.items()},
        {str(address): error for address, error in refused.items()},
    )
