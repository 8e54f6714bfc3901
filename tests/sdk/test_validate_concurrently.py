"""Many threads ask one risk manager at once: what it has approved never adds up to more than the limits."""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from fractions import Fraction
from typing import Any

import pytest

from pumpswap.sdk.host_classes import PumpSwapRiskManager
from pumpswap.settings import Settings
from tests.support.market import SOL, graduate

THREADS, ASKED = 8, 60
BALANCE = 50
STATES = [graduate(number) for number in range(1, 41)]
LIMITS: dict[str, Any] = {
    "max_open_positions": 12, "max_position_sol": "2", "max_token_sol": "2", "max_exposure_fraction": "0.25",
    "max_token_fraction": "0.1", "max_trades_per_minute": 1_000, "max_position_fraction": "1", "max_impact_bps": 900,
    "max_cost_bps": 1_000, "max_round_trip_loss_bps": 2_000, "max_pool_share_bps": 1_000,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _threads_take_turns_often() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def signal_of(number: int) -> dict[str, Any]:
    state = STATES[number]
    return {
        "mint_address": str(state.pool.base_mint),
        "side": "long",
        "tradeable": True,
        "economically_significant": True,
        "source": "analyser",
        "final_signal_score": 90.0,
        "pool_data": {
            "pair_address": str(state.address),
            "base_mint": str(state.pool.base_mint),
            "base_reserve_units": state.base_reserve,
            "quote_vault_units": state.quote_vault,
            "virtual_quote_units": 0,
            "real_quote_units": state.quote_vault,
        },
    }


def manager_of(**limits: Any) -> PumpSwapRiskManager:
    return PumpSwapRiskManager(Settings(risk=LIMITS | limits), balance_sol=BALANCE)


class Register:
    """What is approved for certain at every moment: counted after an answer, taken out before an end is reported."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[str, tuple[int, int]] = {}
        self.worst: Counter[str] = Counter()

    def add(self, reservation: str, number: int, lamports: int) -> None:
        with self._lock:
            self._active[reservation] = number, lamports
            tokens = Counter(number for number, _ in self._active.values())
            self.worst["lamports"] = max(self.worst["lamports"], sum(size for _, size in self._active.values()))
            self.worst["positions"] = max(self.worst["positions"], len(self._active))
            self.worst["of a token"] = max(self.worst["of a token"], max(tokens.values()))

    def take(self) -> str | None:
        with self._lock:
            return self._active.popitem()[0] if self._active else None


def ask(manager: PumpSwapRiskManager, register: Register, seed: int, *, ends: bool) -> int:
    """One thread's part; how many were approved."""
    rng, approved = random.Random(seed), 0
    for _ in range(ASKED):
        number, size = rng.randrange(len(STATES)), rng.choice((0.1, 0.5, 1.0, 1.9))
        found = manager.validate_trade(signal_of(number), size)
        if found:
            approved += 1
            register.add(found.reservation, number, round(size * SOL))
        if ends and rng.random() < 0.5:
            reservation = register.take()
            if reservation is not None:
                manager.release(reservation)
    return approved


@pytest.mark.parametrize("ends", [False, True])
def test_approvals_of_many_threads_stay_within_every_limit(ends: bool) -> None:
    manager, register = manager_of(), Register()
    with ThreadPoolExecutor(THREADS) as pool:
        parts = [pool.submit(ask, manager, register, seed, ends=ends) for seed in range(THREADS)]
        approved = sum(part.result() for part in parts)
    most = BALANCE * SOL * Fraction(LIMITS["max_exposure_fraction"])
    assert register.worst["lamports"] <= most
    assert register.worst["positions"] <= LIMITS["max_open_positions"]
    assert register.worst["of a token"] == 1
    assert approved > LIMITS["max_open_positions"] if ends else approved <= LIMITS["max_open_positions"]


def test_of_many_who_ask_for_the_same_token_one_is_approved() -> None:
    manager = manager_of()
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda _: manager.validate_trade(signal_of(0), 0.5), range(THREADS * 4)))
    assert sum(map(bool, found)) == 1
    assert sum(manager.reservations.values()) == SOL // 2


def test_the_rate_holds_for_all_threads_together() -> None:
    manager = manager_of(max_trades_per_minute=5)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda number: manager.validate_trade(signal_of(number), 0.1), range(20)))
    assert sum(map(bool, found)) == 5


def test_without_its_lock_the_manager_would_be_caught() -> None:
    """The check can fail: two threads that are let in at the same time approve the same token twice."""
    manager = manager_of()
    manager._lock = nullcontext()  # type: ignore[assignment]
    both_have_judged, judged = threading.Barrier(2), manager._gate.decide

    def decide(*arguments: Any) -> Any:
        decision = judged(*arguments)
        both_have_judged.wait(30)
        return decision

    manager._gate.decide = decide  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: manager.validate_trade(signal_of(0), 0.5), range(2)))
    assert sum(map(bool, found)) == 2
