from __future__ import annotations

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategies.random_entries import RandomEntries
from pumpswap.engine.trial import TRIAL_START_NS, Trial, try_strategies
from pumpswap.errors import UsageError

MINUTES = 10
END_NS = TRIAL_START_NS + MINUTES * 60 * NS_PER_SECOND


def tried(seed: int, entries: int = 15) -> Trial:
    strategy = RandomEntries(
        seed=seed, since_ns=TRIAL_START_NS, until_ns=END_NS, entries=entries, held_seconds=(20, 40)
    )
    return try_strategies([strategy], minutes=MINUTES, pools=4)


def test_it_enters_and_leaves_at_random_times_and_repeats_by_seed() -> None:
    first = tried(1)
    assert not first.faults
    assert 3 <= len(first.summary.closed) <= 15
    assert all(one.opened_ns < END_NS for one in first.summary.closed)
    held = [(one.closed_ns or 0) - one.opened_ns for one in first.summary.closed]
    assert max(held) >= 40 * NS_PER_SECOND
    assert first.summary.ledger_sha256 == tried(1).summary.ledger_sha256 != tried(2).summary.ledger_sha256


def test_there_are_never_more_wishes_than_entries() -> None:
    trial = tried(3, entries=4)
    assert sum(one.intent.signal is not None for one in trial.record.accepted) <= 4
    assert not tried(3, entries=0).record.decisions


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="without length"):
        RandomEntries(seed=1, since_ns=5, until_ns=5)
    with pytest.raises(UsageError, match="no holding times"):
        RandomEntries(seed=1, since_ns=5, until_ns=6, held_seconds=())
