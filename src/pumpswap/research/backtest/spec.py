"""BacktestSpec: everything that decides a back-test, and nothing else. The same one gives the same bytes."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from pumpswap import __version__
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.settings import Settings

__all__ = [
    "BacktestSpec",
    "SourceRef",
    "StrategyRef",
    "canonical_json",
    "deciding_settings",
    "engine_sha256",
    "fees_sha256",
    "latency_slots",
    "new_spec",
    "settings_of",
]

# Sections that can change what is traded. Paths in them cannot: a frame counts by its digest.
_SECTIONS = ("signals", "feasibility", "q50", "regimes", "follow", "risk", "exits", "paper", "run")
_OF_RUN = {"signals", "strategy", "check_seconds", "max_entries_per_check", "repeat_refusal_seconds"}
# Rooms whose code decides a result; the rest only shows, stores, sends or searches.
_ROOMS = ("amm", "settings", "model", "market", "signals", "risk", "portfolio", "execution", "analytics", "engine")
_ROOMS_OF_RESEARCH = ("backtest", "chronicle")
_FILES = ("units.py", "clock.py", "errors.py")
# Of the application those that make signals and strategies of settings; the rest of it opens, stores and tells.
_FILES_OF_APP = ("backtest_scoring.py", "follow.py", "q50.py", "run_scoring.py")


class SourceRef(msgspec.Struct, frozen=True):
    """How to find the history again. ``name`` is without its folder: the history itself counts by its digest."""

    kind: str
    name: str
    pools: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    minutes: int | None = None


class StrategyRef(msgspec.Struct, frozen=True):
    """A strategy: one of ours by its name, or a class of a file, whose digest counts. ``params`` are its own words."""

    name: str
    source_sha256: str = ""
    params: tuple[tuple[str, str], ...] = ()


class BacktestSpec(msgspec.Struct, frozen=True):
    """See the module. ``chronicle`` is the digest of the history; ``settings`` are those sections that can change what
    is traded. Amounts in lamports.
    """

    chronicle: str
    source: SourceRef
    strategy: StrategyRef
    signals: tuple[str, ...]
    settings: dict[str, Any]
    impact: str
    landing: str
    latency_slots: int
    period_seconds: int
    seed: int
    start_lamports: int
    frame_sha256: str | None = None
    fees_sha256: str = ""
    version: str = ""
    engine_sha256: str = ""
    python: str = ""

    def canonical(self) -> bytes:
        """As JSON: equal specs give equal bytes."""
        return canonical_json(self)

    @property
    def key(self) -> str:
        """16 digits that name it."""
        return hashlib.sha256(self.canonical()).hexdigest()[:16]


_ENCODER = msgspec.json.Encoder(order="deterministic")


def canonical_json(value: object) -> bytes:
    """JSON with keys in order, without spaces; floats by their shortest text."""
    return _ENCODER.encode(value)


def new_spec(
    chronicle: Chronicle, source: SourceRef, strategy: StrategyRef, settings: Settings, **rest: Any
) -> BacktestSpec:
    """A spec of this version of the package. ``rest``: further fields, or others than the settings say."""
    paper = settings.paper
    told: dict[str, Any] = {
        "chronicle": chronicle.identity.sha256,
        "source": source,
        "strategy": strategy,
        "signals": tuple(settings.run.signals),
        "settings": deciding_settings(settings),
        "impact": "counterfactual",
        "landing": settings.backtest.landing,
        "latency_slots": latency_slots(settings),
        "period_seconds": settings.backtest.period_seconds,
        "seed": 0,
        "start_lamports": paper.lamports("start_sol"),
        "fees_sha256": fees_sha256(),
        "version": __version__,
        "engine_sha256": engine_sha256(),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    return BacktestSpec(**told | rest)


def latency_slots(settings: Settings) -> int:
    """From the decision to the slot of the execution: ``paper.latency_slots``, else ``latency_ms`` in slots of 400 ms,
    rounded up.
    """
    paper = settings.paper
    return -(-paper.latency_ms // 400) if paper.latency_slots is None else paper.latency_slots


def deciding_settings(settings: Settings) -> dict[str, Any]:
    """The sections that can change what is traded, as JSON has them."""
    told: dict[str, Any] = settings.model_dump(mode="json", include=set(_SECTIONS))
    told["run"] = {name: value for name, value in told["run"].items() if name in _OF_RUN}
    told["q50"] = {name: value for name, value in told["q50"].items() if name != "path"}
    return told


def settings_of(spec: BacktestSpec) -> Settings:
    """The settings that a spec was made of; what decides nothing has its default."""
    return Settings.model_validate(spec.settings)


@cache
def fees_sha256() -> str:
    """Of the fee schedules in the package."""
    data = resources.files("pumpswap.amm") / "data" / "fee_schedules.json"
    return hashlib.sha256(data.read_bytes()).hexdigest()


@cache
def engine_sha256() -> str:
    """Of the package's code that decides a result: between releases the version says too little. Libraries are not in
    it.
    """
    digest, package = hashlib.sha256(), resources.files("pumpswap")
    places = [package / name for name in (*_ROOMS, *_FILES)]
    places += [package / "research" / name for name in _ROOMS_OF_RESEARCH]
    places += [package / "app" / name for name in _FILES_OF_APP]
    for place in places:
        for name, file in _python_files(place, place.name):
            digest.update(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _python_files(place: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    """Below a room, in the order of their names."""
    if place.is_file():
        if name.endswith((".py", ".json")):
            yield name, place
        return
    for inner in sorted(place.iterdir(), key=lambda one: one.name):
        if inner.name != "__pycache__":
            yield from _python_files(inner, f"{name}/{inner.name}")
