"""Warnings: the same complaint at most once in a while, with how often it was meant."""

from __future__ import annotations

import logging
from collections import Counter

from pumpswap.clock import NS_PER_SECOND, Clock

__all__ = ["Warnings"]


class Warnings:
    """A dead endpoint fails many times a second; its log must stay readable, and nothing may be hidden.

    ``counts`` has every complaint by its key. A text is logged when its key is new or was last logged
    ``every_seconds`` ago, and then says how many were held back.
    """

    def __init__(self, clock: Clock, *, name: str = "pumpswap.streams", every_seconds: int = 60) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._log = logging.getLogger(name)
        self._every_ns = every_seconds * NS_PER_SECOND
        self._told: dict[str, tuple[int, int]] = {}

    def tell(self, key: str, text: str) -> None:
        """Complain. ``key`` is the kind of complaint and its object; ``text`` holds no secret."""
        self.counts[key] += 1
        now_ns = self._clock.now_ns()
        last_ns, told = self._told.get(key, (None, 0))
        if last_ns is not None and now_ns - last_ns < self._every_ns:
            return
        held = self.counts[key] - told - 1
        self._told[key] = now_ns, self.counts[key]
        self._log.warning("%s%s", text, f" (and {held} times more since the last such line)" if held else "")
