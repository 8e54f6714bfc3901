"""What orders have paid lately: complete for every window that is asked for, and no more than a few days are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pumpswap.execution.spending import Spending
from pumpswap.model import SOL, EntryKind, LedgerEntry
from pumpswap.storage.database import open_database
from tests.support.market import START_NS

DAY_NS = 86_400 * 10**9


@pytest.fixture
def spending(tmp_path: Path) -> Iterator[Spending]:
    with open_database(tmp_path / "books.sqlite") as database:
        yield Spending(database.start_run("live", START_NS), START_NS - 2 * DAY_NS)


def pay(spending: Spending, number: int, created_ns: int, booked_ns: int, lamports: int) -> None:
    order_id = f"o{number}"
    spending.ordered(order_id, created_ns)
    spending.add([LedgerEntry(number, booked_ns, SOL, -lamports, EntryKind.NETWORK_FEE, order_id=order_id)])


@pytest.mark.parametrize("seed", range(8))
def test_a_day_is_counted_whole_however_long_it_runs(spending: Spending, seed: int) -> None:
    rng, now, known = Random(seed), START_NS, []
    for number in range(1, 200):
        now += rng.randrange(DAY_NS // 2) if rng.random() < 0.9 else rng.randrange(3 * DAY_NS)
        late_ns = rng.randrange(DAY_NS)  # an endpoint that tells old block times
        pay(spending, number, now, now - late_ns, number)
        known.append((now, number))
        for window in (now - DAY_NS, now - rng.randrange(DAY_NS)):
            assert spending.since(window) == sum(spent for at_ns, spent in known if at_ns >= window)


def test_what_is_days_old_is_forgotten(spending: Spending) -> None:
    for number in range(1, 1_001):
        now = START_NS + number * DAY_NS // 10
        pay(spending, number, now, now, 1)
        assert spending.since(now - DAY_NS) == min(number, 11)
    assert max(len(spending._spent), len(spending._created_ns)) < 50
