"""Where chronicles come from: ``open_chronicle`` finds the right source for a target."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pumpswap.errors import BadInput, UsageError
from pumpswap.market.lake import is_lake
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.window import Window
from pumpswap.storage.host_reader import is_database

__all__ = ["open_chronicle"]

_SIMULATED = "simulated"
_VECTORS = "vectors:"


def open_chronicle(
    target: str | Path,
    *,
    pools: Sequence[str] = (),
    since_ns: int | None = None,
    until_ns: int | None = None,
    minutes: int = 30,
) -> BaseChronicle:
    """``simulated[:SEED]`` (of ``minutes``), ``vectors:FILE``, a lake, a host export or its database, a tape, or a
    recorded stream. ``pools`` names those that are wanted, all when it is empty; times are from ``since_ns`` until
    before ``until_ns``.

    Raises NotFound where there is nothing, BadInput for what is no recording, UsageError for an unknown name.
    """
    text, window = str(target), Window(tuple(pools), since_ns, until_ns)
    if text == _SIMULATED or text.startswith(f"{_SIMULATED}:"):
        return _simulated(text, minutes, window)
    if text.startswith(_VECTORS):
        from pumpswap.research.chronicle.sources.vectors import VectorChronicle

        return VectorChronicle(Path(text.removeprefix(_VECTORS)), window)
    path = Path(target)
    if is_database(target):
        return _recording(target, {"kind": "host database"}, window)
    if path.is_dir() and is_lake(path):
        from pumpswap.market.lake import Lake
        from pumpswap.research.chronicle.sources.lake import LakeChronicle

        return LakeChronicle(Lake(path, _network(path)), window)
    if path.is_file() and _is_stream(path):
        from pumpswap.research.chronicle.sources.stream import StreamChronicle

        return StreamChronicle(path, window)
    return _recording(target, {"kind": "host export" if path.is_dir() else "tape", **_digest(path)}, window)


def _recording(target: str | Path, source: dict[str, str], window: Window) -> BaseChronicle:
    from pumpswap.market.tape import open_recording
    from pumpswap.research.chronicle.sources.recording import RecordingChronicle

    return RecordingChronicle(open_recording(target), source, window)


def _network(path: Path) -> str:
    """The network of a lake: mainnet, or else the only one that it has. Raises BadInput where that is not clear."""
    from pumpswap.market.lake import Lake

    found = sorted({file.network for file in Lake(path).manifest().files.values()})
    if "solana" in found or not found:
        return "solana"
    if len(found) > 1:
        hint = "a back-test needs one: move the others into a lake of their own"
        raise BadInput(f"{path} holds several networks and not mainnet: {', '.join(found)}", hint=hint)
    return found[0]


def _is_stream(path: Path) -> bool:
    return path.suffix in (".jsonl", ".gz") or path.name.endswith(".jsonl.gz")


def _digest(path: Path) -> dict[str, str]:
    """One digest of the files of a recording, by their names."""
    if not path.exists():
        return {}
    whole = hashlib.sha256()
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    for one in files:
        with one.open("rb") as file:
            whole.update(f"{one.relative_to(path)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return {"files": str(len(files)), "sha256": whole.hexdigest()}


def _simulated(text: str, minutes: int, window: Window) -> BaseChronicle:
    from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan

    seed = text.partition(":")[2] or "1"
    if not seed.isdecimal():
        raise UsageError(f"{text}: {seed!r} is no seed", hint="a whole number, for example simulated:7")
    if minutes < 1:
        raise UsageError(f"a market of {minutes} minutes", hint="at least one")
    return SimulatedChronicle(SimulatedPlan(seed=int(seed), minutes=minutes), window)
