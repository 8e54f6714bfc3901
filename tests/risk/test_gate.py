"""The gate: every policy refuses for its own reason, sizes never pass a limit, a broken policy stops the trade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.model import Side
from pumpswap.risk import gate as gate_module
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BUY_POLICIES
from pumpswap.settings import RiskLimits, SignalSettings
from tests.risk.asking import EMPTY, HELD, buy, by_hand, decide, failed, sell
from tests.support.market import SOL, START_NS, at, graduate, mint


def test_a_good_signal_on_a_good_pool_is_accepted_with_all_its_numbers() -> None:
    decision = decide()
    assert decision
    assert 0 < decision.quote_lamports <= SOL
    assert decision.sizing[-1].lamports == decision.quote_lamports
    sizes = [step.lamports for step in decision.sizing]
    assert sizes == sorted(sizes, reverse=True)
    assert all(verdict.passed for verdict in decision.verdicts)


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ({"intent": buy(74.9)}, "signal"),
        ({"intent": buy(90.0, Side.SHORT)}, "signal"),
        ({"intent": buy(90.0, Side.HOLD)}, "signal"),
        ({"observed_ns": at(-61)}, "fresh state"),
        ({"state": graduate(creator=graduate().pool.base_mint)}, "venue"),
        ({"state": graduate(quote_vault=9 * SOL)}, "liquidity"),
        ({"book": replace(EMPTY, position=HELD)}, "one position"),
        ({"book": replace(EMPTY, has_open_order=True)}, "open order"),
        ({"book": replace(EMPTY, closed_ns=at(-599))}, "cool-down"),
        ({"book": replace(EMPTY, open_positions=20)}, "open positions"),
        ({"book": replace(EMPTY, exposure=40 * SOL)}, "total exposure"),
        ({"book": replace(EMPTY, balance=SOL // 20)}, "size"),
        ({"limits": RiskLimits(max_impact_bps=0)}, "size"),
        ({"limits": RiskLimits(max_round_trip_loss_bps=100)}, "way out"),
    ],
)
def test_each_limit_refuses_by_name(change: dict[str, Any], policy: str) -> None:
    assert policy in failed(decide(**change))


def test_a_refusal_carries_every_failed_policy() -> None:
    decision = decide(buy(10.0), observed_ns=at(-3600), book=replace(EMPTY, open_positions=99, position=HELD))
    assert {"signal", "fresh state", "one position", "open positions"} <= set(failed(decision))


def test_a_pool_without_state_is_refused_with_its_obstacle() -> None:
    gate = RiskGate(RiskLimits(), SignalSettings())
    decision = gate.decide(buy(), PoolView(None, None, "dex raydium is not PumpSwap"), EMPTY, current_schedule())
    assert "dex raydium is not PumpSwap" in [verdict.text for verdict in decision.refusals]


def test_an_obstacle_refuses_although_an_older_state_is_known() -> None:
    gate = RiskGate(RiskLimits(), SignalSettings())
    decision = gate.decide(buy(), PoolView(graduate(), START_NS, "no reserves"), EMPTY, current_schedule())
    assert "no reserves" in [verdict.text for verdict in decision.refusals]


def test_a_score_that_is_no_number_is_refused() -> None:
    assert "signal" in failed(decide(buy(float("nan"))))


def test_a_pool_layout_that_nobody_knows_is_refused() -> None:
    assert "venue" in failed(decide(state=graduate(account_len=341, tail=b"\1" * 54)))


def test_what_breaks_while_sizing_refuses() -> None:
    wanted = buy()
    assert wanted.signal is not None
    broken = replace(wanted, signal=replace(wanted.signal, strength="x"))  # type: ignore[arg-type]
    decision = decide(broken)
    assert "size" in failed(decision)
    assert decision.sizing[-1].rule == "input"


def test_permissionless_pools_are_traded_only_when_allowed() -> None:
    state = graduate(creator=graduate().pool.base_mint)
    assert "venue" in failed(decide(state=state))
    assert decide(state=state, limits=RiskLimits(allow_permissionless_pools=True))


def test_a_policy_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("nothing by nothing")

    monkeypatch.setattr(gate_module, "BUY_POLICIES", (*BUY_POLICIES, broken))
    decision = decide()
    assert failed(decision) == ["broken"]
    assert "ZeroDivisionError" in decision.refusals[0].text


def test_a_sale_gives_what_is_held_and_no_more() -> None:
    held = replace(EMPTY, position=replace(HELD, base_units=10**9))
    assert decide(sell(10**9), book=held).base_units == 10**9
    for units in (0, 10**9 + 1):
        assert "holding" in failed(decide(sell(units), book=held))
    assert "holding" in failed(decide(sell(1)))
    assert failed(decide(sell(10**9), book=replace(held, has_open_order=True))) == ["open order"]
    assert "sellable" in failed(decide(sell(1), book=held))  # dust would pay nothing


def test_a_sale_on_a_stale_state_would_be_invented_and_is_refused() -> None:
    held = replace(EMPTY, position=replace(HELD, base_units=10**9))
    assert failed(decide(sell(10**9), observed_ns=at(-61), book=held)) == ["fresh state"]


# ------------------------------------------------------------------------------------------ asked for by hand


def test_a_budget_named_by_hand_needs_no_signal_and_is_taken_whole() -> None:
    decision = decide(by_hand(SOL // 4))
    assert decision
    assert decision.quote_lamports == SOL // 4
    assert decision.sizing[0].rule == "asked"


def test_a_budget_named_by_hand_is_never_cut_to_fit_but_refused_with_what_would_fit() -> None:
    decision = decide(by_hand(2 * SOL))
    assert failed(decision) == ["size", "per token", "price impact"]
    verdict = decision.refusals[0]
    assert verdict.text == "2 SOL asked for, the limits allow 1"
    assert verdict.numbers["asked_lamports"] == str(2 * SOL)


def test_a_person_may_add_to_a_position_and_a_signal_may_not() -> None:
    book = replace(EMPTY, position=HELD, open_positions=20, closed_ns=START_NS)
    assert decide(by_hand(SOL // 10), book=book)
    assert "one position" in failed(decide(book=book))


def test_a_pool_that_trades_something_else_than_the_wish_names_is_refused() -> None:
    assert failed(decide(replace(buy(), mint=str(mint(9))))) == ["venue"]
    assert "venue" in failed(decide(replace(buy(), mint=str(WSOL_MINT))))


def test_a_pool_that_is_not_priced_in_sol_is_refused() -> None:
    assert "venue" in failed(decide(state=graduate(quote_mint=mint(7))))


def test_the_size_alone_can_be_asked_for() -> None:
    gate = RiskGate(RiskLimits(), SignalSettings())
    here = PoolView(graduate(), START_NS)
    assert gate.size(buy(), here, EMPTY, current_schedule()).lamports == decide().quote_lamports
    assert gate.size(buy(), PoolView(None, None), EMPTY, current_schedule()).steps[0].rule == "input"


def test_nothing_is_bought_by_hand_while_an_order_on_the_token_is_open() -> None:
    assert failed(decide(by_hand(SOL // 10), book=replace(EMPTY, has_open_order=True))) == ["open order"]
