"""The Q50 frame of the settings: its loader with the rules behind it, and a signaller that follows the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pumpswap.clock import Clock
from pumpswap.errors import ConfigError
from pumpswap.market.q50_file import CompleteRules
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import PoolSnapshot, Q50Frame, Side, Signal
from pumpswap.settings import Q50Settings, Settings
from pumpswap.signals.q50_rules import causal_columns
from pumpswap.signals.q50_signal import Q50Decision, Q50Signaller

__all__ = ["Q50Source", "open_q50", "rules_of"]


def rules_of(q50: Q50Settings) -> CompleteRules | None:
    """What computes missing columns, where the settings ask for it: the rules, from past rows only."""
    if not q50.complete_by_rules:
        return None
    return partial(causal_columns, warm_up=q50.warm_up, history_size=q50.history_size)


def open_q50(settings: Settings, clock: Clock, path: Path | None = None) -> Q50SignalLoader:
    """A loader for ``q50.path``, or for ``path``; nothing is read yet. Raises ConfigError where there is neither."""
    q50 = settings.q50 if path is None else settings.q50.model_copy(update={"path": path})
    return Q50SignalLoader(q50, clock=clock, complete=rules_of(q50))


class Q50Source:
    """Signals of whatever frame the loader has now. A new frame is calibrated once, when it is first asked."""

    def __init__(self, loader: Q50SignalLoader, settings: Settings) -> None:
        self.loader = loader
        self._settings = settings
        self._current: tuple[Q50Frame, Q50Signaller] | None = None

    def __call__(self, snapshot: PoolSnapshot, history: Sequence[PoolSnapshot] = ()) -> Signal:
        """The signal of a pool; without a frame that can be used it is HOLD, and the reason says so."""
        signaller, why = self._signaller()
        if signaller is None:
            return Signal(
                pool=snapshot.pool,
                at_ns=snapshot.at_ns,
                side=Side.HOLD,
                score=0.0,
                strength=0.0,
                source=Q50Signaller.source,
                reasons=(why,),
                mint=snapshot.base_mint,
                name=snapshot.name,
            )
        return signaller.signal(snapshot, history)

    def decide(self, at_ns: int) -> Q50Decision:
        """What the frame says for the market at a moment."""
        signaller, why = self._signaller()
        return Q50Decision(at_ns, Side.HOLD, (why,)) if signaller is None else signaller.decide(at_ns)

    def _signaller(self) -> tuple[Q50Signaller | None, str]:
        frame = self.loader.frame
        if frame is None:
            return None, f"no Q50 frame: {self.loader.health_check()['failure'] or 'not loaded yet'}"
        if self._current is None or self._current[0] is not frame:
            try:
                made = Q50Signaller(frame, self.loader.settings, self._settings.regimes)
            except ConfigError as error:
                # A new file may lack the instrument that the settings name: no signal until that is mended.
                return None, f"the Q50 frame does not fit the settings: {error.what}"
            self._current = (frame, made)
        return self._current[1], ""
