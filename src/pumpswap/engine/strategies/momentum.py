"""Momentum: buy into a burst of net buying, leave when the flow turns. An example of a strategy on swaps; it promises
nothing: many bursts are the last one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.model import Intent, Mark, Position, Side, Signal, Swap
from pumpswap.units import BPS, format_units

__all__ = ["Momentum"]

_SCORE_AT_THRESHOLD = 75  # and 100 at four thirds of it
_FULL_SCORE = 100


@dataclass(slots=True)
class _Flow:
    """The trades of one pool in the window. ``net_lamports`` is bought less sold, exactly."""

    trades: deque[tuple[int, int, str]] = field(default_factory=deque)  # (when, signed lamports, trader)
    net_lamports: int = 0

    def add(self, swap: Swap) -> None:
        signed = swap.quote_units if swap.is_buy else -swap.quote_units
        self.trades.append((swap.at_ns, signed, swap.trader))
        self.net_lamports += signed

    def forget(self, before_ns: int) -> None:
        while self.trades and self.trades[0][0] <= before_ns:
            self.net_lamports -= self.trades.popleft()[1]

    @property
    def buyers(self) -> int:
        """Different wallets that have bought."""
        return len({trader for _, signed, trader in self.trades if signed > 0})


class Momentum(Strategy):
    """Net flow of the last ``window_seconds`` against what the pool really holds.

    ``burst_bps``: net buying of this share is a burst, if ``min_buyers`` different wallets made it (one wallet that
    buys from itself all day is none). ``turn_bps``: net selling of this share sells what this strategy, or any other,
    has bought. ``full_size``: each burst is bought at full size, however far it is above the threshold; otherwise the
    size follows the score.
    """

    name = "momentum"

    def __init__(
        self,
        *,
        window_seconds: int = 60,
        burst_bps: int = 300,
        turn_bps: int = 100,
        min_buyers: int = 5,
        full_size: bool = False,
    ) -> None:
        self._full_size = full_size
        self.every_seconds = window_seconds
        self._window_ns = window_seconds * NS_PER_SECOND
        self._burst_bps, self._turn_bps, self._min_buyers = burst_bps, turn_bps, min_buyers
        self._flows: dict[str, _Flow] = {}
        self._wished_ns: dict[str, int] = {}

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        flow = self._flows.setdefault(swap.pool, _Flow())
        flow.add(swap)
        flow.forget(desk.now_ns - self._window_ns)
        signal = self._signal(swap, flow, desk)
        if signal is not None:
            self._wished_ns[swap.pool] = desk.now_ns
            yield desk.buy(signal)

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        flow, state = self._flows.get(position.pool), desk.state(position.pool)
        if flow is None or state is None:
            return
        flow.forget(desk.now_ns - self._window_ns)
        real = state.real_quote_reserve
        if real > 0 and -flow.net_lamports * BPS >= self._turn_bps * real:
            yield desk.sell(position, f"the flow has turned: {_told(flow.net_lamports, real)}")

    def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
        """Forget pools that nobody trades any more."""
        for pool, flow in list(self._flows.items()):
            flow.forget(at_ns - self._window_ns)
            if not flow.trades:
                del self._flows[pool]
        self._wished_ns = {pool: when for pool, when in self._wished_ns.items() if at_ns - when < self._window_ns}
        return ()

    def _signal(self, swap: Swap, flow: _Flow, desk: Wishes) -> Signal | None:
        """What is said of a burst; None when there is none, or when it was said in this window already."""
        state = desk.state(swap.pool)
        if state is None or state.real_quote_reserve <= 0:
            return None
        real, net = state.real_quote_reserve, flow.net_lamports
        if net * BPS < self._burst_bps * real or desk.position(swap.pool) is not None:
            return None
        wished_ns = self._wished_ns.get(swap.pool)
        if wished_ns is not None and desk.now_ns - wished_ns < self._window_ns:
            return None
        buyers = flow.buyers
        if buyers < self._min_buyers:
            return None
        score = min(_SCORE_AT_THRESHOLD * net * BPS / (self._burst_bps * real), _FULL_SCORE)
        reason = f"{len(flow.trades)} trades, {buyers} buyers in {self.every_seconds} s: {_told(net, real)}"
        return Signal(
            pool=swap.pool,
            at_ns=swap.at_ns,
            side=Side.LONG,
            score=score,
            strength=1.0 if self._full_size else score / _FULL_SCORE,
            source=self.name,
            reasons=(reason,),
            mint=str(state.pool.base_mint),
        )


def _told(net_lamports: int, real_lamports: int) -> str:
    side = "buying" if net_lamports >= 0 else "selling"
    share = abs(net_lamports) * BPS / real_lamports / 100
    return f"net {side} of {format_units(abs(net_lamports), 9)} SOL, {share:.2f} % of what the pool holds"
