"""PlanLoop: the plan's own loop: look at the signals now and then, and buy the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.model import Intent, Side, Signal
from pumpswap.signals.enhanced_score import urgency

__all__ = ["PLANNED_SHARE_BPS", "PlanLoop", "priority_of"]

PLANNED_SHARE_BPS = 5_000  # of what is held, sold on a sell signal


def priority_of(signal: Signal) -> float:
    """What comes first: 0.7 · score + 30 · feasibility; the score alone where nobody has told the feasibility."""
    return signal.score if signal.feasibility is None else urgency(signal.score, signal.feasibility)


class PlanLoop(Strategy):
    """Between two checks only the newest signal of each pool is kept. A check drops what has grown stale, what is below
    the score and coins that are held already, and wishes for the rest in order of priority: no more than
    ``max_entries`` at once, and no more than leaves ``max_positions`` open. What it wished for last time and did not
    get comes last, so that a coin which the gate refuses does not keep the others out.

    A sell signal on what is held does not wait for the check: it sells a share, once per check and position.
    """

    name = "plan-loop"

    def __init__(
        self,
        *,
        check_seconds: int = 300,
        max_entries: int = 5,
        max_positions: int = 5,
        short_signal_bps: int = PLANNED_SHARE_BPS,
        max_signal_age_seconds: int = 60,
        min_score: float = 75.0,
    ) -> None:
        self.every_seconds = check_seconds
        self._max_entries, self._max_positions = max_entries, max_positions
        self._share_bps = short_signal_bps
        self._max_age_ns = max_signal_age_seconds * NS_PER_SECOND
        self._min_score = min_score
        self._heard: dict[str, Signal] = {}  # the newest long one of each pool since the last check
        self._wished: set[str] = set()  # pools, at the last check
        self._reduced: dict[str, tuple[int, int]] = {}  # by pool: the round that a signal has reduced, and until when

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        known = self._heard.get(signal.pool)
        if known is not None and known.at_ns > signal.at_ns:
            return
        if signal.side is Side.LONG:
            self._heard[signal.pool] = signal
            return
        self._heard.pop(signal.pool, None)  # whatever was said before is taken back
        if signal.side is Side.SHORT:
            yield from self._reduce(signal, desk)

    def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
        heard, self._heard = self._heard, {}
        self._reduced = {pool: reduced for pool, reduced in self._reduced.items() if reduced[1] > at_ns}
        held = desk.positions()
        room = min(self._max_entries, self._max_positions - len(held))
        mints = {position.mint for position in held}
        unmet, self._wished = self._wished - {position.pool for position in held}, set()
        for signal in self._candidates(heard.values(), unmet, at_ns):
            if room <= 0:
                return
            mint = _mint_of(signal, desk)
            if mint in mints:
                continue
            mints.add(mint)
            room -= 1
            self._wished.add(signal.pool)
            yield desk.buy(signal, f"priority {priority_of(signal):.1f}: {signal.source} {signal.score:.1f}")

    def _reduce(self, signal: Signal, desk: Wishes) -> Iterator[Intent]:
        position = desk.position(signal.pool)
        if position is None or not self._share_bps:
            return
        reduced = self._reduced.get(signal.pool)
        if reduced is not None and reduced[0] == position.round and desk.now_ns < reduced[1]:
            return
        self._reduced[signal.pool] = position.round, desk.now_ns + self.every_seconds * NS_PER_SECOND
        yield desk.sell(position, f"signal turned short at score {signal.score:.1f}", share_bps=self._share_bps)

    def _candidates(self, heard: Iterable[Signal], unmet: set[str], at_ns: int) -> list[Signal]:
        fresh = [
            signal for signal in heard if at_ns - signal.at_ns <= self._max_age_ns and signal.score >= self._min_score
        ]
        return sorted(fresh, key=lambda signal: (signal.pool in unmet, -priority_of(signal), signal.pool))


def _mint_of(signal: Signal, desk: Wishes) -> str:
    """The coin of a signal; its pool where nobody knows the coin."""
    state = desk.state(signal.pool)
    return signal.mint or (signal.pool if state is None else str(state.pool.base_mint))
