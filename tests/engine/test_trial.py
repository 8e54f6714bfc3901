"""Trials: the same seed gives the same market, and a strategy that fails is named."""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.engine.strategies import FollowSignals, Momentum
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.engine.trial import try_strategies
from pumpswap.model import Intent, Signal
from pumpswap.settings import Settings
from tests.engine.strategy_world import Heard


def test_the_same_seed_gives_the_same_books_and_another_one_others() -> None:
    first, second, other = (try_strategies([FollowSignals()], seed=seed, minutes=4).summary for seed in (3, 3, 4))
    assert first == second
    assert first.fills > 0
    assert first.ledger_sha256 != other.ledger_sha256


def test_a_strategy_hears_the_enhanced_score_with_its_feasibility() -> None:
    heard: list[Signal] = []

    class Listening(Strategy):
        def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
            heard.append(signal)
            return ()

    trial = try_strategies([Listening()], minutes=2, pools=3)
    assert trial.summary.fills == 0
    assert {signal.source for signal in heard} == {"enhanced-score"}
    assert all(signal.feasibility is not None and 0 <= signal.feasibility <= 1 for signal in heard)
    assert len(heard) == trial.summary.snapshots


def test_a_strategy_that_fails_is_named() -> None:
    class Failing(Strategy):
        name = "failing"

        def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
            raise KeyError("no such feature")

    trial = try_strategies([Failing(), FollowSignals()], minutes=2)
    assert trial.faults == {"strategy failing": "KeyError: 'no such feature'"}
    assert trial.summary.fills == 0  # entries stop, whoever wishes them


def test_settings_and_observers_are_used() -> None:
    told = Heard()
    settings = Settings.model_validate({"risk": {"max_position_sol": "0.02"}, "signals": {"min_score": 0}})
    trial = try_strategies([Momentum(burst_bps=100, min_buyers=2)], settings, minutes=5, observers=[told])
    assert trial.summary.fills == len(told.fills) > 0
    assert max(order.quote_lamports for order in told.orders) == 20_000_000
