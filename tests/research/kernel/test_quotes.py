"""Compiled quotes: the same numbers and refusals as ``amm.quotes``, everywhere in u64."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import FeeConfig, FeeSchedule, current_schedule
from pumpswap.amm.fees import Fees, FeeTier
from pumpswap.amm.schedules import dated_schedules
from pumpswap.errors import UsageError
from pumpswap.research.kernel.quotes import BUY_BASE, BUY_QUOTE, SELL, QuoteCases, Quotes, evaluate
from pumpswap.research.kernel.rates import pool_flags, rate_tables
from pumpswap.research.kernel.rates import schedule_at_second as compiled_schedule_at_second
from tests.support.kernel_cases import answers_of, differences, drawn, schedules
from tests.support.market import SOL, graduate
from tests.support.vectors import load, quote_state, schedule

SIDES = {"buyBaseInput": BUY_BASE, "buyQuoteInput": BUY_QUOTE, "sellBaseInput": SELL}


@given(st.integers(0, 2**63))
def test_random_questions_have_the_answers_of_the_core(seed: int) -> None:
    assert differences(drawn(np.random.default_rng(seed), 100)) == []


def test_the_random_questions_reach_every_answer() -> None:
    batch = drawn(np.random.default_rng(5), 20_000)
    assert set(answers_of(batch).status.tolist()) == {
        0, 1, 6001, 6002, 6016, 6023, 6024, 6025, 6039, 6040, 6063, 6082,
    }  # fmt: skip
    assert batch.edges > 8_000
    assert len(np.unique(batch.kind)) == 32
    assert len(np.unique(batch.cases.schedule)) == len(schedules())


def _vectors() -> list[dict[str, Any]]:
    every = load("quotes")["vectors"] + load("worked_examples")["quotes"]
    return [
        case
        for case in every
        if case["input"]["fee_config"] != "none" and case["fn"] in SIDES and "output" in case
        and not any(tag.startswith("degenerate") for tag in case["tags"])
    ]  # fmt: skip


def test_the_vectors_of_the_official_sdk() -> None:
    compared = 0
    for case in _vectors():
        inputs, want = case["input"], case["output"]
        side, amount = SIDES[case["fn"]], int(inputs.get("base") or inputs.get("quote"))
        cases = QuoteCases.of([(side, quote_state(inputs), amount)])
        found = evaluate(cases, rate_tables([schedule(inputs["global_config"], inputs["fee_config"])]))
        got = int(found.gross[0]), int(found.result[0])
        if side == BUY_BASE:
            assert got == (int(want["internal_quote_amount"]), int(want["ui_quote"])), case["id"]
        elif side == BUY_QUOTE and int(want["base"]) > 0:
            assert got == (int(want["internal_quote_without_fees"]), int(want["base"])), case["id"]
        elif side == SELL:
            assert got == (int(want["internal_quote_amount_out"]), int(want["ui_quote"])), case["id"]
        compared += 1
    assert compared > 300


def test_a_dated_schedule_is_found_by_its_second() -> None:
    every = dated_schedules()
    since, schedule_at_second = rate_tables(every).since, compiled_schedule_at_second.py_func
    assert schedule_at_second(since, 0) == 0
    for row, entry in enumerate(every):
        assert schedule_at_second(since, entry.since) == row
        assert schedule_at_second(since, entry.since - 1) == max(row - 1, 0)


def test_answers_can_be_written_over() -> None:
    cases = QuoteCases.of([(BUY_QUOTE, graduate(), SOL)])
    room = Quotes.room(1)
    assert evaluate(cases, rate_tables([current_schedule()]), room) is room
    assert room.status[0] == 0
    assert room.result[0] > 0


def test_what_the_kernel_cannot_hold_is_refused_by_name() -> None:
    state, tables = graduate(), rate_tables([current_schedule()])
    with pytest.raises(UsageError, match="2 answers for 1 questions"):
        evaluate(QuoteCases.of([(SELL, state, 1)]), tables, Quotes.room(2))
    with pytest.raises(UsageError, match="a schedule that the tables do not have"):
        evaluate(QuoteCases.of([(SELL, state, 1)], schedule=1), tables)
    with pytest.raises(UsageError, match="an effective quote reserve of"):
        QuoteCases.of([(SELL, msgspec.structs.replace(state, quote_vault=1 << 64), 1)])
    with pytest.raises(UsageError, match="beyond 64 bits"):
        QuoteCases.of([(SELL, state, 1 << 64)])
    with pytest.raises(UsageError, match="no fee schedule"):
        rate_tables([])
    with pytest.raises(UsageError, match="a rate of 10001 bps"):
        pool_flags(state.pool.with_changes(creator_fee_bps=10_001))
    world = current_schedule().global_config
    with pytest.raises(UsageError, match="a rate of 20000 bps"):
        rate_tables([FeeSchedule(world, FeeConfig(Fees(20_000, 0, 0), (FeeTier(0, Fees()),)))])
    with pytest.raises(UsageError, match="a fee tier from"):
        rate_tables([FeeSchedule(world, FeeConfig(Fees(), (FeeTier(1 << 64, Fees()),)))])
