"""The pages about exits and strategies: their numbers, their code and the output of the examples are true."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from typing import Any

import msgspec
import pytest

from pumpswap.amm import PoolState, current_schedule, sell_exact_base
from pumpswap.engine.strategies import STRATEGIES
from pumpswap.settings import ExitRules
from tests.support.market import SOL, graduate
from tests.support.material import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NETWORK_LAMPORTS = 35_000  # signature and priority fee of the paper venue


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@cache
def output(name: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
    return done.stdout


def shown(text: str, command: str) -> str:
    """What a page says that a command prints."""
    (found,) = re.findall(rf"```console\n\$ {re.escape(command)}\n(.*?)```", text, flags=re.DOTALL)
    return str(found)


def test_there_are_three_examples_at_least_and_each_fits_a_screen() -> None:
    assert len(EXAMPLES) >= 3
    for path in EXAMPLES:
        assert len(path.read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize(
    ("example", "name"),
    [("own_strategy.py", "strategies.md"), ("momentum.py", "strategies.md"), ("plan_loop.py", "exits.md")],
)
def test_an_example_prints_what_its_page_shows(example: str, name: str) -> None:
    assert shown(page(name), f"python examples/{example}") == output(example)


def test_the_page_shows_the_example_whole() -> None:
    source = (ROOT / "examples" / "own_strategy.py").read_text(encoding="utf-8")
    assert f"```python\n{source}```" in page("strategies.md")


def test_the_test_of_the_tutorial_passes() -> None:
    own, test = re.findall(r"```python\n(.*?)```", page("strategies.md"), flags=re.DOTALL)
    world: dict[str, Any] = {"__name__": "tutorial", "pool_state": graduate()}
    exec(own, world)
    exec(test, world)


def test_the_value_of_a_fresh_position_is_what_the_page_says() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", page("exits.md"), flags=re.DOTALL)
    world: dict[str, Any] = {"pool_state": graduate(), "print": lambda *values: told.append(values)}
    told: list[tuple[int, ...]] = []
    exec(snippet, world)
    assert f"# {told[0][0]} {told[0][1]}" in snippet
    assert f"bring {told[0][1] / SOL} SOL" in page("exits.md")
    state, units = world["left_behind"], world["bought"].base_out
    cost = SOL + NETWORK_LAMPORTS
    assert value_at(state, units, 819) < cost * 8 // 10 <= value_at(state, units, 820)
    assert value_at(state, units, 2_059) < cost * 2 <= value_at(state, units, 2_061)
    assert "fall by 18.1 %" in page("exits.md")
    assert "rise by 106.0 %" in page("exits.md")


def value_at(state: PoolState, units: int, price_per_mille: int) -> int:
    """What ``units`` would bring when the price has become so many thousandths of what it is."""
    root = price_per_mille**0.5 / 1_000**0.5
    moved = msgspec.structs.replace(
        state, base_reserve=int(state.base_reserve / root), quote_vault=int(state.quote_vault * root)
    )
    return sell_exact_base(moved, current_schedule(), units).user_quote_out


def test_the_rules_of_the_page_have_their_defaults() -> None:
    rules = ExitRules()
    for key, default in (
        ("rug_bps", f"{rules.rug_bps // 100} %"),
        ("liquidity_flight_bps", f"{rules.liquidity_flight_bps // 100} %"),
        ("stop_loss_bps", f"{rules.stop_loss_bps // 100} %"),
        ("take_profit_bps", f"{rules.take_profit_bps // 100} %"),
        ("max_hold_seconds", f"{rules.max_hold_seconds // 3_600} h"),
    ):
        assert f"| `{key}` | {default} |" in page("exits.md")
    assert (rules.sell_on_new_supply, rules.trailing_stop_bps, rules.take_profit_ladder) == (True, 0, ())


def test_every_strategy_of_the_package_is_on_the_page() -> None:
    for name in STRATEGIES:
        assert f"| `{name}` |" in page("strategies.md")
