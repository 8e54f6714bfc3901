"""An engine that listens for weeks keeps what it holds, and forgets the pools that nobody tells of any more."""

from __future__ import annotations

from pumpswap.engine.engine import Engine
from pumpswap.model import PoolSnapshot, Signal
from tests.support.market import SOL, START_NS, always, at, engine, graduate, seen

DAY = 86_400


def address(number: int) -> str:
    return str(graduate(number).address)


def begun(signaller: object = None) -> Engine:
    made = engine(signaller)
    made.clock.advance_to(START_NS)
    made.deposit(50 * SOL)
    return made


def test_what_is_held_is_kept_and_the_rest_is_forgotten_after_a_day() -> None:
    made = begun(lambda row, past: always(90.0 if row.pool == address(1) else 10.0)(row, past))
    for second, number in enumerate(range(1, 30)):
        made.step(seen(graduate(number), second, scored=True))
    assert [one.pool for one in made.portfolio.positions.open_positions()] == [address(1)]
    made.tick(at(DAY / 2))
    assert len(made.parts.book) == len(made.desk.names) == 29
    made.step(seen(graduate(29), DAY, scored=True))
    made.tick(at(2 * DAY - 10))
    assert list(made.parts.book) == [address(1), address(29)]
    assert set(made.desk.names) == {address(1), address(29)}
    assert made.portfolio.positions.open_round(address(1)) is not None


def test_a_pool_that_is_forgotten_is_known_again_when_it_is_heard_of_again() -> None:
    made = begun(always(10.0))
    made.step(seen(graduate(1), 0, scored=True))
    made.tick(at(3 * DAY))
    assert len(made.parts.book) == 0
    made.step(seen(graduate(1), 3 * DAY + 1, scored=True))
    assert list(made.parts.book) == [address(1)]
    assert made.desk.names == {address(1): "TEST"}


def test_a_replay_whose_time_nobody_ticks_keeps_everything() -> None:
    made = begun(always(10.0))
    for number in range(1, 20):
        made.step(seen(graduate(number), number * DAY, scored=True))
    assert len(made.parts.book) == len(made.desk.names) == 19


def test_errors_that_were_told_are_forgotten_with_their_hour() -> None:
    def broken(row: PoolSnapshot, past: object) -> Signal:
        raise ValueError("a model of somebody")

    made = begun(broken)
    for number in range(1, 20):
        made.step(seen(graduate(number), number, scored=True))
    assert len(made._told_errors) == 19
    made.tick(at(DAY))
    assert made._told_errors == {}
