"""A followed wallet through the paper engine: signal, gate, order, books, and out again with the wallet."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.analytics.record import RunRecord
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, MarketUpdate, Swap, TradeSide
from pumpswap.settings import Settings
from pumpswap.signals.wallet_follow import WalletFollower
from tests.support.market import SOL, START_NS, at, graduate, seen

WALLET = str(Pubkey.from_bytes(b"w" * 32))
UNITS = 10**9


class Heard(RunRecord):
    """A record that keeps every decision too."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Decision] = []

    def on_decision(self, decision: Decision) -> None:
        super().on_decision(decision)
        self.heard.append(decision)


def follower(rounds: int) -> WalletFollower:
    settings = Settings(follow={"wallets": [{"address": WALLET}]})  # type: ignore[arg-type]
    made = WalletFollower(settings.follow)
    for number in range(rounds):
        pool = f"old{number}"
        made.learn(Swap(pool, START_NS - 10**13 + number, True, UNITS, SOL, WALLET))
        made.learn(Swap(pool, START_NS - 10**12 + number, False, UNITS, 3 * SOL, WALLET))
    return made


def traded(state: PoolState, seconds: float, *, buy: bool, trader: str = WALLET) -> MarketUpdate:
    """A trade of one SOL at the spot price, and the state behind it."""
    units = int(SOL / state.spot_price)
    swap = Swap(str(state.address), at(seconds), buy, units, SOL, trader)
    return MarketUpdate(at(seconds), str(state.address), state, swap=swap)


def run(made: WalletFollower, *updates: MarketUpdate, **sections: Any) -> tuple[Engine, Heard]:
    settings, record, book = Settings(**sections), Heard(), PoolBook()
    venue = PaperVenue(book, settings.paper, lambda _: current_schedule(), max_state_age_seconds=60)
    parts = EngineParts(book, venue, None, lambda _: current_schedule(), settings, swap_signaller=made.signal)
    engine = Engine(parts, [record])
    engine.run(iter(updates), START_NS, 50 * SOL)
    return engine, record


def test_a_followed_wallet_is_bought_after_and_left_with() -> None:
    state = graduate()
    engine, record = run(
        follower(30), traded(state, 0, buy=True), seen(state, 5), traded(state, 60, buy=False), seen(state, 70)
    )
    bought, sold = record.trades
    assert bought.order.reason == "wallet-follow 87.5"
    assert (bought.order.side, bought.position.pool) == (TradeSide.BUY, str(state.address))
    assert sold.order.side is TradeSide.SELL
    assert sold.order.reason.startswith("signal turned short")
    assert engine.portfolio.positions.open_positions() == []
    signal = record.heard[0].intent.signal
    assert signal is not None and signal.source == "wallet-follow"
    assert (signal.mint, signal.reasons[1][:16]) == (str(state.pool.base_mint), "30 closed rounds")


def test_a_wallet_without_a_record_is_refused_with_its_reasons() -> None:
    _, record = run(follower(0), traded(graduate(), 0, buy=True), seen(graduate(), 5))
    (decision,) = record.heard
    assert (bool(decision), record.trades) == (False, [])
    assert "score 50.0 is below 75" in [verdict.text for verdict in decision.verdicts if not verdict.passed]
    signal = decision.intent.signal
    assert signal is not None and "a record begins with 3 closed rounds, it has 0" in signal.reasons


def test_strangers_and_pools_in_other_money_are_not_heard() -> None:
    state = graduate()
    dollars = graduate(quote_mint=USDC_MINT)
    made = follower(30)
    _, record = run(made, traded(state, 0, buy=True, trader="stranger"), traded(dollars, 1, buy=True))
    assert record.heard == []
    assert made.record(WALLET).buys == 30


def test_what_the_wallet_does_later_changes_no_earlier_decision() -> None:
    state = graduate()
    begin = (traded(state, 0, buy=True), seen(state, 5))
    _, short = run(follower(30), *begin)
    _, long = run(follower(30), *begin, traded(state, 60, buy=False), traded(state, 100, buy=True), seen(state, 200))
    assert long.heard[: len(short.heard)] == short.heard
