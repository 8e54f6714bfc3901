"""Every policy refuses at its bound, passes just inside it, and says until when."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.amm.largest import cost_over_spot
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import BreakerState, ScreenCheck, ScreenReport, ScreenVerdict, TradeSide, TradingState
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES
from pumpswap.risk.policies.candidate import percent, seconds
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS
from tests.risk.asking import HELD, book, buy, by_hand, decide, failed, sell, verdict
from tests.support.market import SOL, START_NS, at, graduate

MINT, OTHER_MINT = str(graduate().pool.base_mint), str(graduate(2).pool.base_mint)
SIZE = SOL // 4  # of what a person asks for below
BOUGHT = buy_exact_quote(graduate(), current_schedule(), SIZE)
QUOTES = PoolQuotes(graduate(), current_schedule())
RESERVE, COSTS = SOL // 20, SOL // 100


def screened(found: ScreenVerdict) -> ScreenReport:
    return ScreenReport(MINT, START_NS, (ScreenCheck("mint authority", found, "it can be minted"),))


def spread(whole: int) -> dict[str, Any]:
    """Books in which only a share of equity is short."""
    return {"balance": 50 * SOL, "equity": whole}


# What is just allowed, what no longer is, and until when that lasts. ``limits`` are settings, the rest is of the books.
INSIDE_AND_OUT: list[tuple[str, dict[str, Any], dict[str, Any], int | None]] = [
    ("trading state", {}, {"trading": TradingState.EXITS_ONLY}, None),
    ("trading state", {}, {"trading": TradingState.HALTED}, None),
    ("mode", {}, {"mode_obstacle": "analysis mode: nothing is ordered"}, None),
    ("circuit breaker", {}, {"breaker": BreakerState.OPEN, "breaker_until_ns": at(300)}, at(300)),
    (
        "circuit breaker",
        {"breaker": BreakerState.HALF_OPEN},
        {"breaker": BreakerState.HALF_OPEN, "trial_is_out": True},
        None,
    ),
    (
        "trade rate",
        {"entries": (9, 9, 9)},
        {"entries": (10, 10, 10), "entries_until_ns": (at(7), 0, 0)},
        at(7),
    ),
    (
        "trade rate",
        {"entries": (0, 99, 99)},
        {"entries": (0, 100, 500), "entries_until_ns": (0, at(70), at(700))},
        at(700),
    ),
    (
        "daily loss",
        {"day_start_lamports": 50 * SOL, "day_loss_lamports": 5 * SOL - 1},
        {"day_start_lamports": 50 * SOL, "day_loss_lamports": 5 * SOL, "day_until_ns": at(86_400)},
        at(86_400),
    ),
    ("daily loss", {}, {"day_is_lost": True, "day_until_ns": at(86_400)}, at(86_400)),
    (
        "drawdown",
        {"peak_lamports": 80 * SOL, "drawdown_lamports": 20 * SOL - 1},
        {"peak_lamports": 80 * SOL, "drawdown_lamports": 20 * SOL},
        None,
    ),
    ("drawdown", {}, {"is_drawn_down": True}, None),
    ("loss streak", {"losses_until_ns": START_NS}, {"losses_until_ns": START_NS + 1}, START_NS + 1),
    ("open order", {}, {"has_open_order": True}, None),
    ("open positions", {"open_positions": 19}, {"open_positions": 20}, None),
    ("books", {}, {"books_obstacle": "the wallet has more of it than the books"}, None),
    ("screen", {"screen": screened(ScreenVerdict.SAFE)}, {"screen": screened(ScreenVerdict.UNSAFE)}, None),
    ("screen", {}, {"screen": screened(ScreenVerdict.UNKNOWN)}, None),
    ("screen", {}, {"screen": ScreenReport(MINT, START_NS, ())}, None),
    ("screen", {"screen": screened(ScreenVerdict.SAFE), "require_screen": True}, {"require_screen": True}, None),
    ("token lists", {"deny_tokens": (OTHER_MINT,)}, {"deny_tokens": (OTHER_MINT, MINT)}, None),
    ("token lists", {"allow_tokens": (MINT,)}, {"allow_tokens": (OTHER_MINT,)}, None),
    ("per token", {"token_exposure": 2 * SOL - SIZE - COSTS}, {"token_exposure": 2 * SOL - SIZE - COSTS + 1}, None),
    ("concentration", spread(2 * (SIZE + COSTS)), spread(2 * (SIZE + COSTS) - 1), None),
    ("total exposure", {"exposure": 40 * SOL - SIZE - COSTS}, {"exposure": 40 * SOL - SIZE - COSTS + 1}, None),
    ("native reserve", {"balance": 2 * SIZE}, {"balance": SIZE + COSTS + RESERVE - 1}, None),
    ("balance", {"balance": 2 * SIZE}, {"balance": SIZE + COSTS - 1}, None),
    ("slippage", {"max_slippage_bps": 300}, {"slippage_bps": 200, "max_slippage_bps": 200, "asks_bps": 201}, None),
    ("price impact", {"max_impact_bps": 30}, {"max_impact_bps": 29}, None),
    ("price after fees", {"max_cost_bps": 155}, {"max_cost_bps": 154}, None),
    ("way out", {"max_round_trip_loss_bps": 247}, {"max_round_trip_loss_bps": 246}, None),
    ("liquidity", {"min_liquidity_sol": "84.990359057"}, {"min_liquidity_sol": "84.990359058"}, None),
    ("size", {"max_position_sol": "0.25"}, {"max_position_sol": "0.249999999"}, None),
    ("size", {"min_position_sol": "0.25"}, {"min_position_sol": "0.250000001"}, None),
]


def asked(changes: dict[str, Any]) -> Any:
    """The decision on a quarter of a SOL by hand, in books and under limits that ``changes`` name."""
    changes = dict(changes)
    limits = RiskLimits(**{name: changes.pop(name) for name in list(changes) if name in RiskLimits.model_fields})
    wish = replace(by_hand(SIZE), slippage_bps=changes.pop("asks_bps", None))
    return decide(wish, book=book(**changes), limits=limits)


@pytest.mark.parametrize(
    ("policy", "inside", "outside", "until_ns"), INSIDE_AND_OUT, ids=[row[0] for row in INSIDE_AND_OUT]
)
def test_a_policy_passes_just_inside_its_bound_and_refuses_beyond(
    policy: str, inside: dict[str, Any], outside: dict[str, Any], until_ns: int | None
) -> None:
    allowed, refused = asked(inside), asked(outside)
    assert verdict(allowed, policy).passed
    assert allowed, allowed.refusals
    found = verdict(refused, policy)
    assert not found.passed
    assert found.until_ns == until_ns
    assert not refused


def test_the_bounds_of_price_are_the_exact_ones() -> None:
    """The parametrised bounds above are whole basis points; these are what they bracket."""
    assert 29 < BOUGHT.impact * BPS < 30
    assert 154 < cost_over_spot(BOUGHT) * BPS < 155
    assert 246 < QUOTES.round_trip_loss(SIZE) * BPS < 247


@pytest.mark.parametrize(
    ("policy", "told", "seconds_late", "passes", "until_ns"),
    [
        ("signal age", {"at_ns": START_NS}, 60, True, None),
        ("signal age", {"at_ns": START_NS - 1}, 60, False, None),
        ("signal age", {"at_ns": START_NS + 60 * NS_PER_SECOND}, 0, True, None),
        ("signal age", {"at_ns": START_NS + 60 * NS_PER_SECOND + 1}, 0, False, None),
    ],
)
def test_a_signal_counts_as_long_as_it_is_fresh(
    policy: str, told: dict[str, Any], seconds_late: int, passes: bool, until_ns: int | None
) -> None:
    wish = replace(buy(**told), at_ns=at(seconds_late))
    found = verdict(decide(wish, observed_ns=at(seconds_late)), policy)
    assert (found.passed, found.until_ns) == (passes, until_ns)


def test_a_person_who_agrees_late_agrees_to_a_signal_that_was_fresh_when_asked() -> None:
    late = replace(buy(), at_ns=at(110))
    assert failed(decide(late, observed_ns=at(110))) == ["signal age"]
    assert decide(replace(late, proposed_ns=START_NS), observed_ns=at(110))
    assert failed(decide(replace(late, proposed_ns=at(61)), observed_ns=at(110))) == ["signal age"]


@pytest.mark.parametrize(
    ("observed_ns", "passes"),
    [(at(-60), True), (at(-60) - 1, False), (at(60), True), (at(60) + 1, False), (at(36_000), False), (None, False)],
)
def test_a_state_counts_as_long_as_it_is_fresh(observed_ns: int | None, passes: bool) -> None:
    assert verdict(decide(observed_ns=observed_ns), "fresh state").passed is passes


@pytest.mark.parametrize(("closed_ns", "until_ns"), [(at(-600), None), (at(-600) + 1, START_NS + 1)])
def test_a_pool_rests_after_a_round_and_the_refusal_says_how_long(closed_ns: int, until_ns: int | None) -> None:
    found = verdict(decide(book=book(closed_ns=closed_ns)), "cool-down")
    assert (found.passed, found.until_ns) == (until_ns is None, until_ns)


@pytest.mark.parametrize(("declined_ns", "until_ns"), [(at(-600), None), (at(-600) + 1, START_NS + 1)])
def test_a_token_that_a_person_declined_rests_too(declined_ns: int, until_ns: int | None) -> None:
    found = verdict(decide(book=book(declined_ns=declined_ns)), "declined")
    assert (found.passed, found.until_ns) == (until_ns is None, until_ns)
    assert decide(by_hand(SOL // 2), book=book(declined_ns=declined_ns))  # who asks for it by hand has changed his mind


@pytest.mark.parametrize(("score", "passes"), [(75.0, True), (74.999, False), (float("nan"), False)])
def test_a_score_must_reach_the_threshold(score: float, passes: bool) -> None:
    assert verdict(decide(buy(score)), "signal").passed is passes


def test_a_buy_without_a_signal_and_without_a_person_is_refused() -> None:
    assert failed(decide(replace(buy(), signal=None))) == ["signal"]


def test_what_a_person_asks_for_skips_signal_and_rest_but_no_limit() -> None:
    assert decide(by_hand(SIZE), book=book(closed_ns=START_NS, position=HELD, open_positions=99))
    locked = book(
        trading=TradingState.HALTED, breaker=BreakerState.OPEN, day_is_lost=True, is_drawn_down=True,
        losses_until_ns=at(1), entries=(10, 0, 0), entries_until_ns=(at(9), 0, 0), token_exposure=2 * SOL,
        exposure=40 * SOL, screen=screened(ScreenVerdict.UNSAFE),
    )  # fmt: skip
    assert set(failed(decide(by_hand(SIZE), book=locked))) == {
        "trading state", "circuit breaker", "daily loss", "drawdown", "loss streak", "trade rate", "screen", "size",
        "per token", "total exposure",
    }  # fmt: skip


def test_no_limit_of_entries_keeps_a_sale_back() -> None:
    held = replace(HELD, base_units=10**9)
    worst = book(
        trading=TradingState.EXITS_ONLY, breaker=BreakerState.OPEN, day_is_lost=True, is_drawn_down=True,
        losses_until_ns=at(99), entries=(10**6, 10**6, 10**6), balance=0, equity=0, exposure=10**15,
        token_exposure=10**15, open_positions=10**6, books_obstacle="they differ", position=held,
        screen=screened(ScreenVerdict.UNSAFE),
    )  # fmt: skip
    limits = RiskLimits(deny_tokens=(MINT,), require_screen=True, min_liquidity_sol=Decimal(1_000_000))
    strange = graduate(creator=graduate().pool.base_mint)
    assert decide(sell(10**9), book=worst, limits=limits, state=strange).base_units == 10**9


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        ({"trading": TradingState.HALTED}, "trading state"),
        ({"mode_obstacle": "analysis mode: nothing is ordered"}, "mode"),
        ({"has_open_order": True}, "open order"),
    ],
)
def test_what_keeps_a_sale_back(changes: dict[str, Any], policy: str) -> None:
    held = book(position=replace(HELD, base_units=10**9), **changes)
    assert failed(decide(sell(10**9), book=held)) == [policy]


def test_a_refusal_of_size_names_the_step_that_left_nothing() -> None:
    full = book(exposure=40 * SOL)
    decision = decide(book=full)
    assert failed(decision) == ["size", "total exposure"]
    assert verdict(decision, "size").text == "no size of at least 0.01 SOL fits: total exposure"


def test_every_policy_answers_a_plain_buy_and_a_plain_sale() -> None:
    decision = decide()
    # The cool-downs have nothing to say of a pool that was never held, and of a coin that nobody has declined.
    assert len(decision.verdicts) == len(BUY_POLICIES) - 2
    held = book(position=replace(HELD, base_units=10**9))
    assert len(decide(sell(10**9), book=held).verdicts) == len(SELL_POLICIES)


@given(nanoseconds=st.integers(0, 10**18))
def test_times_read_as_everywhere_else(nanoseconds: int) -> None:
    assert float(seconds(nanoseconds).removesuffix(" s")) == pytest.approx(nanoseconds / NS_PER_SECOND, abs=1e-3)


def test_shares_read_as_per_cent() -> None:
    assert percent(BOUGHT.impact) == f"{float(BOUGHT.impact) * 100:.2f} %"


@given(
    balance=st.integers(-(10**18), 10**18),
    equity=st.integers(-(10**18), 10**18),
    exposure=st.integers(-(10**18), 10**18),
    token=st.integers(-(10**18), 10**18),
    vault=st.integers(0, 10_000 * SOL),
    base=st.integers(0, 10**15),
    told=st.fixed_dictionaries(
        {
            "strength": st.floats(),
            "size_multiplier": st.floats(),
            "win_probability": st.none() | st.floats(),
            "win_loss_ratio": st.none() | st.floats(),
            "vol_risk": st.none() | st.floats(),
        }
    ),
)
def test_the_gate_answers_whatever_comes_in(
    balance: int, equity: int, exposure: int, token: int, vault: int, base: int, told: dict[str, Any]
) -> None:
    state = graduate(quote_vault=vault, base_reserve=base)
    here = book(balance=balance, equity=equity, exposure=exposure, token_exposure=token)
    decision = decide(buy(**told), state=state, book=here)
    assert not [one for one in decision.verdicts if "the policy failed" in one.text]
    assert decision.accepted == (decision.quote_lamports > 0) == (not decision.refusals)
    assert decision.intent.side is TradeSide.BUY
    if decision:
        limits = RiskLimits()
        assert limits.lamports("min_position_sol") <= decision.quote_lamports <= limits.lamports("max_position_sol")
        assert exposure + decision.quote_lamports + COSTS <= equity * limits.max_exposure_fraction
        assert token + decision.quote_lamports + COSTS <= limits.lamports("max_token_sol")
        assert balance - decision.quote_lamports >= RESERVE + COSTS


def test_a_state_that_is_a_few_milliseconds_ahead_of_us_is_of_now() -> None:
    assert verdict(decide(observed_ns=START_NS + 5_000_000), "fresh state").text.startswith(
        "the pool's state is 0 s old"
    )
    assert "after now" in verdict(decide(observed_ns=START_NS + 200_000_000), "fresh state").text
