"""FollowSignals: every signal is a wish; long ones to buy, short ones to sell a share of what is held."""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.model import Intent, Side, Signal

__all__ = ["FollowSignals"]


class FollowSignals(Strategy):
    """The simplest strategy, and the default. A signal that holds is put to the gate too: its refusal says why nothing
    was bought.
    """

    name = "follow-signals"

    def __init__(self, short_signal_bps: int = 10_000) -> None:
        self._share_bps = short_signal_bps

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        held = desk.position(signal.pool)
        if held is not None and signal.side is Side.SHORT:
            if self._share_bps:
                reason = f"signal turned short at score {signal.score:.1f}"
                yield desk.sell(held, reason, share_bps=self._share_bps)
            return
        yield desk.buy(signal)
