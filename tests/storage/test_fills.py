"""Fills: the rows of orders are what their documents say, without reading the rest of these."""

from __future__ import annotations

from pumpswap.analytics.metrics import slippage_between
from pumpswap.analytics.tear_sheet import execution_of
from pumpswap.model import AttemptState, Costs, Denied, Rejected, TradeSide, Unknown
from pumpswap.storage import Database, Run
from pumpswap.storage.fills import UnfilledRow, execution_ns
from tests.storage import samples
from tests.storage.test_attempts import attempt
from tests.storage.test_listings import traded


def test_a_row_has_what_was_quoted_and_what_was_filled(run: Run) -> None:
    traded(run, 7, 500)
    (row,) = run.listings.fills.between(500, 501)
    (trade,) = run.history.trades()
    quoted, executed = trade.order.quote, trade.filled.executed
    assert (row.order_id, row.side, row.pool, row.mint) == ("o000007", TradeSide.BUY, samples.POOL, samples.MINT)
    assert (row.ordered_ns, row.at_ns, row.landing_ns) == (trade.order.created_ns, 500, 500 - trade.order.created_ns)
    assert (row.quoted_units, row.quoted_lamports) == (samples.buy_quote().base_out, samples.buy_quote().total_quote)
    assert (row.base_reserve, row.effective_quote_reserve) == (executed.base_reserve, executed.effective_quote_reserve)
    assert row.gross_lamports == executed.gross_quote
    assert abs(row.slippage - float(slippage_between(quoted, executed))) < 1e-12
    assert (row.score, row.exit_kind) == (samples.SIGNAL.score, None)


def test_an_order_took_until_we_saw_it_confirmed_and_not_until_the_whole_second_of_its_block(
    database: Database, run: Run
) -> None:
    ordered_ns = samples.order(1).created_ns
    block_ns, seen_ns = ordered_ns - 400_000_000, ordered_ns + 1_300_000_000  # by its block it was there before
    run.save_decision(samples.decision(1))
    run.save_order(samples.order(1))
    for number, state, at_ns in ((1, AttemptState.EXPIRED, ordered_ns + 10**9), (2, AttemptState.LANDED, seen_ns)):
        run.attempts.add(attempt(number))
        run.attempts.mark(f"signature-1-{number}", state, at_ns)
    run.save_outcome(samples.filled(1, at_ns=block_ns))
    traded(run, 2, ordered_ns + 700_000_000)  # on paper there is no attempt
    traded(database.start_run("other", 0), 1, ordered_ns + 5)
    confirmed, of_paper = run.listings.fills.between(0, 2**62)
    assert (confirmed.confirmed_ns, confirmed.landing_ns) == (seen_ns, 1_300_000_000)
    assert (of_paper.confirmed_ns, of_paper.landing_ns) == (None, 700_000_000)
    found = execution_of([confirmed, of_paper], [])
    assert found.landings == (1.3, 0.7)
    listed = {one.order.order_id: one.confirmed_ns for one in database.browse(run.run_id).orders(("filled",))}
    assert listed == {"o000001": seen_ns, "o000002": None}


def test_time_in_which_no_process_looked_is_no_time_of_execution() -> None:
    second = 10**9
    assert execution_ns(0, 2 * second, 3 * second) == 3 * second
    assert execution_ns(0, 2 * second, 122 * second) == 122 * second
    assert execution_ns(0, 2 * second, 8 * 3_600 * second) == 2 * second  # the next process has found it
    assert execution_ns(5 * second, 7 * second, None) == 2 * second


def test_clocks_that_disagree_are_not_hidden(run: Run) -> None:
    traded(run, 1, samples.order(1).created_ns - 250_000_000)
    assert execution_of(run.listings.fills.between(0, 2**62), []).landings == (-0.25,)


def test_only_fills_of_the_time_are_read_in_their_order(run: Run) -> None:
    for number, at_ns in ((1, 300), (2, 100), (3, 200)):
        traded(run, number, at_ns)
    assert [row.at_ns for row in run.listings.fills.between(100, 300)] == [100, 200]


def test_what_traded_nothing_has_its_reason(run: Run) -> None:
    ends = (
        Rejected("o000001", samples.NS + 5, 9, 6004, "ExceededSlippage", "too far", Costs(), "signature"),
        Denied("o000002", samples.NS + 6, "expired", "its time was over"),
        Unknown("o000003", samples.NS + 7, "signature", 12),
        None,
    )
    for number, end in enumerate(ends, start=1):
        run.save_decision(samples.decision(number))
        run.save_order(samples.order(number))
        if end is not None:
            run.save_outcome(end)
    traded(run, 9, samples.NS + 9)
    rows = run.listings.fills.unfilled(0, 2**62)
    assert [(row.order_id, row.status, row.reason) for row in rows] == [
        ("o000001", "rejected", "ExceededSlippage"),
        ("o000002", "denied", "expired"),
        ("o000003", "unknown", ""),
        ("o000004", "pending", ""),
    ]
    ordered_ns, ended_ns = samples.order(1).created_ns, samples.NS + 5
    assert rows[0] == UnfilledRow(
        "o000001", TradeSide.BUY, samples.POOL, ordered_ns, ended_ns, "rejected", "ExceededSlippage"
    )
    assert rows[3].ended_ns is None
