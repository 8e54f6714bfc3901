"""The page on signals is true: its snippets print what it says, its example adds up, its keys are those of the code."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.localnet.pools import PoolSpec
from pumpswap.model import Side
from pumpswap.signals import NewPoolsSignalAnalyzer, PoolFacts, PumpSwapSignalAnalyzer
from tests.cli.test_signal_run import served, told
from tests.clients.our_sdk import settings_for
from tests.support.market import at, graduate, snapshot
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)
WORLD = {"pool_state": graduate(), "my_states": {"mine": graduate()}}


def run(source: str) -> tuple[str, dict[str, Any]]:
    printed, world = io.StringIO(), dict(WORLD)
    with contextlib.redirect_stdout(printed):
        exec(source, world)
    return printed.getvalue(), world


@pytest.mark.parametrize(("source", "expected"), [block for block in BLOCKS if block[1]])
def test_a_snippet_prints_what_the_page_says(source: str, expected: str) -> None:
    assert run(source)[0] == expected


def test_the_page_begins_with_what_the_command_prints() -> None:
    (block,) = re.findall(r"```console\n\$ (.*?)```", PAGE, flags=re.DOTALL)
    line, _, table = block.partition("\n")
    assert told(*line.removeprefix("pumpswap signal run ").split()).startswith(table)


def test_all_snippets_were_found() -> None:
    assert [bool(expected) for _, expected in BLOCKS] == [True, False, True, False]


def test_the_example_by_hand_is_the_analysers() -> None:
    _, world = run(BLOCKS[0][0])
    result = world["result"]
    line = next(line for line in PAGE.splitlines() if line.startswith("By hand:"))
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", line)]
    depth, impact, size = numbers[1], numbers[3], numbers[6]
    assert 0.4 * depth + 0.4 * (1 - impact / 0.1) + 0.2 * size == pytest.approx(numbers[7], abs=1e-4)
    assert numbers[7] == pytest.approx(result.feasibility_score, abs=5e-5)
    base, boost, enhanced = numbers[9], numbers[12], numbers[13]
    assert (0.5 * base + 30 * depth + 20 * numbers[7]) * boost == pytest.approx(enhanced, abs=0.01)
    assert enhanced == pytest.approx(result.enhanced_score, abs=0.005)


def test_the_live_analysis_of_the_page_reads_a_chain(tmp_path: Path) -> None:
    _, world = run(BLOCKS[1][0])
    with served(PoolSpec("graduate")) as (url, (state,)):
        row = {"pool_id": f"solana_{state.address}", "dex_id": "pumpswap"}
        merged = asyncio.run(world["analysed"](row, settings_for(url, url, tmp_path)))
    assert merged["pumpswap_data_source"] == "chain"
    assert merged["pair_address"] == str(state.address)
    assert merged["token_screen"]["verdict"] in ("unknown", "unsafe")  # nothing of it is known on this chain
    assert merged["execution_feasibility"]["can_buy"] is False


def test_the_signaller_of_the_page_is_one() -> None:
    _, world = run(BLOCKS[3][0])
    row = snapshot(graduate(), 0)
    assert world["signaller"](row, []).side is Side.HOLD
    signal = world["signaller"](row, [snapshot(graduate(), -seconds) for seconds in (1, 2, 3)])
    assert (signal.side, signal.at_ns, signal.reasons) == (Side.LONG, at(0), ("seen 3 times before",))


def test_the_table_of_keys_is_complete() -> None:
    section = PAGE.split("## As dictionaries")[1].split("\n## ")[0]
    listed = {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    base = NewPoolsSignalAnalyzer().analyze_pool_signals({})
    result = PumpSwapSignalAnalyzer().enhance(base, PoolFacts(graduate(), current_schedule(), 0))
    own = result.as_dict().keys() - set(base.__dataclass_fields__) | {"signal_score", "pumpswap_error"}
    assert listed == own
