"""Build: which pumpswap computes. Between releases the version alone says too little."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

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
        place = resources.files("pumpswap") / "research" / room
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".py"):
                digest.update(f"{room}/{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
