"""Sizes: each step is kept and right, nothing passes a cap whatever comes in, bad input gives nothing."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.amm import current_schedule
from pumpswap.amm.largest import largest_buy
from pumpswap.model import Side, Signal
from pumpswap.risk.odds import inverse_variance
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.sizing import Funds, Size, size_buy
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS
from tests.support.market import SOL, START_NS, graduate
from tests.support.material import ROOT
from tests.support.random_pools import random_state

GOLDEN = ROOT / "tests" / "golden" / "host" / "golden_vectors.json"
RICH = Funds(balance=50 * SOL, equity=50 * SOL)
WISHES = ["base fraction", "Kelly", "volatility", "signal strength", "regime"]
CAPS = [
    "maximum fraction", "maximum size", "native reserve", "per token", "concentration", "total exposure",
    "share of the pool", "price impact", "way out",
]  # fmt: skip
GENEROUS = RiskLimits(
    max_position_sol=Decimal(1_000), max_token_sol=Decimal(1_000), max_pool_share_bps=10_000, max_impact_bps=10_000,
    max_cost_bps=10_000, max_round_trip_loss_bps=10_000, liquidity_multiple=1, max_position_fraction=Decimal(1),
    max_exposure_fraction=Decimal(1), max_token_fraction=Decimal(1),
)  # fmt: skip


def told(strength: float = 1.0, **figures: Any) -> Signal:
    return Signal("pool", START_NS, Side.LONG, 90.0, strength, "test", **figures)


def size(signal: Signal | None = None, *, funds: Funds = RICH, limits: RiskLimits = GENEROUS, **asked: Any) -> Size:
    state = asked.pop("state", None) or graduate(quote_vault=10_000 * SOL)
    return size_buy(PoolQuotes(state, current_schedule()), limits, funds, signal=signal, **asked)


def steps(found: Size) -> dict[str, int]:
    return {step.rule: step.lamports for step in found.steps}


# ----------------------------------------------------------------------------------------------- what is wished


def test_every_step_is_kept_in_its_order() -> None:
    signal = told(0.5, win_probability=0.6, win_loss_ratio=2.0, vol_risk=1e-5, regime="low", size_multiplier=1.1)
    found = size(signal, limits=RiskLimits())
    assert [step.rule for step in found.steps] == WISHES + CAPS
    assert found.lamports == found.steps[-1].lamports == SOL
    assert found.limited_by == "maximum size"
    assert all(step.note for step in found.steps)


def test_a_signal_that_tells_nothing_gets_base_and_strength() -> None:
    found = steps(size(told(0.5)))
    assert found["base fraction"] == 5 * SOL
    assert found["signal strength"] == 5 * SOL * 3 // 4
    assert not {"Kelly", "volatility", "regime"} & set(found)


def test_kelly_lowers_to_its_fraction_of_the_balance() -> None:
    # f* = (1·0.55 − 0.45)/1 = 0.1, a quarter of it 0.025 of 50 SOL.
    assert steps(size(told(win_probability=0.55, win_loss_ratio=1.0)))["Kelly"] == pytest.approx(SOL * 5 // 4, rel=1e-4)
    # f* = 0.8: a quarter is more than the base, which it never raises.
    assert steps(size(told(win_probability=0.9, win_loss_ratio=1.0)))["Kelly"] == 5 * SOL


@pytest.mark.parametrize(("chance", "odds"), [(0.5, 1.0), (0.4, 1.0), (0.0, 5.0), (0.99, 0.0)])
def test_without_an_edge_nothing_is_bought_and_the_step_says_so(chance: float, odds: float) -> None:
    found = size(told(win_probability=chance, win_loss_ratio=odds))
    assert (found.lamports, found.limited_by) == (0, "Kelly")
    assert found.steps[-1].note.endswith("no edge")


@pytest.mark.parametrize(
    ("signal", "limits"),
    [
        (told(win_probability=0.1), GENEROUS),
        (told(win_loss_ratio=0.1), GENEROUS),
        (
            told(win_probability=0.1, win_loss_ratio=0.1),
            RiskLimits(**{**GENEROUS.model_dump(), "kelly_fraction": Decimal(0)}),
        ),
    ],
)
def test_kelly_needs_both_figures_and_its_setting(signal: Signal, limits: RiskLimits) -> None:
    assert "Kelly" not in steps(size(signal, limits=limits))


def test_volatility_scales_and_can_be_switched_off() -> None:
    wild = told(vol_risk=2e-3)
    assert steps(size(wild))["volatility"] == 5 * SOL // 2
    off = RiskLimits(**{**GENEROUS.model_dump(), "scale_by_volatility": False})
    assert "volatility" not in steps(size(wild, limits=off))


@pytest.mark.parametrize(("regime", "factor"), [("low", 1.1), ("medium", 1.0), ("high", 0.85), ("extreme", 0.6)])
def test_the_regime_scales_and_may_raise_the_wish(regime: str, factor: float) -> None:
    found = steps(size(told(regime=regime, size_multiplier=factor)))
    assert found["regime"] == pytest.approx(5 * SOL * factor)
    assert found["way out"] == found["regime"]


def test_what_the_regime_raises_no_cap_lets_through() -> None:
    limits = RiskLimits(**{**GENEROUS.model_dump(), "max_position_sol": Decimal(5)})
    assert size(told(regime="low", size_multiplier=1.1), limits=limits).lamports == 5 * SOL


# ----------------------------------------------------------------------------------------------- what is allowed


@pytest.mark.parametrize(
    ("rule", "limits", "funds", "lamports"),
    [
        ("maximum fraction", {"max_position_fraction": "0.05"}, {}, 50 * SOL // 20),
        ("maximum size", {"max_position_sol": "0.7"}, {}, SOL * 7 // 10),
        ("native reserve", {"native_reserve_sol": "48", "cost_allowance_sol": "0.5"}, {}, SOL * 3 // 2),
        ("per token", {"max_token_sol": "2"}, {"token_exposure": SOL // 2}, SOL * 149 // 100),
        ("concentration", {"max_token_fraction": "0.1"}, {"token_exposure": 3 * SOL}, SOL * 199 // 100),
        ("total exposure", {"max_exposure_fraction": "0.8"}, {"exposure": 39 * SOL}, SOL * 99 // 100),
        ("share of the pool", {"max_pool_share_bps": 1}, {}, SOL),
    ],
)
def test_each_cap_lowers_to_its_own_bound(
    rule: str, limits: dict[str, Any], funds: dict[str, int], lamports: int
) -> None:
    found = size(told(), limits=RiskLimits(**{**GENEROUS.model_dump(), **limits}), funds=replace(RICH, **funds))
    assert (found.limited_by, found.lamports) == (rule, lamports)


def test_no_trade_is_more_than_a_quarter_of_the_pool_whatever_the_settings_say() -> None:
    thin = graduate(quote_vault=8 * SOL)
    found = size(None, state=thin, asked_lamports=8 * SOL)
    assert (found.limited_by, found.lamports) == ("share of the pool", 2 * SOL)


def test_fees_owed_to_others_are_not_in_the_pool() -> None:
    owing = graduate(quote_vault=8 * SOL, protocol_fees=2 * SOL, creator_fees=2 * SOL)
    assert size(None, state=owing, asked_lamports=8 * SOL).lamports == SOL


@pytest.mark.parametrize("limits", [{"max_impact_bps": 10}, {"max_cost_bps": 140}])
def test_price_lowers_to_the_last_lamport_that_fits(limits: dict[str, int]) -> None:
    state = graduate()
    quotes = PoolQuotes(state, current_schedule())
    used = RiskLimits(**{**GENEROUS.model_dump(), **limits})
    found = size(told(), limits=used, state=state)
    assert found.limited_by == "price impact"

    def fits(budget: int) -> bool:
        return quotes.impact(budget) * BPS <= used.max_impact_bps and quotes.cost(budget) * BPS <= used.max_cost_bps

    assert fits(found.lamports)
    assert not fits(found.lamports + 1)


def test_below_the_minimum_nothing_is_bought() -> None:
    poor = Funds(balance=SOL // 8, equity=SOL // 8)
    found = size(told(0.0), funds=poor)
    assert (found.lamports, found.limited_by) == (0, "minimum size")
    assert found.steps[-1].note == "0.00625 SOL is below 0.01 SOL"


def test_what_a_person_asks_for_is_capped_like_everything_else() -> None:
    found = size(None, asked_lamports=30 * SOL, limits=RiskLimits())
    assert found.steps[0].rule == "asked"
    assert not set(WISHES) & set(steps(found))
    assert found.lamports == SOL


def test_what_was_approved_is_a_cap_and_no_demand() -> None:
    free = size(told()).lamports
    assert size(told(), funds=replace(RICH, approved=free + 1)).lamports == free
    capped = size(told(), funds=replace(RICH, approved=free - 1))
    assert (capped.lamports, capped.limited_by) == (free - 1, "approved")
    nothing = size(told(), funds=replace(RICH, approved=1_000))
    assert (nothing.lamports, nothing.limited_by) == (0, "minimum size")


# ----------------------------------------------------------------------------------------------- bad input

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    "figures",
    [
        {"strength": NAN}, {"strength": -0.1}, {"strength": 1.1}, {"strength": "x"},
        {"size_multiplier": NAN}, {"size_multiplier": -1.0}, {"size_multiplier": 11.0}, {"size_multiplier": INFINITE},
        {"vol_risk": NAN}, {"vol_risk": -1e-9}, {"vol_risk": INFINITE},
        {"win_probability": NAN, "win_loss_ratio": 1.0}, {"win_probability": 1.1, "win_loss_ratio": 1.0},
        {"win_probability": 0.9, "win_loss_ratio": NAN}, {"win_probability": 0.9, "win_loss_ratio": -1.0},
        {"win_probability": 0.9, "win_loss_ratio": INFINITE},
    ],
)  # fmt: skip
def test_a_signal_with_an_impossible_figure_sizes_to_nothing(figures: dict[str, Any]) -> None:
    found = size(told(**figures))
    assert (found.lamports, found.steps[-1].rule) == (0, "input")
    assert next(iter(figures)) in found.steps[-1].note or "win_" in found.steps[-1].note


@pytest.mark.parametrize(
    "funds",
    [
        Funds(0, SOL), Funds(-1, SOL), Funds(SOL, -1), Funds(SOL, SOL, -1), Funds(SOL, SOL, 0, -1),
        Funds(2**63, SOL), Funds(1.5, SOL), Funds(NAN, SOL), Funds(True, SOL),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_impossible_books_size_to_nothing(funds: Funds) -> None:
    found = size(told(), funds=funds)
    assert (found.lamports, found.steps[0].rule) == (0, "input")


@pytest.mark.parametrize("asked", [0, -1, 2**63, 0.5, True])
def test_an_impossible_wish_sizes_to_nothing(asked: Any) -> None:
    found = size(None, asked_lamports=asked)
    assert (found.lamports, found.steps[0].rule) == (0, "input")


def test_without_a_signal_or_a_wish_nothing_is_bought() -> None:
    assert size(None).steps[0].note == "there is no signal, and nobody named a size"


# ----------------------------------------------------------------------------------------------- whatever comes in

FIGURES = st.fixed_dictionaries(
    {
        "strength": st.floats(-0.5, 1.5) | st.floats(),
        "size_multiplier": st.floats(-1, 11) | st.floats(),
        "win_probability": st.none() | st.floats(-0.5, 1.5),
        "win_loss_ratio": st.none() | st.floats(-1, 10) | st.floats(),
        "vol_risk": st.none() | st.floats(0, 0.01) | st.floats(),
    }
)
LIMITS = st.fixed_dictionaries(
    {
        "base_position_fraction": st.decimals("0.0001", 1, places=4),
        "kelly_fraction": st.decimals(0, 1, places=3),
        "max_position_fraction": st.decimals("0.0001", 1, places=4),
        "max_position_sol": st.decimals(0, 1_000, places=9),
        "min_position_sol": st.decimals(0, 2, places=9),
        "max_pool_share_bps": st.integers(0, 10_000),
        "liquidity_multiple": st.integers(1, 100),
        "max_impact_bps": st.integers(0, 3_000),
        "max_cost_bps": st.integers(0, 4_000),
        "max_round_trip_loss_bps": st.integers(0, 5_000),
        "max_token_sol": st.decimals(0, 1_000, places=9),
        "max_token_fraction": st.decimals("0.0001", 1, places=4),
        "max_exposure_fraction": st.decimals("0.0001", 1, places=4),
        "native_reserve_sol": st.decimals(0, 10, places=9),
        "cost_allowance_sol": st.decimals(0, 1, places=9),
    }
)
MONEY = st.integers(0, 2_000 * SOL)


@hypothesis_settings(max_examples=200)
@given(st.integers(0, 2**32), FIGURES, LIMITS, MONEY, MONEY, MONEY, MONEY, st.none() | st.integers(-5, 2_000 * SOL))
def test_no_size_ever_passes_a_cap(
    seed: int,
    figures: dict[str, Any],
    chosen: dict[str, Any],
    balance: int,
    equity: int,
    exposure: int,
    token: int,
    asked: int | None,
) -> None:
    rng = random.Random(seed)
    state = random_state(rng) if seed % 2 else graduate(quote_vault=rng.randint(SOL, 5_000 * SOL))
    limits, funds = RiskLimits(**chosen), Funds(balance, equity, exposure, token)
    quotes = PoolQuotes(state, current_schedule())
    found = size_buy(quotes, limits, funds, signal=told(**figures), asked_lamports=asked)
    lamports = found.lamports
    assert [step.lamports for step in found.steps][-1] == lamports >= 0
    allowed = [step.lamports for step in found.steps if step.rule in CAPS]
    assert allowed == sorted(allowed, reverse=True)
    if lamports == 0:
        return
    part = {name: Fraction(getattr(limits, name)) for name in chosen if name.endswith("_fraction")}
    assert lamports >= limits.lamports("min_position_sol")
    assert lamports <= limits.lamports("max_position_sol")
    assert lamports <= balance * part["max_position_fraction"]
    cost = lamports + limits.lamports("cost_allowance_sol")
    assert balance - cost >= limits.lamports("native_reserve_sol")
    assert token + cost <= min(Fraction(limits.lamports("max_token_sol")), equity * part["max_token_fraction"])
    assert exposure + cost <= equity * part["max_exposure_fraction"]
    real = state.real_quote_reserve
    assert lamports * BPS <= real * min(limits.max_pool_share_bps, 2_500)
    assert lamports * limits.liquidity_multiple <= real
    assert quotes.impact(lamports) * BPS <= limits.max_impact_bps
    assert quotes.cost(lamports) * BPS <= limits.max_cost_bps
    assert quotes.round_trip_loss(lamports) * BPS <= limits.max_round_trip_loss_bps
    if asked is not None:
        assert lamports <= asked
        return
    wished = balance * part["base_position_fraction"] * max(Fraction(figures["size_multiplier"]), Fraction(1))
    assert lamports <= wished + 1


@given(st.floats(0, 1), st.floats(0, 1), st.integers(SOL, 100 * SOL), st.integers(0, 100 * SOL))
def test_a_stronger_signal_or_more_money_never_means_less(one: float, other: float, balance: int, more: int) -> None:
    weak, strong = sorted((one, other))
    limits = RiskLimits()
    funds = Funds(balance, 1_000 * SOL)
    assert (
        size(told(weak), funds=funds, limits=limits).lamports <= size(told(strong), funds=funds, limits=limits).lamports
    )
    richer = replace(funds, balance=balance + more)
    assert size(told(one), funds=funds, limits=limits).lamports <= size(told(one), funds=richer, limits=limits).lamports


@given(st.floats(0.01, 1), st.floats(0, 0.99), st.floats(0.01, 10), st.floats(0, 0.05), st.floats(0, 0.05))
def test_better_odds_never_mean_less_and_more_turbulence_never_more(
    chance: float, less: float, odds: float, one: float, other: float
) -> None:
    calm, wild = sorted((one, other))
    at_odds = {"win_probability": chance, "win_loss_ratio": odds}
    worse = size(told(win_probability=chance * less, win_loss_ratio=odds)).lamports
    assert worse <= size(told(**at_odds)).lamports
    assert size(told(vol_risk=wild)).lamports <= size(told(vol_risk=calm)).lamports


@given(vault=st.integers(SOL, 10_000 * SOL), most=st.integers(1, 1_000 * SOL), impact_bps=st.integers(1, 2_000))
def test_the_largest_budget_is_exact_to_the_lamport(vault: int, most: int, impact_bps: int) -> None:
    state, bound = graduate(quote_vault=vault), Fraction(impact_bps, BPS)
    quotes = PoolQuotes(state, current_schedule())
    found = largest_buy(state, current_schedule(), most=most, max_impact=bound)
    if found:
        assert quotes.impact(found) <= bound
    if 0 < found < most:
        assert quotes.impact(found + 1) > bound


# ----------------------------------------------------------------------------------------------- the host's sizer


def golden() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["kelly_sizer_mainnet"]
    return cases


def test_the_base_of_the_hosts_sizer_is_our_volatility_factor() -> None:
    """Theirs is clipped to 0.01 and 0.5; ours is a factor of the base, which needs no floor."""
    for case in golden():
        share = inverse_variance(case["signal"]["vol_risk"])
        assert min(max(share, 0.01), 0.5) == pytest.approx(case["expect"]["base_size"], rel=1e-9)


def test_where_the_hosts_sizer_buys_blind_ours_does_not() -> None:
    """Without a balance theirs gives a size all the same, and its floor lifts sizes that its own steps have made
    smaller. Ours has a balance or gives nothing, and drops what is too small.
    """
    limits = RiskLimits(max_position_sol=Decimal("0.5"))
    for case in golden():
        told_by, pool, balance = case["signal"], case["pool"] or {}, case["balance"]
        depth = pool.get("reserve_sol") or (pool["reserve_in_usd"] / 100 if "reserve_in_usd" in pool else 0)
        state = graduate(quote_vault=int(depth * SOL))
        lamports = int((balance or 0) * SOL)
        signal = told(1.0, vol_risk=told_by["vol_risk"], size_multiplier=told_by["regime_multiplier"])
        found = size(signal, funds=Funds(lamports, lamports), limits=limits, state=state).lamports
        theirs = int(case["expect"]["final_size"] * SOL)
        assert theirs > 0
        assert found <= max(lamports - limits.lamports("native_reserve_sol"), 0)
        assert found <= depth * SOL / 4
        assert found == 0 if balance is None or not pool or told_by["regime_multiplier"] == 0 else found <= SOL // 2
