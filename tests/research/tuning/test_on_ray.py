"""A local Ray cluster; only in the environment that has Ray (``.venv-ray``)."""

from __future__ import annotations

import msgspec
import pytest

from pumpswap.errors import ConfigError, UsageError
from pumpswap.research.tuning.build import Build, this_build
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.on_ray import OnRay
from pumpswap.research.tuning.pool import InProcess
from pumpswap.research.tuning.space import parse_space
from pumpswap.research.tuning.trials import Job, Params, Split, TrialResult, chunks_of
from tests.research.tuning.played import factory, history, window

ray = pytest.importorskip("ray", reason="Ray has an environment of its own: .venv-ray")


def jobs() -> list[Job]:
    space = parse_space("strategy.window_seconds=20|40, strategy.burst_bps=100|200|300, exits.stop_loss_bps=500|2000")
    return [Job(number, params, Split(window(history()))) for number, params in enumerate(space.grid())]


def carried() -> EngineFactory:
    return msgspec.structs.replace(factory(), history=history())


def test_a_cluster_gives_the_same_bytes_as_this_process() -> None:
    workers = OnRay(carried(), "local")
    try:
        assert "workers of the Ray cluster at local" in workers.told
        found = list(workers.map(chunks_of(jobs(), 2)))
        again = list(workers.map(chunks_of(jobs(), 5)))
    finally:
        workers.close()
    alone = list(InProcess(carried()).map(chunks_of(jobs(), 3)))
    flat = [[one for chunk in chunks for one in chunk] for chunks in (found, again, alone)]
    assert msgspec.msgpack.encode(flat[0]) == msgspec.msgpack.encode(flat[1]) == msgspec.msgpack.encode(flat[2])
    assert [one.number for one in flat[0]] == list(range(12))


class RefusingRunner:
    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        raise ConfigError(f"trial {number} is refused", hint="it is a test")


class RefusingFactory:
    def open(self) -> RefusingRunner:
        return RefusingRunner()


def test_errors_of_trials_are_ours() -> None:
    workers = OnRay(RefusingFactory(), "local", most=1)
    try:
        with pytest.raises(ConfigError, match="trial 0 is refused") as raised:
            list(workers.map(chunks_of(jobs(), 2)))
        assert raised.value.hint == "it is a test"
    finally:
        workers.close()


class BrokenFactory:
    def open(self) -> RefusingRunner:
        raise ConfigError("no history here", hint="it is a test")


def test_a_worker_that_cannot_start_is_told() -> None:
    with pytest.raises(ConfigError, match=r"could not start.*no history here"):
        OnRay(BrokenFactory(), "local", most=1)
    assert not ray.is_initialized()


def test_another_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.research.tuning.on_ray.this_build", lambda: Build("9.9.9", "0" * 64))
    with pytest.raises(ConfigError, match=r"pumpswap 9\.9\.9 \(000000000000\), a worker of the Ray cluster"):
        OnRay(RefusingFactory(), "local", most=1)
    assert this_build().version != "9.9.9"


def test_an_address_without_a_cluster_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"no Ray cluster answers at 127\.0\.0\.1:1"):
        OnRay(RefusingFactory(), "127.0.0.1:1")
