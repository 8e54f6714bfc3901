"""Sums over what was traded on the practice market."""

from __future__ import annotations

from fractions import Fraction

from solders.pubkey import Pubkey

from pumpswap.localnet.market_tally import DAY_SECONDS, HOUR_SECONDS, MarketTally, Traded

POOL = Pubkey.from_bytes(b"p" * 32)


def test_an_hour_and_a_day_are_summed_and_older_trades_forgotten() -> None:
    tally = MarketTally()
    for at, is_buy, units in ((0, True, 1), (DAY_SECONDS - HOUR_SECONDS - 120, False, 10), (DAY_SECONDS, True, 100)):
        tally.note(POOL, at, is_buy=is_buy, quote_units=units, price_before=Fraction(units, 7))
    assert tally.over(POOL, DAY_SECONDS, HOUR_SECONDS) == Traded(1, 0, 100, Fraction(100, 7))
    assert tally.over(POOL, DAY_SECONDS, DAY_SECONDS) == Traded(1, 1, 110, Fraction(10, 7))
    assert tally.over(Pubkey.default(), DAY_SECONDS, DAY_SECONDS) == Traded(0, 0, 0, None)
