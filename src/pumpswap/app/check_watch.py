"""CheckWatch: a run that was taken up for what it holds, without a passed check, buys nothing until one has passed."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import StorageError
from pumpswap.sdk.passed_check import check_obstacle
from pumpswap.settings import Settings
from pumpswap.storage.run import Run

__all__ = ["CheckWatch", "Seldom"]

_LOOK_NS = 5 * NS_PER_SECOND


class Seldom:
    """An obstacle that is looked up in the database: monitors are asked twice a second, this every few seconds."""

    def __init__(self, look: Callable[[], str], clock: Clock) -> None:
        self._look, self._clock = look, clock
        self._looked_ns: int | None = None
        self._found = ""

    def obstacle(self) -> str:
        """What was found last."""
        now = self._clock.now_ns()
        if self._looked_ns is None or abs(now - self._looked_ns) >= _LOOK_NS:
            self._looked_ns, self._found = now, self._look()
        return self._found


class CheckWatch:
    """For a monitor. A check that counted once in a run counts for the whole run."""

    def __init__(self, run: Run, settings: Settings, clock: Clock) -> None:
        self._run, self._settings, self._clock = run, settings, clock
        self._has_passed = False
        self._seldom = Seldom(self._look, clock)

    def obstacle(self) -> str:
        """Why nothing is bought; empty when a check counts."""
        return "" if self._has_passed else self._seldom.obstacle()

    def _look(self) -> str:
        try:
            found = check_obstacle(self._run, self._settings, self._clock.now_ns())
        except StorageError as failed:
            return f"nobody can tell whether a `live check` has passed: {failed.what}"
        self._has_passed = not found
        if self._has_passed:
            return ""
        return f"{found}; exits go on. To buy again: stop this run, `pumpswap live check`, and start it again"
