from __future__ import annotations

from random import Random

from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.significance.monte_carlo import Band, band_of, blocks_of, monte_carlo
from pumpswap.research.tuning.trials import Round

DAY_NS = 86_400 * NS_PER_SECOND


def _round(net: int, day: int = 0, pool: str = "p", at: int = 0) -> Round:
    opened = day * DAY_NS + at
    return Round(pool, opened, opened + 1, 1_000, net)


def test_rounds_of_one_pool_on_one_day_are_one_block() -> None:
    rounds = [_round(4, 1), _round(1), _round(3, at=9), _round(2, pool="q")]
    assert blocks_of(rounds) == [[1, 3], [2], [4]]


def test_bands_of_known_draws() -> None:
    assert band_of(range(101)) == Band(5, 50, 95)
    assert band_of([7]) == Band(7, 7, 7)


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    chance = Random(1)
    rounds = [_round(chance.randrange(-100, 120), day) for day in range(40)]
    first = monte_carlo(rounds, draws=300, seed=4)
    assert first == monte_carlo(list(reversed(rounds)), draws=300, seed=4)
    assert first != monte_carlo(rounds, draws=300, seed=5)
    assert first is not None
    assert first.net.low < sum(one.net_lamports for one in rounds) < first.net.high
    assert 0 <= first.loss <= 1


def test_equal_rounds_have_no_bands() -> None:
    found = monte_carlo([_round(10, day) for day in range(5)], draws=50)
    assert found is not None
    assert found.net == Band(50, 50, 50)
    assert found.drawdown == found.shuffled_drawdown == Band(0, 0, 0)
    assert found.loss == 0


def test_a_drawdown_counts_from_the_start() -> None:
    found = monte_carlo([_round(-10, day) for day in range(4)], draws=50)
    assert found is not None
    assert found.drawdown == Band(40, 40, 40)
    assert found.loss == 1


def test_one_lucky_coin_is_one_proof() -> None:
    """Twenty rounds of one pool on one day cannot be told from one."""
    assert monte_carlo([_round(5, at=place) for place in range(20)]) is None
