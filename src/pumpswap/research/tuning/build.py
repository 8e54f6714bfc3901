"""Build: which pumpswap computes. Between releases the version alone says too little."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from pumpswap import __version__
from pumpswap.research.backtest.spec import engine_sha256

__all__ = ["Build", "search_sha256", "this_build"]

_ROOMS = ("kernel", "significance", "tuning")


class Build(msgspec.Struct, frozen=True):
    """All machines that compute one search must have the same, or their figures do not belong together."""

    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.version} ({self.sha256[:12]})"


def this_build() -> Build:
    """That of this process."""
    return Build(__version__, search_sha256())


@cache
def search_sha256() -> str:
    """Of the code that decides what a search finds: that of a back-test, the kernel, and the search itself."""
    digest = hashlib.sha256(engine_sha256().encode())
    for room in _ROOMS:
        for name, content in _files(room, resources.files("pumpswap") / "research" / room):
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(room: str, place: Traversable) -> Iterator[tuple[str, bytes]]:
    """Every source file of a room and of the rooms in it."""
    for file in sorted(place.iterdir(), key=lambda one: one.name):
        name = f"{room}/{file.name}"
        if file.is_dir():
            yield from _files(name, file)
        elif name.endswith(".py"):
            yield name, file.read_bytes()
