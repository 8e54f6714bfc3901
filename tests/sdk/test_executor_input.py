"""What the executor reads out of a host's dictionary: sides, coins, times, numbers; and that nothing makes it raise."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput
from pumpswap.model import Side
from pumpswap.sdk.executor import ANSWERS, ExecutionResult
from pumpswap.sdk.executor.signal_reader import Told, read_identity, read_signal
from pumpswap.sdk.executor.values import flag_of, moment_of, number_of
from pumpswap.settings import Settings
from pumpswap.signals.regimes import Regime
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL, START_NS, graduate, mint

SETTINGS = Settings()
HUGE = pytest.param(10**5000, id="thousands of digits")  # Python refuses to write it
POOL, MINT = str(graduate().address), str(mint(1))


def read(**changes: Any) -> Any:
    return read_signal(signal(**changes), SETTINGS, START_NS)


@pytest.mark.parametrize(
    ("side", "q50", "more", "found"),
    [
        (1, 0.001, {}, Side.LONG),
        (1.0, 0.001, {}, Side.LONG),
        ("1", 0.001, {}, Side.LONG),
        ("1.0", "0.001", {}, Side.LONG),
        (Decimal(1), Decimal("0.001"), {}, Side.LONG),
        (0, -0.001, {}, Side.SHORT),
        ("0", -0.001, {}, Side.SHORT),
        ("LONG", 0.001, {}, Side.LONG),
        (" buy ", 0.001, {}, Side.LONG),
        ("sell", -0.001, {}, Side.SHORT),
        ("short", None, {}, Side.SHORT),
        (Side.LONG, 0.001, {}, Side.LONG),
        (1, 0.001, {"side_code": "plan"}, Side.LONG),
        (-1, -0.001, {"side_code": "plan"}, Side.SHORT),
        ("-1", -0.001, {"side_code": "plan"}, Side.SHORT),
        (None, 0.001, {}, Side.LONG),
        (None, -0.001, {}, Side.SHORT),
    ],
)
def test_a_side_is_read_by_the_code_of_the_frame_unless_the_dictionary_says_the_plans(
    side: object, q50: object, more: dict[str, object], found: Side
) -> None:
    assert read(side=side, q50=q50, **more).side is found


@pytest.mark.parametrize(("side", "more"), [(-1, {}), (0, {"side_code": "plan"})])
def test_the_hold_of_one_code_is_no_direction_of_the_other(side: int, more: dict[str, object]) -> None:
    with pytest.raises(Told) as told:
        read(side=side, **more)
    assert told.value.code == "side_is_hold"


@pytest.mark.parametrize("side", [2, -2, 0.5, True, False, "up", "1,0", [], {}, math.nan, HUGE, "true"])
def test_any_other_side_is_refused(side: object) -> None:
    with pytest.raises(Told) as told:
        read(side=side)
    assert told.value.code == "invalid_signal_data"


@pytest.mark.parametrize("side", [0.5, 7])
def test_the_plans_code_has_no_other_numbers_either(side: object) -> None:
    with pytest.raises(Told, match="plan"):
        read(side=side, side_code="plan")


def test_an_unknown_side_code_is_refused() -> None:
    with pytest.raises(Told, match="side_code"):
        read(side_code="mine")


@pytest.mark.parametrize(
    "data",
    [
        {"pool_data": {"base_token_address": MINT}},
        {"pool_data": {"base_token_id": f"solana_{MINT}"}},
        {"pool_data": {"mint_address": MINT}},
        {"mint_address": MINT},
        {"mint_address": f"solana_{MINT}"},
        {"pool_data": {"network_address": MINT}},
        {"pool_data": {"id": 17, "base_token_id": MINT}},
    ],
)
def test_a_coin_is_found_under_every_name_that_hosts_have_for_it(data: dict[str, object]) -> None:
    assert read_identity(data)[1] == mint(1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pool_data",
    [
        {"pool_id": f"solana_{POOL}"},
        {"id": f"solana_{POOL}", "base_token_id": f"solana_{MINT}"},
        {"address": POOL},
        {"pumpswap_pair_address": POOL},
        {"pair_address": POOL, "network_address": POOL},
    ],
)
def test_a_pool_is_found_under_its_names(pool_data: dict[str, object]) -> None:
    assert str(read_identity({"pool_data": pool_data})[0]) == POOL


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"pool_data": {"base_token_address": POOL, "pool_id": f"solana_{POOL}"}}, "invalid_mint_address"),
        ({"pool_data": {"base_token_address": str(WSOL_MINT)}}, "invalid_mint_address"),
        ({"mint_address": MINT, "pool_data": {"base_token_address": str(mint(2))}}, "invalid_mint_address"),
        ({"pool_data": {"base_token_address": "x" * 44}}, "invalid_mint_address"),
        ({"pool_data": {"base_token_address": 5}}, "invalid_mint_address"),
        ({"pool_data": {"address": 17, "base_token_id": MINT}}, "invalid_mint_address"),
        ({"pool_data": {"pool_id": f"solana_{POOL}", "dex_id": "raydium-clmm"}}, "pair_not_found"),
        ({"pool_data": {"pool_id": f"bsc_{POOL}"}}, "pair_not_found"),
    ],
)
def test_what_is_no_coin_and_no_pool_of_pumpswap_is_refused(data: dict[str, object], code: str) -> None:
    with pytest.raises(Told) as told:
        read_identity(data)  # type: ignore[arg-type]
    assert told.value.code == code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (datetime(2026, 11, 2, tzinfo=UTC), START_NS // NS_PER_SECOND),
        (datetime(2026, 11, 2, tzinfo=UTC).replace(tzinfo=None), START_NS // NS_PER_SECOND),
        ("2026-11-02T00:00:00Z", START_NS // NS_PER_SECOND),
        ("2026-11-02 01:00:00+01:00", START_NS // NS_PER_SECOND),
        (START_NS // NS_PER_SECOND, START_NS // NS_PER_SECOND),
        (START_NS // 10**6, START_NS // NS_PER_SECOND),
        (START_NS // 10**3, START_NS // NS_PER_SECOND),
        (START_NS, START_NS // NS_PER_SECOND),
        (float(START_NS // NS_PER_SECOND), START_NS // NS_PER_SECOND),
    ],
)
def test_a_time_is_read_in_every_unit(value: object, seconds: int) -> None:
    assert moment_of({"timestamp": value}, "timestamp") == seconds * NS_PER_SECOND


@pytest.mark.parametrize("value", [17, -1, True, "soon", [], math.inf, 10**25, HUGE])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(BadInput):
        moment_of({"timestamp": value}, "timestamp")


@pytest.mark.parametrize(("value", "found"), [("1e-4", 1e-4), (" 5 ", 5.0), (None, None), ("", None), ("NaN", None)])
def test_numbers_may_be_text_and_missing_ones_are_none(value: object, found: float | None) -> None:
    assert number_of({"q50": value}, "q50") == found


@pytest.mark.parametrize("value", [True, "x", [], {}, "1" * 101, 10**400, HUGE, "inf", object()])
def test_what_is_no_number_is_refused_and_not_repeated_at_length(value: object) -> None:
    with pytest.raises(BadInput) as told:
        number_of({"q50": value}, "q50")
    assert len(told.value.what) < 120


@pytest.mark.parametrize(
    ("value", "found"), [(True, True), ("False", False), (1, True), (0.0, False), ("yes", True), (None, None)]
)
def test_flags_are_read_as_models_and_files_write_them(value: object, found: bool | None) -> None:
    assert flag_of({"tradeable": value}, "tradeable") is found


def test_the_regime_is_found_by_name_or_by_the_flags_of_the_frame() -> None:
    assert read(vol_regime="high_variance").regime is Regime.HIGH
    assert read(vol_regime=None, regime="low").regime is Regime.LOW
    assert read(vol_regime=None, variance_regime_extreme=1, variance_regime_low=0).regime is Regime.EXTREME


def test_the_figures_of_a_row_make_odds_strength_and_size() -> None:
    found = read(q10=-0.004, q90=0.005, prob_up=0.55, vol_risk=1.7e-5, q50_rank=0.9)
    assert found.win_loss_ratio == pytest.approx(1.25)
    assert (found.win_probability, found.vol_risk, found.strength) == (0.55, 1.7e-5, 0.9)
    assert read(q50=0.02).strength == 1.0
    assert read(q50=0.001).strength == pytest.approx(0.05)


class Running:
    """One executor for many questions."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.runner = asyncio.Runner()
        self.executor = market.executor()
        self.runner.run(self.executor.open())

    def ask(self, data: object, *, workflow: bool = False) -> tuple[ExecutionResult, int]:
        """The answer, and how many orders it has made."""
        before = self._orders()
        call = self.executor.execute_trading_signal if workflow else self.executor.execute_q50_signal
        result = self.runner.run(call(data))  # type: ignore[arg-type]
        assert 0 <= self.executor.calculate_position_size(data) <= 1  # type: ignore[arg-type]
        return result, self._orders() - before

    def _orders(self) -> int:
        room = self.executor.current_room
        return 0 if room is None else len(list(room.executed.run.orders()))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(Market(tmp_path))
    yield found
    found.runner.run(found.executor.close())
    found.runner.close()


CODES = {answer.code for answer in ANSWERS}
_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=4),
    st.decimals(allow_nan=True), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
    st.builds(lambda: 10**5000),
    st.sampled_from(["1", "-1", "long", "sell", "plan", MINT, POOL, str(WSOL_MINT), START_NS]),
)  # fmt: skip
_KEYS = (
    "pool_data", "signal_score", "side", "q50", "vol_regime", "tradeable", "economically_significant", "high_quality",
    "pumpswap_available", "timestamp", "signal_id", "source", "side_code", "mint_address", "pair_address", "pool_id",
    "prob_up", "q10", "q90", "vol_risk", "q50_rank", "sell_fraction", "name", "regime", "final_signal_score",
)  # fmt: skip
# Without any of these there is nothing to buy on.
_REQUIRED = {
    "pool_data": None, "signal_score": None, "tradeable": None, "q50": None, "vol_regime": None,
}  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(_ODD, st.dictionaries(st.one_of(st.sampled_from(_KEYS), st.text(max_size=5)), _ODD, max_size=12)),
    workflow=st.booleans(),
)
def test_no_input_makes_it_raise_and_every_answer_is_of_the_table(
    running: Running, data: object, workflow: bool
) -> None:
    result, orders = running.ask(data, workflow=workflow)
    assert (result["error"] or result["reason"] or "filled") in CODES
    assert (orders == 0) or (result["status"] == "executed")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    missing=st.sets(st.sampled_from(sorted(_REQUIRED)), min_size=1),
    rest=st.dictionaries(
        st.sampled_from(("prob_up", "vol_risk", "name", "timestamp", "high_quality")), _ODD, max_size=3
    ),
)
def test_nothing_is_traded_when_something_required_is_missing(
    running: Running, missing: set[str], rest: dict[str, object]
) -> None:
    data = {key: value for key, value in {**signal(), **rest}.items() if key not in missing}
    result, orders = running.ask(data)
    assert (result["success"], orders) == (False, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    q50=st.floats(1e-9, 1e9),
    prob=st.floats(0, 1),
    vol=st.floats(0, 1e6),
    low=st.floats(-1, -1e-9),
    high=st.floats(1e-9, 1),
)
def test_a_size_is_within_every_cap_whatever_the_model_says(
    running: Running, q50: float, prob: float, vol: float, low: float, high: float
) -> None:
    data = signal(q50=q50, prob_up=prob, vol_risk=vol, q10=low, q90=high, vol_regime="low")
    running.runner.run(running.executor.prepare(data))
    size = running.executor.calculate_position_size(data)
    assert 0 <= size <= 1.0
    assert size <= graduate().real_quote_reserve * 0.02 / SOL
    assert size == 0 or size >= 0.01


def test_rows_of_numpy_and_pandas_are_read_as_they_come_out_of_a_frame() -> None:
    row = {
        "side": np.int64(1), "q50": np.float64(0.0008), "tradeable": np.bool_(True), "signal_score": np.float32(90),
        "economically_significant": np.bool_(True), "high_quality": np.bool_(False), "vol_risk": np.float64(1.7e-5),
        "q10": np.float64("nan"), "timestamp": pd.Timestamp("2026-11-02T00:00:00Z"), "variance_regime_low": np.int8(1),
    }  # fmt: skip
    found = read(**row, vol_regime=None)
    assert (found.side, found.q50, found.regime, found.stamp_ns) == (Side.LONG, 0.0008, Regime.LOW, START_NS)
    assert found.win_loss_ratio is None
    assert read(timestamp=pd.NaT).stamp_ns is None
    with pytest.raises(Told, match="no number"):
        read(side=np.bool_(True))


def test_the_size_before_the_pool_is_known_is_0_and_says_so(tmp_path: Path) -> None:
    market = Market(tmp_path, graduate(2))

    async def story() -> tuple[float, tuple[str, ...]]:
        async with market.executor() as executor:
            return executor.calculate_position_size(signal()), executor.explain_position_size(signal()).reasons

    size, reasons = asyncio.run(story())
    assert (size, "prepare" in reasons[0]) == (0.0, True)


def test_a_pubkey_is_no_text_and_is_refused_by_name(running: Running) -> None:
    data = signal(pool_data={"base_token_address": Pubkey.from_string(MINT)})
    assert running.ask(data)[0]["error"] == "invalid_mint_address"


# ---------------------------------------------------------------------------------------------- what is not said


def test_a_model_row_must_say_that_it_is_economically_significant(tmp_path: Path) -> None:
    data = signal()
    del data["economically_significant"]
    market = Market(tmp_path)

    async def story() -> list[ExecutionResult]:
        async with market.executor() as executor:
            results = [await executor.execute_q50_signal(data)]
            results.append(await executor.execute_q50_signal({**data, "economically_significant": math.nan}))
            # The plan's own dictionary does not have the key, but pumpswap_available.
            results.append(await executor.execute_trading_signal({**data, "economically_significant": False}))
            results.append(await executor.execute_trading_signal(data))
            # Selling needs none of it, and neither does who is no model.
            results.append(await executor.execute_q50_signal({**data, "side": "short", "q50": -0.001}))
            market.pass_seconds(3_600)
            results.append(await executor.execute_q50_signal({**data, "source": "mine", "q50": None}))
            return results

    held, nan, denied, bought, sold, mine = asyncio.run(story())
    assert held["reason"] == nan["reason"] == denied["reason"] == "not_economically_significant"
    assert "does not say" in held["message"]
    assert (bought["status"], sold["status"], sold["action"]) == ("executed", "executed", "sell")
    assert (mine["status"], mine["refusals"]) == ("executed", [])


def test_that_pumpswap_is_available_is_demanded_by_the_workflow_and_proven_by_the_pool(tmp_path: Path) -> None:
    data = signal(pumpswap_available=None)
    market = Market(tmp_path)

    async def story() -> tuple[ExecutionResult, ExecutionResult]:
        async with market.executor() as executor:
            return await executor.execute_trading_signal(data), await executor.execute_q50_signal(data)

    skipped, bought = asyncio.run(story())
    assert (skipped["reason"], bought["status"]) == ("pumpswap_unavailable", "executed")


@pytest.mark.parametrize("bad", [math.nan, "nan", np.float64("nan"), Decimal("NaN")])
def test_a_final_score_that_is_none_is_not_the_base_score(bad: object) -> None:
    with pytest.raises(Told) as refused:
        read(final_signal_score=bad, signal_score=90)
    assert (refused.value.code, "final_signal_score is NaN" in refused.value.text) == ("invalid_signal_data", True)
    assert read(final_signal_score=None, signal_score=90).score == 90


@pytest.mark.parametrize(
    ("minutes", "is_stale"), [(0, False), (60, False), (-60, False), (62, True), (-62, True), (600_000, True)]
)
def test_without_a_timestamp_the_loaders_distance_tells_the_age(minutes: float, is_stale: bool) -> None:
    if not is_stale:
        assert read(time_diff_minutes=minutes).side is Side.LONG
        assert read(time_diff_minutes=minutes, timestamp=START_NS).side is Side.LONG
        return
    for more in ({}, {"timestamp": START_NS}):
        with pytest.raises(Told) as refused:
            read(time_diff_minutes=minutes, **more)
        assert refused.value.code == "stale_signal"
    assert read(time_diff_minutes=minutes, source="mine").side is Side.LONG
