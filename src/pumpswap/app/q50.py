"""The Q50 frame of the settings: its loader with the rules behind it, and a signaller that follows the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pumpswap.clock import Clock
from pumpswap.engine.strategies.q50 import FrameSignaller, rules_of
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import PoolSnapshot, Side, Signal
from pumpswap.settings import Settings
from pumpswap.signals.q50_signal import Q50Decision, Q50Signaller

__all__ = ["Q50Source", "open_q50", "rules_of"]


def open_q50(settings: Settings, clock: Clock, path: Path | None = None) -> Q50SignalLoader:
    """A loader for ``q50.path``, or for ``path``; nothing is read yet. Raises ConfigError where there is neither."""
    q50 = settings.q50 if path is None else settings.q50.model_copy(update={"path": path})
    return Q50SignalLoader(q50, clock=clock, complete=rules_of(q50))


class Q50Source:
    """Signals of whatever frame the loader has now. A new frame is calibrated once, when it is first asked."""

    def __init__(self, loader: Q50SignalLoader, settings: Settings) -> None:
        self.loader = loader
        self._frames = FrameSignaller(loader, settings)

    def __call__(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """The signal of a pool; without a frame that can be used it is HOLD, and the reason says so."""
        signaller = self._frames()
        if signaller is None:
            return Signal(
                pool=snapshot.pool,
                at_ns=snapshot.at_ns,
                side=Side.HOLD,
                score=0.0,
                strength=0.0,
                source=Q50Signaller.source,
                reasons=(self._frames.why_none,),
                mint=snapshot.base_mint,
                name=snapshot.name,
            )
        return signaller.signal(snapshot, history)

    def decide(self, at_ns: int) -> Q50Decision:
        """What the frame says for the market at a moment."""
        signaller = self._frames()
        return Q50Decision(at_ns, Side.HOLD, (self._frames.why_none,)) if signaller is None else signaller.decide(at_ns)
