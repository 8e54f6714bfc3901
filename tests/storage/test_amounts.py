"""The books hold signed 64 bits: the largest amount fits, one more is a named error and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pumpswap.errors import AmountOutOfRange, UsageError
from pumpswap.model import Costs, Intent, Rejected, TradeSide, Unknown
from pumpswap.storage import Database, Run
from tests.storage import samples

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
Write = Callable[[Run, Any], None]


def decision(name: str) -> Write:
    return lambda run, value: run.save_decision(samples.decision(9, **{name: value}))


def intent(name: str) -> Write:
    wanted = samples.decision().intent
    return lambda run, value: run.save_decision(samples.decision(9, intent=replace(wanted, **{name: value})))


def order(name: str) -> Write:
    return lambda run, value: run.save_order(samples.order(9, decision_id="d000001", **{name: value}))


def expected(name: str) -> Write:
    return lambda run, value: order("quote")(run, samples.buy_quote(**{name: value}))


def filled(name: str) -> Write:
    return lambda run, value: run.save_outcome(samples.filled(**{name: value}))


def executed(name: str) -> Write:
    return lambda run, value: run.save_outcome(samples.filled(executed=samples.buy_quote(**{name: value})))


def cost(name: str) -> Write:
    return lambda run, value: run.save_outcome(samples.filled(costs=Costs(**{name: value})))


def rejected(name: str) -> Write:
    plain = Rejected("o000001", 5, 6, 6004, "ExceededSlippage", "too late", Costs(), "s")
    return lambda run, value: run.save_outcome(replace(plain, **{name: value}))


def rejected_cost(name: str) -> Write:
    return lambda run, value: rejected("costs")(run, Costs(**{name: value}))


def unknown(name: str) -> Write:
    return lambda run, value: run.save_outcome(replace(Unknown("o000001", 5, "s", 300), **{name: value}))


def entry(name: str) -> Write:
    return lambda run, value: run.append_entries([samples.entry(1), samples.entry(**{"sequence": 2, name: value})])


def position(name: str) -> Write:
    return lambda run, value: run.save_position(samples.position(**{name: value}))


def mark(name: str) -> Write:
    return lambda run, value: run.save_mark(samples.mark(**{name: value}))


COSTS = ("network_fee", "priority_fee", "tip", "rent_paid", "rent_returned")
FIELDS: list[tuple[Callable[[str], Write], tuple[str, ...]]] = [
    (decision, ("quote_lamports", "base_units")),
    (intent, ("at_ns", "base_units")),
    (order, ("created_ns", "limit", "quote_lamports", "base_units", "slippage_bps")),
    (expected, ("base_out", "total_quote")),
    (filled, ("at_ns", "slot")),
    (executed, ("base_out", "total_quote", "gross_quote", "lp_fee", "protocol_fee", "creator_fee", "cashback")),
    (cost, COSTS),
    (rejected, ("at_ns", "slot", "code")),
    (rejected_cost, COSTS),
    (unknown, ("at_ns", "expiry_height")),
    (entry, ("at_ns", "units", "slot")),
    (position, ("opened_ns", "base_units", "cost_lamports", "bought_lamports", "sold_lamports")),
    (position, ("realised_lamports", "rent_lamports", "last_trade_ns", "closed_ns")),
    (position, ("round",)),
    (mark, ("at_ns", "state_ns", "base_units", "value_lamports")),
]
WRITES = [pytest.param(kind(name), id=f"{kind.__name__}-{name}") for kind, names in FIELDS for name in names]


def contents(run: Run) -> list[object]:
    """All that is stored of a run."""
    readers = (run.decisions, run.orders, run.outcomes, run.trades, run.ledger, run.positions, run.marks)
    return [run.header(), *([*reader()] for reader in readers), [*run.orders(unresolved=True)]]


@pytest.fixture
def begun(shared_database: Database) -> Run:
    """A run with one order on its way."""
    run = shared_database.start_run("test", 0)
    run.save_decision(samples.decision())
    run.save_order(samples.order())
    return run


@pytest.mark.parametrize("write", WRITES)
def test_the_largest_amount_is_stored_and_one_more_is_refused_without_a_trace(begun: Run, write: Write) -> None:
    before = contents(begun)
    for value in (LARGEST + 1, SMALLEST - 1, 2**64 - 1, 2**200):
        with pytest.raises(AmountOutOfRange, match="beyond 64 bits") as refused:
            write(begun, value)
        assert refused.value.hint
    assert contents(begun) == before
    write(begun, LARGEST)
    assert contents(begun) != before


@pytest.mark.parametrize("write", WRITES)
def test_a_float_is_no_amount(begun: Run, write: Write) -> None:
    before = contents(begun)
    with pytest.raises(UsageError, match=r"1\.5"):
        write(begun, 1.5)
    assert contents(begun) == before


def test_an_amount_that_is_refused_in_a_batch_does_not_take_the_batch_with_it(begun: Run) -> None:
    with begun.batch():
        begun.save_mark(samples.mark())
        with pytest.raises(AmountOutOfRange):
            begun.save_mark(samples.mark(value_lamports=2**63))
        begun.save_mark(samples.mark(value_lamports=2))
    assert [mark.value_lamports for mark in begun.marks()] == [1_200_000_000, 2]


def test_costs_whose_sum_is_beyond_64_bits_are_refused(begun: Run) -> None:
    with pytest.raises(AmountOutOfRange, match="gas_used"):
        begun.save_outcome(samples.filled(costs=Costs(network_fee=LARGEST, tip=1)))
    assert [*begun.outcomes()] == []


def test_a_sell_of_more_than_the_books_hold_is_refused(begun: Run) -> None:
    begun.save_decision(
        samples.decision(2, intent=Intent(TradeSide.SELL, samples.POOL, samples.MINT, 1, "stop loss", base_units=5))
    )
    for name in ("base_in", "user_quote_out"):
        quote = samples.sell_quote(**{name: 2**63})
        with pytest.raises(AmountOutOfRange, match="expected"):
            begun.save_order(samples.order(2, side=TradeSide.SELL, quote=quote))


def test_sums_beyond_64_bits_are_exact(run: Run) -> None:
    amounts = [LARGEST, LARGEST, LARGEST, SMALLEST, SMALLEST, -1, 7]
    run.append_entries([samples.entry(number, units) for number, units in enumerate(amounts, 1)])
    run.append_entries([samples.entry(8, SMALLEST, asset="M"), samples.entry(9, SMALLEST, asset="M")])
    assert run.balances() == {"SOL": sum(amounts), "M": -(2**64)}
