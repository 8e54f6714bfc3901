"""``signal run``: both scores side by side, one pool in full, exact figures, live states, clear refusals."""

from __future__ import annotations

import contextlib
import random
import threading
from asyncio import Event, new_event_loop, run_coroutine_threadsafe
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.amm import PoolState, current_schedule
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.signals import NewPoolsSignalAnalyzer, PoolFacts, PumpSwapSignalAnalyzer
from tests.chain.practice import practice_chain
from tests.cli.running import answer, refusal, run
from tests.market.export_folder import MINT, OTHER_POOL, POOL, TIMES, snapshot, write_export
from tests.support.material import material, requires_material

EXPORT = ("real", "host_export")


def told(*arguments: str) -> str:
    result = run("signal", "run", *arguments)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    return result.stdout


def export(folder: Path, *changes: dict[str, str]) -> str:
    """A folder with the usual snapshot, and another one for each of ``changes``."""
    rows = [snapshot(), *(snapshot(id=str(number), **one) for number, one in enumerate(changes, 2))]
    times = [{**TIMES, "id": row["id"]} for row in rows]
    return str(write_export(folder, rows, times=times))


def test_a_newcomer_without_data_sees_both_scores_and_what_is_left_of_them() -> None:
    text = told("--simulated", "8")
    lines = text.splitlines()
    assert lines[0].split() == ["#", "pool", "base", "enhanced", "depth", "impact", "most", "F", "kind", "action"]
    row = next(line.split() for line in lines if "ACCORDION" in line)
    assert row[:4] == ["6", "ACCORDION", "90.0", "45.1"]  # its liquidity has been pulled
    assert row[-1] == "hold"
    assert "the pool holds 0.136238814 SOL, at least 10 are asked for" in text
    assert "Score ≥ 75  base 100.0 %, enhanced 50.0 % of those on PumpSwap" in text


def test_rows_are_ranked_by_the_enhanced_score_and_cut_as_asked() -> None:
    every = answer("signal", "run", "--simulated", "8")["scores"]
    scores = [one["enhanced_score"] for one in every]
    assert scores == sorted(scores, reverse=True)
    assert [one["pool"] for one in answer("signal", "run", "--simulated", "8", "--top", "2")["scores"]] == [
        one["pool"] for one in every[:2]
    ]
    high = answer("signal", "run", "--simulated", "8", "--min-score", "80")
    assert [one["pool"] for one in high["scores"]] == [one["pool"] for one in every if one["enhanced_score"] >= 80]
    assert high["min_score"] == 80


def test_the_json_has_exact_figures_and_the_base_score_unchanged(tmp_path: Path) -> None:
    found = answer("signal", "run", export(tmp_path))
    assert (found["schema"], found["data_source"], found["pools"]) == ("pumpswap.signal-run", "snapshot", 1)
    (one,) = found["scores"]
    assert one["base_score"] == NewPoolsSignalAnalyzer().analyze_pool_signals(snapshot()).signal_score
    feasibility = one["feasibility"]
    assert feasibility["depth_lamports"] == "100000000000"  # half of 50,000 USD at 250 USD per SOL
    assert feasibility["parts"]["depth"] == {"numerator": "1", "denominator": "1"}
    assert feasibility["pool_kind"] == "canonical"
    assert feasibility["screen"] == "not_requested"
    assert feasibility["intended"]["quote_lamports"] == "1000000000"
    assert int(feasibility["largest_lamports"]) > int(feasibility["intended"]["quote_lamports"])
    assert found["assumptions"]


def test_pools_without_pumpswap_data_are_counted_and_listed_on_request(tmp_path: Path) -> None:
    elsewhere = {"pool_id": f"solana_{OTHER_POOL}", "address": OTHER_POOL, "dex_id": "raydium"}
    path = export(tmp_path, elsewhere)
    assert "1 × traded on raydium, not on PumpSwap" in told(path)
    assert len(answer("signal", "run", path)["scores"]) == 1
    every = answer("signal", "run", path, "--all")
    missing = next(one for one in every["scores"] if one["pool"] == OTHER_POOL)
    assert (missing["pumpswap_available"], missing["tradeable"], missing["action"]) == (False, False, "monitor")
    assert missing["enhanced_score"] == missing["base_score"]
    assert missing["unavailable"] == "traded on raydium, not on PumpSwap"
    assert every["missing"] == {"traded on raydium, not on PumpSwap": 1}


@pytest.mark.parametrize("named", [POOL, f"solana_{POOL}", MINT, "cat", "CAT / SOL"])
def test_one_pool_in_full_explains_both_scores(tmp_path: Path, named: str) -> None:
    text = told(export(tmp_path), "--pool", named, "--size-sol", "2.5")
    assert f"Pool      {POOL}" in text
    assert "Base score 5.7 of 100" in text
    assert "× 100 × 1.000 + 0.2 × 100 × " in text
    assert "2.5 SOL" in text
    assert "intended" in text
    assert "largest (impact ≤ 10 %, cost ≤ 5 %)" in text
    assert "score 5.7 of 100, threshold 75: hold" in text


def test_a_pool_without_data_in_full_says_why(tmp_path: Path) -> None:
    elsewhere = {"pool_id": f"solana_{OTHER_POOL}", "address": OTHER_POOL, "dex_id": "raydium", "name": "DOG / SOL"}
    text = told(export(tmp_path, elsewhere), "--pool", "dog")
    assert "the base score, for traded on raydium, not on PumpSwap" in text
    assert "Not tradeable:" in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("[/b]", "[/b]"), ("[red]SAFE[/red]", "[red]SAFE[/red]"), (":fire:", ":fire:"), ("\x1b[31mX", "\\x1b[31mX"),
     ("a" * 300, "aaaaaaaaaaaaaaa…"), ("日" * 60, "日日日日日日日 …")],
)  # fmt: skip
def test_a_coin_may_have_any_name_and_it_steers_nothing(name: str, shown: str, tmp_path: Path) -> None:
    path = export(tmp_path, {"pool_id": f"solana_{OTHER_POOL}", "address": OTHER_POOL, "name": f"{name} / SOL"})
    text = told(path)
    row = next(line for line in text.splitlines() if shown in line)
    assert "59.9" in row and row.endswith("hold")  # a long name leaves the figures their room
    assert "\x1b" not in text + told(path, "--pool", OTHER_POOL)


def test_settings_reach_the_scores(tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    config.write_text("feasibility:\n  require_screen: true\n  intended_sol: 3\n")
    (one,) = answer("signal", "run", export(tmp_path / "export"), "--config", str(config))["scores"]
    assert one["feasibility"]["intended"]["quote_lamports"] == "3000000000"
    assert (one["tradeable"], one["reasons"]) == (False, ["the token was not screened"])


def test_actions_begin_at_the_score_from_which_a_run_would_trade(tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    config.write_text("signals:\n  min_score: 50\n")
    path = export(tmp_path / "export")
    assert answer("signal", "run", path)["scores"][0]["action"] == "hold"  # 58 of 100
    assert answer("signal", "run", path, "--config", str(config))["scores"][0]["action"] == "buy"


def test_what_cannot_be_scored_is_refused(tmp_path: Path) -> None:
    refusal(2, "signal", "run")
    refusal(2, "signal", "run", "somewhere", "--simulated", "8")
    refusal(3, "signal", "run", str(tmp_path / "nothing"))
    refusal(3, "signal", "run", "--simulated", "8", "--pool", "nobody")
    refusal(2, "signal", "run", "--simulated", "8", "--chain")
    refusal(2, "signal", "run", "somewhere", "--screen")
    refusal(2, "signal", "run", "--simulated", "8", "--size-sol", "0")
    refusal(2, "signal", "run", "--simulated", "8", "--min-score", "nan")
    twice = export(tmp_path, {"pool_id": f"solana_{OTHER_POOL}", "address": OTHER_POOL})
    assert OTHER_POOL in refusal(2, "signal", "run", twice, "--pool", "CAT")["hint"]
    refusal(4, "signal", "run", twice, "--chain")


@contextlib.contextmanager
def served(*pools: PoolSpec) -> Iterator[tuple[str, list[PoolState]]]:
    """A chain with these pools behind an URL, in a loop of its own: commands bring theirs."""
    chain, rng = practice_chain(), random.Random(3)
    states = [create_pool(chain, pool, rng) for pool in pools]
    chain.advance(40)
    loop, ready, urls = new_event_loop(), threading.Event(), []
    done = Event()

    async def serve() -> None:
        async with LocalServer(chain, ServerOptions(slot_ms=40)).serve() as found:
            urls.append(found.http)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield urls[0], states
    finally:

        async def stop() -> None:
            done.set()

        run_coroutine_threadsafe(stop(), loop).result(20)
        thread.join(20)
        loop.close()


def row_of(state: PoolState, **changes: str) -> dict[str, str]:
    return {
        "pool_id": f"solana_{state.address}",
        "address": str(state.address),
        "base_token_id": str(state.pool.base_mint),
        "name": "REAL / SOL",
        **changes,
    }


def test_whatever_is_listed_with_a_screen_was_screened(tmp_path: Path) -> None:
    specs = [PoolSpec("graduate", quote_lamports=lamports * 10**9) for lamports in (90, 89, 88)]
    with served(*specs) as (url, states):
        path = export(tmp_path, *map(row_of, states))
        (best,) = answer("signal", "run", path, "--chain", "--url", url, "--top", "1")["scores"]
        assert (best["pool"], best["tradeable"]) == (str(states[0].address), True)
        # A token that does not pass loses its place, and the next one has to be looked at too.
        (listed,) = answer("signal", "run", path, "--chain", "--screen", "--url", url, "--top", "1")["scores"]
        assert listed["feasibility"]["screen"] in ("unknown", "unsafe")
        assert listed["tradeable"] is False


def test_a_row_of_another_coin_than_the_pools_is_not_assessed(tmp_path: Path) -> None:
    with served(PoolSpec("graduate")) as (url, (state,)):
        path = export(tmp_path, row_of(state, base_token_id=MINT))
        scores = answer("signal", "run", path, "--chain", "--url", url, "--all")["scores"]
        mixed = next(one for one in scores if one["pool"] == str(state.address))
        assert (mixed["pumpswap_available"], mixed["enhanced_score"]) == (False, mixed["base_score"])
        assert mixed["unavailable"] == f"the pool trades {state.pool.base_mint}, the row names {MINT}"


def test_live_states_take_the_place_of_the_estimated_ones(tmp_path: Path) -> None:
    with served(PoolSpec("graduate", base_units=150_000_000_000_000, quote_lamports=20_000_000_000)) as (url, (state,)):
        path = export(tmp_path, row_of(state))
        found = answer("signal", "run", path, "--chain", "--url", url, "--all")
        assert found["data_source"] == "chain"
        live = next(one for one in found["scores"] if one["pool"] == str(state.address))
        gone = next(one for one in found["scores"] if one["pool"] == POOL)
        assert live["feasibility"]["depth_lamports"] == "20000000000"
        base = NewPoolsSignalAnalyzer().analyze_pool_signals(snapshot())
        expected = PumpSwapSignalAnalyzer().enhance(base, PoolFacts(state, current_schedule(), 0))
        assert live["enhanced_score"] == expected.enhanced_score
        assert gone["unavailable"] is not None
        assert gone["enhanced_score"] == gone["base_score"]
        screened = answer("signal", "run", path, "--chain", "--screen", "--url", url, "--pool", "real")["scores"][0]
        assert screened["feasibility"]["screen"] in ("unknown", "unsafe")
        assert screened["tradeable"] is False


@requires_material(*EXPORT)
def test_the_real_export_is_scored_as_a_whole() -> None:
    path = material(*EXPORT)
    assert path is not None
    found = answer("signal", "run", str(path), "--top", "5000", "--all")
    assert (found["pools"], found["snapshots"], found["available"]) == (4_720, 4_720, 477)
    assert len(found["scores"]) == 4_720
    assert all(0 <= one["enhanced_score"] <= 100 for one in found["scores"])
    assert sum(found["missing"].values()) == 4_720 - 477
