"""A whole search on a local Ray cluster; only in the environment that has Ray (``.venv-ray``)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pumpswap.app.tuning import TuneOrder, tune
from pumpswap.app.tuning_store import outcome_json
from pumpswap.settings import Settings
from tests.app.test_tuning import CLOCK, _trials, order

pytest.importorskip("ray", reason="Ray has an environment of its own: .venv-ray")

LIVELY = (("full_size", "True"), ("burst_bps", "20"), ("min_buyers", "1"), ("turn_bps", "20"))


def _lively(**changes: object) -> TuneOrder:
    """One that the kernel can play."""
    backtest = replace(order().backtest, params=LIVELY)
    return order(backtest=backtest, space="strategy.window_seconds=20|40, exits.stop_loss_bps=500|2000", **changes)


@pytest.mark.parametrize("kind", ["kernel", "engine"])
def test_two_workers_of_a_cluster_find_what_one_process_finds(tmp_path: Path, kind: str) -> None:
    places = Settings(data_dir=tmp_path / "here"), Settings(data_dir=tmp_path / "far")
    wanted = _lively(jobs=1, uses_engine=kind == "engine")
    here = tune(wanted, places[0], clock=CLOCK)
    far = tune(replace(wanted, jobs=2, ray_address="local"), places[1], clock=CLOCK)
    assert far.computed_by == "2 workers of the Ray cluster at local"
    assert (far.why_engine == ()) is (kind == "kernel")
    assert msgspec.json.encode(outcome_json(here.outcome)) == msgspec.json.encode(outcome_json(far.outcome))
    assert _trials(places[0], here) == _trials(places[1], far)


def test_the_command_takes_an_address(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "pumpswap", "--json", "--data-dir", str(tmp_path),
        "tune", "run", "simulated:7", "--length", "9m", "--strategy", "momentum",
        "--objective", "net", "--space", "strategy.window_seconds=20|40", "--null-draws", "2", "--network-draws", "2",
        "--ray-address", "local", "--jobs", "2",
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr[-1_000:]
    told = json.loads(ran.stdout)
    assert told["computed_by"] == "2 workers of the Ray cluster at local"
    assert told["trials"] == 2
