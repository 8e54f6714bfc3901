"""The whole chain of command on small exact markets: entries, exits, refusals, books."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.analytics.explain import story_of
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary, summarise
from pumpswap.engine.engine import Engine
from pumpswap.model import Filled, MarketUpdate, Rejected, Side
from tests.support.market import SOL, START_NS, always, at, engine, feed, graduate, moved, seen, settings

POOL = str(graduate().address)


def run(*updates: MarketUpdate, signaller: Any = None, **sections: Any) -> tuple[Engine, RunRecord, RunSummary]:
    record = RunRecord()
    made = engine(signaller, settings(**sections), [record])
    made.run(feed(*updates), START_NS, 50 * SOL)
    return made, record, summarise(record, made.portfolio, made.parts.venue.wallet.balances())


def test_a_signal_becomes_a_position_and_a_take_profit_closes_it() -> None:
    start = graduate()
    _, record, summary = run(
        seen(start, 0, scored=True), seen(start, 2), seen(moved(start, 150), 30), seen(moved(start, 150), 40)
    )
    assert (summary.fills, len(summary.closed), len(summary.open)) == (2, 1, 0)
    assert record.trades[1].order.reason.startswith("take-profit")
    assert summary.realised_lamports > 0
    assert summary.win_rate == 1.0
    assert summary.equity_change_lamports == summary.realised_lamports


def test_a_stop_loss_sells_and_the_loss_is_explained_to_the_lamport() -> None:
    start = graduate()
    _, record, summary = run(
        seen(start, 0, scored=True), seen(start, 2), seen(moved(start, -50), 30), seen(moved(start, -50), 40)
    )
    (closed,) = summary.closed
    story = story_of(closed, record)
    assert story.exit_reason.startswith("stop-loss")
    assert story.result_lamports == story.price_lamports + story.venue_fees_lamports + story.network_lamports < 0
    assert summary.drawdown.lamports > 0


def test_a_pool_seen_once_stays_open_and_is_marked_at_its_age() -> None:
    start = graduate()
    _, _, summary = run(seen(start, 0, scored=True), seen(graduate(2), 7_200))
    (held,) = summary.open
    assert held.mark.age_ns == at(7_200) - START_NS
    assert summary.marks_lamports == held.mark.value_lamports > 0
    assert summary.unrealised_lamports < 0  # fees of both ways, nothing else has happened


def test_a_time_out_does_not_invent_a_fill_on_a_stale_pool() -> None:
    start = graduate()
    _, _, summary = run(
        seen(start, 0, scored=True), seen(graduate(2), 90_000), signaller=always(90.0), exits={"max_hold_seconds": 60}
    )
    assert (len(summary.open), summary.fills) == (1, 1)


def test_a_short_signal_sells_what_is_held() -> None:
    start = graduate()
    sides = iter([Side.LONG, Side.SHORT])
    _, record, summary = run(
        seen(start, 0, scored=True),
        seen(start, 10, scored=True),
        seen(start, 20),
        signaller=lambda row, past: always(90.0, next(sides))(row, past),
    )
    assert len(summary.closed) == 1
    assert record.trades[1].order.reason.startswith("signal turned short")


def test_an_order_that_slips_too_far_is_rejected_and_its_cost_is_in_the_books() -> None:
    start = graduate()
    _, record, summary = run(seen(start, 0, scored=True), seen(moved(start, 30), 1), seen(start, 5))
    ((_, rejected),) = record.rejections
    assert isinstance(rejected, Rejected)
    assert rejected.code == 6040
    assert summary.equity_change_lamports == -summary.failed_costs_lamports == -35_000


def test_every_refusal_is_counted_by_policy() -> None:
    start = graduate()
    _, _, summary = run(seen(start, 0, scored=True), signaller=always(10.0))
    assert (summary.accepted, summary.refused) == (0, 1)
    assert summary.refused_by_policy == {"signal": 1}


def test_no_second_buy_while_the_first_is_on_its_way() -> None:
    start = graduate()
    _, _, summary = run(seen(start, 0, scored=True), seen(start, 0.5, scored=True), seen(start, 5))
    assert summary.fills == 1
    assert summary.refused_by_policy == {"open order": 1}


def test_our_own_trade_moves_the_pool_for_those_after_us() -> None:
    start = graduate()
    made, record, _ = run(seen(start, 0, scored=True), seen(graduate(2), 5))
    after = made.parts.book.state(POOL)
    assert after is not None
    assert after.base_reserve == start.base_reserve - record.trades[0].filled.executed.base_out


@st.composite
def markets(draw: st.DrawFn) -> list[MarketUpdate]:
    """Prices of three pools that jump about, with snapshots now and then."""
    updates, clock = [], 0.0
    for _ in range(draw(st.integers(5, 60))):
        clock += draw(st.sampled_from([0.3, 1.0, 5.0, 61.0, 700.0]))
        state = moved(graduate(draw(st.integers(1, 3))), draw(st.integers(-90, 400)))
        updates.append(seen(state, clock, scored=draw(st.booleans())))
    return updates


@hypothesis_settings(max_examples=60)
@given(markets(), st.integers(1, 5))
def test_the_books_balance_in_any_market(updates: list[MarketUpdate], most: int) -> None:
    """summarise() raises when the ledger is not the wallet or profit and loss does not explain equity."""
    limits = {"max_open_positions": most, "cooldown_seconds": 0, "max_exposure_fraction": "0.05"}
    _, record, summary = run(*updates, risk=limits)
    assert summary.ledger_sha256 == run(*updates, risk=limits)[2].ledger_sha256
    held: dict[str, int] = {}
    for trade in record.trades:
        assert isinstance(trade.filled, Filled)
        held[trade.order.pool] = trade.position.base_units
        assert sum(units > 0 for units in held.values()) <= most


def test_orders_that_land_together_are_booked_one_by_one() -> None:
    """The books are compared with the wallet after each: a wallet that is one order ahead is a mismatch."""
    first, second = graduate(1), graduate(2)
    _, _, summary = run(seen(first, 0, scored=True), seen(second, 0.1, scored=True), seen(first, 30))
    assert (summary.fills, len(summary.open)) == (2, 2)
