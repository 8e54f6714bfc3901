"""What is told of buys, sales, failed buys, proposals and triggers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.alerts.rules.trades import TradeRule
from pumpswap.alerts.rules.triggers import TriggerRule
from pumpswap.amm import buy_exact_quote, sell_exact_base
from pumpswap.model import (
    Costs,
    Denied,
    ExitKind,
    ExitState,
    Filled,
    Position,
    Proposal,
    ProposalStatus,
    Rejected,
    Unknown,
)
from tests.alerts.rules.heard import MINT, POOL, SCHEDULE, STATE, Heard, bought, sold
from tests.support.market import SOL, at, moved

ORDER, FILLED, HELD = bought()


def rule_of(heard: Heard, *held: Position, decimals: int | None = 6) -> TradeRule:
    return TradeRule(heard.context, held, lambda _: decimals)


def test_an_entry_says_amount_all_costs_and_why() -> None:
    heard = Heard()
    rule_of(heard).on_outcome(ORDER, FILLED, HELD)
    assert heard.told == [("info", "entry", POOL)]
    fees, units = FILLED.executed.fees, HELD.base_units
    assert (fees, units) == (12_345_680, 2_376_720_170_393)
    assert heard.text() == (
        "bought 2,376,720 TEST for 1.000006 SOL, all costs in (fees 0.01234568 SOL, network 0.000006 SOL), "
        "as quoted; test 90.0 [o1]"
    )


def test_a_fill_that_brings_less_than_quoted_says_so() -> None:
    heard = Heard()
    executed = buy_exact_quote(moved(STATE, 10), SCHEDULE, SOL)
    rule_of(heard).on_outcome(ORDER, replace(FILLED, executed=executed), HELD)
    assert "), 9 % fewer than quoted; " in heard.text()
    executed = buy_exact_quote(moved(STATE, -10), SCHEDULE, SOL)
    rule_of(heard).on_outcome(ORDER, replace(FILLED, executed=executed), HELD)
    assert "), 11 % more than quoted; " in heard.alerts[1][3]


def test_an_exit_says_its_result_after_all_costs_and_how_long_it_was_held() -> None:
    heard = Heard()
    order, filled, after = sold(HELD)
    rule_of(heard, HELD).on_outcome(order, filled, after)
    assert heard.told == [("info", "exit", POOL)]
    result = after.realised_lamports
    assert result == -46_855_191
    assert heard.text() == (
        "sold all of TEST: 2,376,720 for 0.953150809 SOL, all costs out (fees 0.012065265 SOL, network 0.000005 SOL), "
        "as quoted; result −0.046855191 SOL (−4.68 %) after all costs, held 1 h; stop-loss: far [o2]"
    )


def test_a_part_says_how_much_of_it_and_the_next_one_is_counted_from_there() -> None:
    heard = Heard()
    rule = rule_of(heard, decimals=None)
    rule.on_outcome(ORDER, FILLED, HELD)
    order, filled, after = sold(HELD, share=25)
    rule.on_outcome(order, filled, after)
    order, filled, rest = sold(after)
    rest = replace(rest, realised_lamports=after.realised_lamports + rest.realised_lamports, sells=2)
    rule.on_outcome(order, filled, rest)
    assert heard.alerts[1][3].startswith("sold 25 % of TEST: 594,180,042,598 raw units for ")
    gain = rest.realised_lamports - after.realised_lamports
    assert f"result −0.{-gain:09d} SOL" in heard.alerts[2][3]


def test_a_sale_of_what_nobody_knew_has_no_result() -> None:
    heard = Heard()
    order, filled, after = sold(HELD)
    rule_of(heard).on_outcome(order, filled, after)
    assert "result" not in heard.text()


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Denied("o1", 1, "expired", "it never landed"), "expired: it never landed; nothing was paid"),
        (
            Rejected("o1", 1, 1, 6004, "ExceededSlippage", "too\nfar", Costs(network_fee=5_000), "sig"),
            "ExceededSlippage: too far; the attempt has cost 0.000005 SOL",
        ),
    ],
)
def test_a_buy_that_failed_says_why_and_what_it_cost(outcome: Denied | Rejected, said: str) -> None:
    heard = Heard()
    rule_of(heard).on_outcome(ORDER, outcome, None)
    assert heard.told == [("warning", "order", POOL)]
    assert heard.text() == f"TEST was not bought: {said}; `pumpswap why o1`"


def test_a_sale_that_failed_and_what_is_unknown_are_told_by_others() -> None:
    heard = Heard()
    rule = rule_of(heard, HELD)
    rule.on_outcome(sold(HELD)[0], Denied("o2", 1, "expired", "no"), HELD)
    rule.on_outcome(ORDER, Unknown("o1", 1, "sig", 5), None)
    assert heard.alerts == []


def test_a_name_of_strangers_is_harmless_in_a_trade() -> None:
    heard = Heard()
    evil = replace(HELD, name="<b>@all</b> http://x.io\x1b[2J\u202e / SOL")
    rule_of(heard).on_outcome(ORDER, FILLED, evil)
    assert heard.text().startswith("bought 2,376,720 ·b·all·b· http·x·io·2J for ")


def test_a_proposal_says_how_to_answer_and_is_told_only_while_it_waits() -> None:
    heard = Heard()
    rule = rule_of(heard)
    waiting = Proposal("d7", POOL, MINT, "TEST", SOL, at(0), at(300))
    rule.on_proposal(waiting)
    for status in set(ProposalStatus) - {ProposalStatus.WAITING}:
        rule.on_proposal(replace(waiting, status=status))
    assert heard.told == [("warning", "proposal", POOL)]
    assert heard.text() == (
        "buy TEST for 1 SOL? `pumpswap approve d7` within 5 min, or `pumpswap decline d7`; `pumpswap why d7` says why"
    )


# ---------------------------------------------------------------------------------------------- triggers


def wanted(kind: ExitKind | None, round_: int = 1, **more: bool) -> ExitState:
    return ExitState(POOL, round_, wanted=kind, wanted_reason=f"{kind.value}: far" if kind else "", **more)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (ExitKind.STOP_LOSS, "warning"),
        (ExitKind.TAKE_PROFIT, "info"),
        (ExitKind.LADDER, "info"),
        (ExitKind.TRAILING_STOP, "info"),
        (ExitKind.TIME_OUT, "info"),
    ],
)
def test_a_trigger_is_told_once_for_each_sale(kind: ExitKind, level: str) -> None:
    heard = Heard()
    rule = TriggerRule(heard.context, (), lambda _: HELD)
    for state in (wanted(None), wanted(kind), wanted(kind), wanted(None), wanted(kind)):
        rule.on_exits(state)
    assert heard.told == [(level, kind.value, POOL)] * 2
    part = "a part" if kind is ExitKind.LADDER else "all of it"
    assert heard.alerts[0][3] == f"TEST: {kind.value}: far; selling {part} until it is done"


def test_what_others_tell_is_no_trigger() -> None:
    heard = Heard()
    rule = TriggerRule(heard.context, (), lambda _: None)
    for kind in (ExitKind.RUG, ExitKind.LIQUIDITY_FLIGHT, ExitKind.PANIC, ExitKind.BY_HAND, ExitKind.SIGNAL):
        rule.on_exits(wanted(kind))
    assert heard.alerts == []


def test_a_sale_that_had_begun_before_a_restart_is_not_told_again_and_the_next_round_is() -> None:
    heard = Heard()
    rule = TriggerRule(heard.context, [wanted(ExitKind.STOP_LOSS)], lambda _: None)
    rule.on_exits(wanted(ExitKind.STOP_LOSS))
    assert heard.alerts == []
    rule.on_exits(wanted(ExitKind.STOP_LOSS, is_over=True))
    rule.on_exits(wanted(ExitKind.STOP_LOSS, 2))
    assert heard.told == [("warning", "stop-loss", POOL)]


def test_the_helpers_of_these_tests_agree_with_the_exact_quotes() -> None:
    assert isinstance(FILLED, Filled)
    assert sold(HELD)[1].executed == sell_exact_base(STATE, SCHEDULE, HELD.base_units)
