"""The host's own analyser, where it is installed; here a package of its name and interface stands in for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.errors import ConfigError
from pumpswap.signals import PumpSwapSignalAnalyzer
from pumpswap.signals.host_class import HOST_MODULE, host_analyzer

HOST = """
from dataclasses import dataclass, field


@dataclass
class SignalResult:
    signal_score: float
    volume_trend: str
    liquidity_trend: str
    momentum_indicator: float
    activity_score: float
    volatility_score: float
    signals: dict = field(default_factory=dict)


class NewPoolsSignalAnalyzer:
    def __init__(self, config=None):
        self.config = config

    def analyze_pool_signals(self, current_data, historical_data=None):
        score = float((self.config or {}).get("score", 50)) + len(historical_data or [])
        return SignalResult(score, "stable", "stable", 1.5, 2.5, 3.5, {"momentum_direction": "bearish"})
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with an empty package of the host's name; gone again after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "gecko_terminal_collector" / "analysis"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    yield package / "signal_analyzer.py"
    for name in [one for one in sys.modules if one.split(".")[0] == "gecko_terminal_collector"]:
        del sys.modules[name]


def test_the_hosts_class_makes_the_base_score(installed: Path) -> None:
    installed.write_text(HOST)
    analyzer = PumpSwapSignalAnalyzer(base=host_analyzer({"score": 61}))
    result = analyzer.analyze_pool_signals({}, [{}, {}])
    assert (result.signal_score, result.momentum_indicator, result.volatility_score) == (63.0, 1.5, 3.5)
    assert result.signals == {"momentum_direction": "bearish"}
    assert analyzer.enhance(result, None).base is result


def test_a_host_that_is_not_installed_is_named() -> None:
    assert HOST_MODULE not in sys.modules
    with pytest.raises(ConfigError, match="cannot be imported") as missing:
        host_analyzer()
    assert "our own gives the same numbers" in missing.value.hint


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import a_library_that_is_not_here", "it lacks a_library_that_is_not_here"),
        ("from os import a_name_that_is_not_there", "a_name_that_is_not_there"),
        ("", "has no class NewPoolsSignalAnalyzer"),
        ("class NewPoolsSignalAnalyzer:\n    def __init__(self, config=None): ...", "no method analyze_pool_signals"),
    ],
)
def test_a_host_of_another_shape_is_refused(installed: Path, source: str, complaint: str) -> None:
    installed.write_text(source)
    with pytest.raises(ConfigError, match=complaint):
        host_analyzer()
