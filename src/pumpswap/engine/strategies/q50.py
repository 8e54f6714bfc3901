"""Q50Strategy: the Q50 frame traded by its policy: every new state of a pool is a moment at which it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from pumpswap.clock import Clock, SystemClock
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.errors import ConfigError
from pumpswap.market.q50_file import CompleteRules
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import Intent, Q50Frame
from pumpswap.settings import Q50Settings, Settings
from pumpswap.signals.q50_policy import Q50Action, Q50Policy
from pumpswap.signals.q50_rules import causal_columns
from pumpswap.signals.q50_signal import Q50Signaller

__all__ = ["FrameSignaller", "Q50Strategy", "frame_loader", "policy_of", "rules_of"]


def rules_of(q50: Q50Settings) -> CompleteRules | None:
    """What computes missing columns, where the settings ask for it: the rules, from past rows only."""
    if not q50.complete_by_rules:
        return None
    return partial(causal_columns, warm_up=q50.warm_up, history_size=q50.history_size)


def frame_loader(settings: Settings, clock: Clock | None = None) -> Q50SignalLoader:
    """A loader for ``q50.path``; nothing is read yet. Raises ConfigError without a path."""
    q50 = settings.q50
    return Q50SignalLoader(q50, clock=clock or SystemClock(), complete=rules_of(q50))


def policy_of(settings: Settings) -> Q50Policy:
    """The policy as the settings want it, for whichever system trades it."""
    return Q50Policy(
        check_seconds=settings.run.check_seconds,
        short_bps=settings.exits.short_signal_bps,
        warm_up_quotes=settings.q50.warm_up_quotes,
    )


class FrameSignaller:
    """The signaller of whatever frame a loader has now. A new frame is calibrated once, when it is first asked for."""

    def __init__(self, loader: Q50SignalLoader, settings: Settings) -> None:
        self.loader = loader
        self._settings = settings
        self._current: tuple[Q50Frame, Q50Signaller] | None = None
        self._misfit: tuple[Q50Frame, str] | None = None

    def __call__(self) -> Q50Signaller | None:
        """None without a frame that can be used: ``why_none`` says why."""
        frame = self.loader.frame
        if frame is None or (self._misfit is not None and self._misfit[0] is frame):
            return None
        if self._current is None or self._current[0] is not frame:
            try:
                made = Q50Signaller(frame, self.loader.settings, self._settings.regimes)
            except ConfigError as error:
                # A new file may lack the instrument that the settings name: no signal until that is mended.
                self._misfit = frame, f"the Q50 frame does not fit the settings: {error.what}"
                return None
            self._current = (frame, made)
        return self._current[1]

    @property
    def why_none(self) -> str:
        """Why there is no signaller; empty when there is one."""
        if self() is not None:
            return ""
        if self.loader.frame is None or self._misfit is None:
            return f"no Q50 frame: {self.loader.failure or 'not loaded yet'}"
        return self._misfit[1]


class Q50Strategy(Strategy):
    """``signaller`` gives the signaller of the frame that is in use, None without one. The same policy under
    NautilusTrader is ``pumpswap.nautilus.Q50PumpSwapStrategy``: both wish the same at the same moments.
    """

    name = "q50"

    def __init__(self, signaller: Callable[[], Q50Signaller | None], policy: Q50Policy) -> None:
        self.policy = policy
        self._signaller = signaller

    @classmethod
    def of_settings(cls, settings: Settings, loader: Q50SignalLoader | None = None) -> Q50Strategy:
        """With the frame of ``q50.path``, read now, or with a loader that somebody else keeps up to date. Raises
        ConfigError without a path, and what ``Q50SignalLoader.load`` raises.
        """
        if loader is None:
            loader = frame_loader(settings)
            loader.load()
        return cls(FrameSignaller(loader, settings), policy_of(settings))

    def on_state(self, pool: str, desk: Wishes) -> Iterable[Intent]:
        state = desk.state(pool)
        if state is None:
            return
        held = desk.position(pool)
        round = None if held is None else held.round
        verdict = self.policy.decide(self._signaller(), desk.now_ns, pool, str(state.pool.base_mint), round)
        if verdict.action is Q50Action.BUY and verdict.signal is not None:
            yield desk.buy(verdict.signal, verdict.why)
        elif verdict.action is Q50Action.SELL and held is not None:
            yield replace(desk.sell(held, verdict.why, share_bps=verdict.share_bps), signal=verdict.signal)
