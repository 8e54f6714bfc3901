"""The base score as a signal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import ConfigError
from pumpswap.model import PoolSnapshot, Side
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.signals import BaseScoreSignaller

BUSY = {
    "volume_usd_h24": "60000",
    "reserve_in_usd": "90000",
    "price_change_percentage_h1": "20",
    "price_change_percentage_h24": "20",
    "transactions_h1_buys": "120",
    "transactions_h1_sells": "80",
    "transactions_h24_buys": "120",
    "transactions_h24_sells": "80",
}
FALLING = BUSY | {"price_change_percentage_h1": "-20", "price_change_percentage_h24": "-20"}


def seen(**metrics: object) -> PoolSnapshot:
    return PoolSnapshot("solana_P", "P", "pumpswap", 7, name="CAT / SOL", base_mint="M", metrics=metrics)


def test_a_busy_rising_pool_is_long_and_carries_the_identity_of_the_snapshot() -> None:
    signal = BaseScoreSignaller().signal(seen(**BUSY), [])
    assert signal.side is Side.LONG
    assert (signal.pool, signal.mint, signal.name, signal.at_ns) == ("P", "M", "CAT / SOL", 7)
    assert signal.source == "base-score"
    assert signal.strength == pytest.approx(signal.score / 100)


def test_a_busy_falling_pool_is_short_only_from_the_threshold_on() -> None:
    signal = BaseScoreSignaller().signal(seen(**FALLING), [])
    assert signal.side is Side.SHORT
    assert BaseScoreSignaller(signal.score).signal(seen(**FALLING), []).side is Side.SHORT
    assert BaseScoreSignaller(signal.score + 0.001).signal(seen(**FALLING), []).side is Side.HOLD


def test_a_score_on_the_threshold_is_long() -> None:
    score = BaseScoreSignaller().signal(seen(**BUSY), []).score
    assert BaseScoreSignaller(score).signal(seen(**BUSY), []).side is Side.LONG
    assert BaseScoreSignaller(score + 0.001).signal(seen(**BUSY), []).side is Side.HOLD


def test_every_reason_carries_its_numbers() -> None:
    signal = BaseScoreSignaller().signal(seen(**BUSY | {"volume_usd_h24": "31273"}), [])
    assert signal.reasons == (
        "volume 31,273 USD in 24 h: 31.3 of 50, weight 0.3",
        "liquidity 90,000 USD on both sides: 9.0 of 30, weight 0.2",
        "momentum +20.0 % (bullish): 100.0 of 100, weight 0.2",
        "activity 120 buys and 80 sells in 1 h, 200 trades in 24 h: 100.0 of 100, weight 0.2",
        "volatility 20.0 % (high): 60.0 of 100, weight 0.1",
        "volume spike: bonus 10",
        "liquidity growth: bonus 8",
        "strong momentum: bonus 5",
        "high activity: bonus 5",
        f"score {signal.score:.1f} of 100, threshold 75: long",
    )


def test_history_changes_the_score_and_is_told() -> None:
    past = [seen(volume_usd_h24="40000", reserve_in_usd="90000", transactions_h24_buys="100")] * 2
    signal = BaseScoreSignaller().signal(seen(**BUSY), past)
    grown = "volume 60,000 USD in 24 h, +50 % against the mean before (increasing)"
    assert signal.reasons[0] == f"{grown}: 100.0 of 100, weight 0.3"
    assert signal.reasons[1].startswith("liquidity 90,000 USD on both sides (stable): 100.0 of 100")
    assert "200 trades in 24 h, +100 % against the mean before" in signal.reasons[3]


def test_the_points_and_bonuses_of_the_reasons_add_up_to_the_score() -> None:
    signal = BaseScoreSignaller().signal(seen(**BUSY | {"volume_usd_h24": "9000", "reserve_in_usd": "100"}), [])
    parts = [reason.rpartition(": ")[2].split() for reason in signal.reasons[:-1]]
    total = sum(float(part[1]) if part[0] == "bonus" else float(part[0]) * float(part[-1]) for part in parts)
    assert total == pytest.approx(signal.score, abs=0.1)


def test_figures_that_cannot_be_read_hold_and_say_why() -> None:
    signal = BaseScoreSignaller(0.0).signal(seen(volume_usd_h24="abc"), [])
    assert (signal.side, signal.score) == (Side.HOLD, 0.0)
    assert signal.reasons == ("cannot be scored: volume_usd_h24 is 'abc', which is no amount",)


@pytest.mark.parametrize("threshold", [-1.0, 100.5, float("nan")])
def test_a_threshold_outside_the_scale_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError):
        BaseScoreSignaller(threshold)


@given(
    st.dictionaries(st.sampled_from(METRIC_KEYS), st.one_of(st.text(), st.decimals(), st.integers())),
    st.floats(0, 100),
)
def test_any_figures_give_a_legal_signal(metrics: dict[str, object], threshold: float) -> None:
    signal = BaseScoreSignaller(threshold).signal(seen(**metrics), [])
    assert 0.0 <= signal.strength <= 1.0
    assert signal.side is Side.HOLD or signal.score >= threshold
    assert signal.reasons
