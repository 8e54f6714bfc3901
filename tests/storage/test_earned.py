"""What is read of a time: all of it, and of what was before it only what is needed to know the cost of what went on."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pumpswap.model import Position
from pumpswap.model.booked import BookedFill
from pumpswap.storage.database import open_database
from pumpswap.units import I64_MAX
from tests.portfolio.random_books import lives

HOUR_NS = 3_600 * 10**9


def test_a_time_is_read_with_what_went_on_and_without_what_was_over(tmp_path: Path) -> None:
    left_out = 0
    with open_database(tmp_path / "books.db") as database:
        for _, life in lives(database, range(9_000, 9_010), most_steps=30):
            run = life.run
            whole, positions = run.earned.read(0, I64_MAX), list(run.positions())
            assert [fill.order_id for fill in whole.fills] == [trade.order_id for trade in run.trades()]
            assert whole.first_rounds == {}
            for since_ns in {entry.at_ns for entry in run.ledger()}:
                part = run.earned.read(since_ns, I64_MAX)
                going_on = {
                    one.mint
                    for one in positions
                    if one.opened_ns < since_ns + HOUR_NS and (one.closed_ns or I64_MAX) >= since_ns - HOUR_NS
                }
                needed = going_on | part.moved_mints
                assert part.fills == [
                    fill if fill.at_ns >= since_ns else _unquoted(fill)
                    for fill in whole.fills
                    if fill.at_ns >= since_ns or fill.mint in needed
                ]
                left_out += len(whole.fills) - len(part.fills)
                assert (part.moves, part.moved, part.balance_lamports) == (
                    whole.moves, whole.moved, whole.balance_lamports,
                )  # fmt: skip
                assert part.rounds == {
                    key: one for key, one in whole.rounds.items() if _closed_ns(positions, key) >= since_ns
                }
    assert left_out > 5


def _unquoted(fill: BookedFill) -> BookedFill:
    """What was before the time is read without what was expected of it."""
    return msgspec.structs.replace(fill, quoted_lamports=0, quoted_units=0)


def _closed_ns(positions: list[Position], key: tuple[str, int]) -> int:
    (one,) = [one for one in positions if (one.pool, one.round) == key]
    return one.closed_ns or I64_MAX
