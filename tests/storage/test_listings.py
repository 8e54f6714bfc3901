"""Listings: a time of trades, the decisions of a token, without documents; balances from the stored sums."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.model import SOL, EntryKind, Side, TradeSide
from pumpswap.storage import Database, Run
from pumpswap.storage.listings import DecisionRow, TradeRow
from tests.storage import samples


def traded(run: Run, number: int, at_ns: int) -> None:
    """An order of its own with a decision, filled at this time."""
    run.save_decision(samples.decision(number))
    run.save_order(samples.order(number))
    run.save_outcome(samples.filled(number, at_ns=at_ns, signature="" if number == 1 else f"s{number}"))


def test_a_trade_row_has_the_figures_of_the_trade(run: Run) -> None:
    traded(run, 7, 500)
    executed, costs = samples.filled().executed, samples.filled().costs
    assert run.listings.trades(500, 501) == [
        TradeRow(
            order_id="o000007",
            at_ns=500,
            slot=460_000_147,
            pool=samples.POOL,
            mint=samples.MINT,
            side=TradeSide.BUY,
            base_units=1_880_000_000_000,
            quote_lamports=1_000_000_000,
            gross_quote_lamports=executed.gross_quote,
            lp_fee_lamports=executed.lp_fee,
            protocol_fee_lamports=executed.protocol_fee,
            creator_fee_lamports=executed.creator_fee,
            cashback_lamports=0,
            network_fee_lamports=costs.network_fee,
            priority_fee_lamports=costs.priority_fee,
            tip_lamports=0,
            rent_paid_lamports=costs.rent_paid,
            rent_returned_lamports=0,
            signature="s7",
        )
    ]


def test_trades_of_a_time_are_in_order_of_time_without_its_end_and_without_other_runs(
    database: Database, run: Run
) -> None:
    for number, at_ns in ((1, 300), (2, 100), (3, 200), (4, 100)):
        traded(run, number, at_ns)
    other = database.start_run("other", 0)
    traded(other, 1, 150)
    found = [(row.order_id, row.at_ns) for row in run.listings.trades(100, 300)]
    assert found == [("o000002", 100), ("o000004", 100), ("o000003", 200)]
    assert [row.signature for row in run.listings.trades(300, 301)] == [None]
    assert run.listings.trades(301, 999) == []


def test_decisions_of_a_token_are_those_since_then_accepted_and_refused(run: Run) -> None:
    def decide(number: int, mint: str, at_ns: int, *, accepted: bool = True) -> None:
        intent = replace(samples.decision().intent, mint=mint, at_ns=at_ns)
        run.save_decision(samples.decision(number, intent=intent, accepted=accepted))

    decide(1, "M", 20)
    decide(2, "M", 10, accepted=False)
    decide(3, "other", 15)
    assert [row.decision_id for row in run.listings.decisions("M")] == ["d000002", "d000001"]
    assert run.listings.decisions("M", newest=1) == run.listings.decisions("M", since_ns=20)
    assert [row.decision_id for row in run.listings.decisions("M", newest=9)] == ["d000002", "d000001"]
    (row,) = run.listings.decisions("M", since_ns=20)
    assert row == DecisionRow(
        "d000001", 20, samples.POOL, "M", TradeSide.BUY, True, "base score 82.5", 10**9, 0, 82.5, 0.825
    )
    assert [one.decision_id for one in run.history.decisions_of("M", 11)] == ["d000001"]
    assert next(run.history.decisions_of("M")).intent.signal == replace(samples.SIGNAL, side=Side.LONG)


def test_held_leaves_out_what_is_gone_even_where_two_kinds_cancel(run: Run) -> None:
    moved = [
        ("A", 5, EntryKind.TRADE_BASE),
        ("A", -5, EntryKind.FOREIGN),
        ("B", 7, EntryKind.TRADE_BASE),
        ("C", 3, EntryKind.TRADE_BASE),
        ("C", -3, EntryKind.TRADE_BASE),
        (SOL, -(2**62), EntryKind.TRADE_QUOTE),
    ]
    run.append_entries(
        [samples.entry(number, units, asset=asset, kind=kind) for number, (asset, units, kind) in enumerate(moved, 1)]
    )
    assert run.books.held() == {"B": 7, SOL: -(2**62)}
    assert run.books.balances() == {"A": 0, "B": 7, "C": 0, SOL: -(2**62)}
    assert [run.books.balance(asset) for asset in ("A", "B", "never seen")] == [0, 7, 0]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-(2**63), 2**63 - 1), st.sampled_from(EntryKind))),
        max_size=4,
    )
)
def test_sums_are_exact_in_whatever_pieces_and_however_large(
    shared_database: Database, pieces: list[list[tuple[str, int, EntryKind]]]
) -> None:
    run, sequence = shared_database.start_run("test", 0), 0
    expected: dict[tuple[str, EntryKind], tuple[int, int]] = {}
    for piece in pieces:
        entries = []
        for asset, units, kind in piece:
            sequence += 1
            entries.append(samples.entry(sequence, units, asset=asset, kind=kind))
            total, count = expected.get((asset, kind), (0, 0))
            expected[asset, kind] = (total + units, count + 1)
        run.append_entries(entries)
    assert run.books.counted() == run.books.recount() == expected
    assert run.books.totals() == {key: total for key, (total, _) in expected.items()}
