"""Vigil: what stops entries while it lasts: feeds without a sign of life, monitors that object, a loop that stalls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.engine import Engine
from pumpswap.engine.health import Monitor
from pumpswap.engine.tending import FeedTender
from pumpswap.model import AlertLevel

__all__ = ["LoopLag", "Vigil"]

_LOOK_SECONDS = 0.5
_MOST_LAG_SECONDS = 2.0
_MOST_BEHIND_NS = (
    5 * NS_PER_SECOND
)  # the engine's time never goes back: until the machine's has caught up, nothing lands
_SILENT = "nothing was heard from it yet"


class LoopLag:
    """How much later than asked for the loop wakes us: what blocks it delays everything."""

    def __init__(self) -> None:
        self.now = 0.0
        self.worst = 0.0

    async def measure(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Sleep a little, and see for how long that was."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await sleep(_LOOK_SECONDS)
        self.now = max(loop.time() - began - _LOOK_SECONDS, 0.0)
        self.worst = max(self.worst, self.now)

    def words(self) -> str:
        """For the heartbeat."""
        return f"{self.now * 1_000:.0f} ms late, {self.worst * 1_000:.0f} ms at worst"


class Vigil:
    """Turns what it sees into faults of risk, and lifts them when it is over."""

    def __init__(self, engine: Engine, tender: FeedTender, monitors: Sequence[Monitor], clock: Clock) -> None:
        self._engine, self._tender, self._monitors, self._clock = engine, tender, monitors, clock
        self._obstacles: dict[str, str] = {}

    def begin(self) -> None:
        """Faults of an earlier process are its own; ours begin with the feeds that nobody has heard yet."""
        risk = self._engine.risk
        for name, _ in risk.state.faults:
            risk.lift(name)
        for name, feed in self._tender.feeds.items():
            if feed.stale_seconds:
                health = self._tender.health[name]
                health.is_faulty, health.revived = True, partial(self._judge_feed, name, "")
                risk.fault(f"feed {name}", _SILENT)
        self._ask_monitors()

    def look(self, lag: LoopLag) -> None:
        """See to everything once."""
        now = asyncio.get_running_loop().time()
        for name, health in self._tender.health.items():
            limit = self._tender.feeds[name].stale_seconds
            if not limit:
                continue
            if health.is_over:
                self._judge_feed(name, "it is over")
            elif health.error:
                self._judge_feed(name, f"failed: {health.error}")
            elif health.age(now) > limit:
                self._judge_feed(name, f"no sign of life for more than {limit:g} s")
        self._ask_monitors()
        is_late = lag.now > _MOST_LAG_SECONDS
        behind_ns = self._engine.clock.now_ns() - self._clock.now_ns()
        self._judge("clock", "it was set back, and has not caught up yet" if behind_ns > _MOST_BEHIND_NS else "")
        self._judge("event loop", f"it is blocked for more than {_MOST_LAG_SECONDS:g} s at a time" if is_late else "")

    def words(self) -> dict[str, str]:
        """How each monitored part is."""
        return {name: obstacle or "ok" for name, obstacle in self._obstacles.items()}

    def _ask_monitors(self) -> None:
        for monitor in self._monitors:
            self._obstacles[monitor.name] = monitor.obstacle()
            self._judge(monitor.name, self._obstacles[monitor.name])

    def _judge_feed(self, name: str, obstacle: str) -> None:
        self._tender.health[name].is_faulty = bool(obstacle)
        self._judge(f"feed {name}", obstacle)

    def _judge(self, name: str, obstacle: str) -> None:
        risk, alert = self._engine.risk, self._engine.desk.alert
        if obstacle:
            before = dict(risk.state.faults).get(name)
            risk.fault(name, obstacle)
            if before is None:
                alert(AlertLevel.ERROR, "fault", name, f"no entries: {obstacle}")
        elif (was := dict(risk.state.faults).get(name)) is not None:
            risk.lift(name)
            if was == _SILENT:
                return  # the usual beginning
            alert(AlertLevel.INFO, "fault", name, "it works again; entries go on when nothing else is in the way")
