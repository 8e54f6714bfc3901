"""One signal of a stored row: scored with the pool as it is, judged, executed once on paper, or only looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.execute_signal import SignalCall, check_signal, exit_code_of, signal_of_row
from pumpswap.app.run_needs import collector_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotFound, UsageError
from pumpswap.sdk.executor import ANSWERS, Status
from pumpswap.settings import RunSettings
from tests.sdk.executor_world import Market, signal
from tests.support.market import START_NS, graduate
from tests.support.snapshot_rows import GOOD, CollectorFile

SECONDS = 5 * NS_PER_SECOND


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path, signals={"score": "enhanced", "min_score": 75})


def row(market: Market, file: CollectorFile, pool: str | None = None) -> dict[str, Any]:
    wanted = pool or f"solana_{graduate().address}"
    return asyncio.run(signal_of_row(market.settings, file.path, wanted, market, market.clock))


@pytest.fixture
def file(market: Market) -> CollectorFile:
    """Two rows of one pool; the newer one is five seconds old."""
    made = CollectorFile.made(market.folder / "gecko.db")
    made.add_state(graduate(), START_NS - 3_600 * NS_PER_SECOND, volume_usd_h24="1000")
    made.add_state(graduate(), START_NS - SECONDS)
    return made


def test_the_newest_row_is_scored_with_the_pool_as_it_is_now(market: Market, file: CollectorFile) -> None:
    found = row(market, file)
    assert found["pair_address"] == str(graduate().address)
    assert found["base_token_address"] == str(graduate().pool.base_mint)
    assert (found["side"], found["tradeable"], found["pumpswap_available"]) == ("long", True, True)
    assert found["signal_score"] == found["final_signal_score"] >= 75
    assert found["snapshot_age_seconds"] == 5
    assert row(market, file, str(graduate().address)) | {"pool_id": ""} == found | {"pool_id": ""}
    by_base = market.settings.model_copy(
        update={"signals": market.settings.signals.model_copy(update={"score": "base"})}
    )
    base = asyncio.run(signal_of_row(by_base, file.path, found["pool_id"], market, market.clock))
    assert base["signal_score"] == found["base_signal_score"]


def test_a_pool_that_cannot_be_read_keeps_its_base_score_and_is_not_traded(market: Market, file: CollectorFile) -> None:
    market.is_down = True
    found = row(market, file)
    assert (found["pumpswap_available"], found["tradeable"]) == (False, False)
    assert found["signal_score"] == found["base_signal_score"]
    result = asyncio.run(SignalCall(market.settings, market, market.clock).execute(found))
    assert (result["status"], result["reason"]) == ("skipped", "not_tradeable")
    assert exit_code_of(result) == 7


def test_a_pool_without_a_row_is_not_found(market: Market, file: CollectorFile) -> None:
    with pytest.raises(NotFound, match="has no row of this pool"):
        row(market, file, str(graduate(2).address))


def test_a_look_changes_nothing_and_an_execution_is_booked_once(market: Market, file: CollectorFile) -> None:
    call = SignalCall(market.settings, market, market.clock)
    found = row(market, file)
    look = asyncio.run(call.look(found))
    assert look.fresh_books
    assert look.size.lamports > 0
    assert not market.settings.data_dir.joinpath("pumpswap.sqlite").exists()

    result = asyncio.run(call.execute(found))
    assert (result["status"], result["action"], result["is_paper"]) == ("executed", "buy", True)
    assert result["position"] is not None
    assert exit_code_of(result) == 0
    again = asyncio.run(call.execute(found))
    assert (again["status"], again["reason"]) == ("skipped", "already_executed")
    assert exit_code_of(again) == 7

    second = asyncio.run(call.look({**found, "timestamp": None}))
    assert not second.fresh_books
    assert len(list(market.run().trades())) == 1


def test_a_row_that_is_old_is_refused_by_the_gate(market: Market, file: CollectorFile) -> None:
    found = row(market, file)
    market.pass_seconds(600)
    result = asyncio.run(SignalCall(market.settings, market, market.clock).execute(found))
    assert (result["status"], exit_code_of(result)) == ("rejected", 7)
    assert any("signal" in refusal for refusal in result["refusals"])


def test_a_score_below_the_threshold_is_nothing_to_do(market: Market, file: CollectorFile) -> None:
    quiet = dict.fromkeys(GOOD, "0")
    file.add_state(graduate(), START_NS, **quiet)
    found = row(market, file)
    assert found["side"] == "hold"
    result = asyncio.run(SignalCall(market.settings, market, market.clock).execute(found))
    assert (result["status"], exit_code_of(result)) == ("hold", 0)


def test_a_signal_of_the_user_s_own_is_executed_as_it_is(market: Market) -> None:
    own = {key: value for key, value in signal().items() if key != "pumpswap_available"}
    result = asyncio.run(SignalCall(market.settings, market, market.clock).execute(own))
    assert result["status"] == "executed"


def test_a_signal_about_another_pool_than_was_asked_for_is_refused() -> None:
    pool = str(graduate().address)
    assert check_signal({"pool_id": f"solana_{pool}"}, pool) == {"pool_id": f"solana_{pool}"}
    assert check_signal({"q50": 1}, pool) == {"q50": 1, "pool_id": pool}
    assert check_signal({"q50": 1}, None) == {"q50": 1}
    with pytest.raises(UsageError, match="another pool"):
        check_signal({"pair_address": str(graduate(2).address)}, pool)


def test_every_answer_has_an_exit_code() -> None:
    codes = {}
    for answer in ANSWERS:
        is_error = answer.status is Status.ERROR
        codes[answer.code] = exit_code_of({"status": answer.status.value, "error": answer.code if is_error else None})
    assert codes["filled"] == codes["side_is_hold"] == 0
    assert codes["outcome_unknown"] == 9
    assert codes["risk_limits_exceeded"] == codes["order_unresolved"] == 7
    assert (codes["pair_not_found"], codes["pool_data_unavailable"], codes["insufficient_balance"]) == (3, 11, 10)
    assert codes["transaction_failed"] == 8
    assert codes["internal_error"] == codes["books_unavailable"] == 1
    assert set(codes.values()) <= {0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13}
    assert (codes["settings_unusable"], codes["protocol_drift"], codes["wallet_locked"]) == (4, 12, 13)


def test_rows_come_from_where_a_run_has_them(market: Market) -> None:
    assert collector_of(market.settings) == str(market.settings.data_dir / "pumpswap.sqlite")
    run = RunSettings(collector="gecko.db")  # type: ignore[arg-type]
    assert collector_of(market.settings.model_copy(update={"run": run})) == "gecko.db"
