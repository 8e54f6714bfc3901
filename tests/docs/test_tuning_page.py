"""The page about tuning: every option, setting, verdict and rule that it names is one of the program."""

from __future__ import annotations

import re
from typing import get_args

from pumpswap.cli.backtest_lookahead import lookahead
from pumpswap.cli.tune import run, tune
from pumpswap.research.significance.evidence import LEAST_ROUNDS, SURE
from pumpswap.research.tuning.objective import LEAST_ROUNDS as LEAST_TRAINING
from pumpswap.research.tuning.objective import Objective
from pumpswap.research.tuning.search import BATCH, Method
from pumpswap.research.tuning.space import SEARCHED_SECTIONS, parse_space
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")


def test_every_option_is_one() -> None:
    known = {name for one in (run, lookahead) for param in one.params for name in param.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--head", "--address"} <= known


def test_every_space_can_be_read() -> None:
    spaces = [text.replace("\\|", "|") for text in re.findall(r"^\| `([a-z]+\.[^`]+=[^`]+)`", PAGE, re.MULTILINE)]
    assert len(spaces) == 5
    for text in spaces:
        parse_space(text)
    for section in SEARCHED_SECTIONS:
        assert f"`{section}`" in PAGE


def test_methods_objectives_and_limits_are_told() -> None:
    for name in (*get_args(Method), *get_args(Objective)):
        assert f"`{name}`" in PAGE
    assert f"fewer than {LEAST_ROUNDS} rounds" in PAGE
    assert f"batches of {BATCH}" in PAGE
    assert f"{SURE} or more" in PAGE
    assert LEAST_TRAINING == 5 and "fewer than five rounds" in PAGE


def test_commands_and_rules_are_told() -> None:
    assert [name for name in tune.entries if f"tune {name}" not in PAGE] == []
    for rule in ("cut", "changed", "frame", "stamp", "file"):
        assert f"| {rule} |" in PAGE
