"""What is told when an engine begins and ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.alerts.rules.life import LifeRule, RunFacts, Standing
from pumpswap.model import Heartbeat, TradingState
from tests.alerts.rules.heard import Heard, beat
from tests.support.market import SOL, at

FLAT = Standing(5 * SOL, 0, 0, 0)
BUSY = Standing(5 * SOL, 2, SOL, 1, TradingState.EXITS_ONLY, "paused by me")
WALLET = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


def told(standing: Standing, before: Heartbeat | None = None, wallet: str | None = None) -> Heard:
    heard = Heard()
    rule = LifeRule(
        heard.context,
        RunFacts(7, "paper" if wallet is None else "live", "1.2", "me@here process 5", wallet, before),
        lambda: standing,
    )
    rule.on_beat(beat(at(720), started_ns=at(719)))
    rule.on_beat(beat(at(730), started_ns=at(719)))
    return heard


def test_a_start_says_what_there_is() -> None:
    heard = told(FLAT)
    assert heard.told == [("info", "start", "")]
    assert heard.text() == (
        "run 7 (paper) begins in mode paper, by me@here process 5, pumpswap 1.2: equity 5 SOL, nothing held; trading "
        "is active"
    )


def test_a_start_on_what_an_orderly_stop_has_left() -> None:
    heard = told(BUSY, beat(at(0), stopping=True), WALLET)
    assert heard.told == [("info", "start", "")]
    assert heard.text() == (
        "run 7 (live) goes on in mode paper, the key of wallet 7xKX…gAsU is unlocked, by me@here process 5, pumpswap "
        "1.2: equity 5 SOL, 2 positions worth 1 SOL and 1 order on the way; trading is exits-only: paused by me"
    )


def test_a_start_after_a_crash_is_a_warning_and_says_for_how_long_nobody_looked() -> None:
    heard = told(BUSY, beat(at(0)))
    assert heard.told == [("warning", "start", "")]
    assert heard.text().endswith(
        "The process before it ended without a word after 2026-11-02 00:00:00 UTC; for 12 min nobody looked after what "
        "was held. What it had stored was taken up again"
    )


def test_an_engine_that_an_error_has_ended_did_not_end_without_a_word() -> None:
    """The error has an alert of its own; the start says for how long nobody looked after what was held."""
    heard = told(BUSY, replace(beat(at(0), stopping=True, in_the_way="shutdown"), broken=True))
    assert heard.told == [("warning", "start", "")]
    assert "was ended by an error at 2026-11-02 00:00:00 UTC; for 12 min nobody looked" in heard.text()
    assert "without a word" not in heard.text()


@pytest.mark.parametrize(("standing", "alerts"), [(FLAT, 0), (BUSY, 1), (Standing(SOL, 0, 0, 1), 1)])
def test_a_stop_is_told_at_the_end_where_something_stays(standing: Standing, alerts: int) -> None:
    heard, now = Heard(), [Standing(9 * SOL, 9, SOL, 9)]
    rule = LifeRule(heard.context, RunFacts(7, "paper", "1.2", "me@here process 5"), lambda: now[-1])
    rule.on_beat(beat(at(0)))
    heard.alerts.clear()
    rule.on_beat(beat(at(1), stopping=True))  # a sale is on its way
    assert heard.told == []
    now.append(standing)
    rule.on_stop()
    assert heard.told == [("warning", "stop", "held")] * alerts
    if standing is BUSY:
        assert heard.text().startswith(
            "it leaves 2 positions worth 1 SOL and 1 order on the way: no exit looks after that until the next start."
        )
