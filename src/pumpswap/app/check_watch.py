"""CheckWatch: a run that was taken up for what it holds, without a passed check, buys nothing until one has passed."""

from __future__ import annotations

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import StorageError
from pumpswap.sdk.passed_check import check_obstacle
from pumpswap.settings import Settings
from pumpswap.storage.run import Run

__all__ = ["CheckWatch"]

_LOOK_NS = 5 * NS_PER_SECOND


class CheckWatch:
    """For a monitor. A check that counted at the start counts for the whole run."""

    def __init__(self, run: Run, settings: Settings, clock: Clock) -> None:
        self._run, self._settings, self._clock = run, settings, clock
        self._looked_ns = clock.now_ns()
        self._found = check_obstacle(run, settings, self._looked_ns)

    def obstacle(self) -> str:
        """Why nothing is bought; empty when a check counts."""
        now = self._clock.now_ns()
        if self._found and abs(now - self._looked_ns) >= _LOOK_NS:
            self._looked_ns = now
            try:
                self._found = check_obstacle(self._run, self._settings, now)
            except StorageError as failed:
                self._found = f"nobody can tell whether a `live check` has passed: {failed.what}"
        if not self._found:
            return ""
        return f"{self._found}; exits go on. To buy again: stop this run, `pumpswap live check`, and start it again"
