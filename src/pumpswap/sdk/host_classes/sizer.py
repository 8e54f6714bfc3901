"""KellyPositionSizer: the size of a signal by the same steps that the gate takes, from figures that the caller has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pumpswap.amm import current_schedule
from pumpswap.errors import BadInput
from pumpswap.model import Side, Signal, SizingStep
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.sizing import POOL_STEPS, Funds, Size, size_buy
from pumpswap.sdk.executor.config import HostConfig, settings_of_config
from pumpswap.sdk.executor.signal_reader import read_figures, stated_side
from pumpswap.sdk.executor.values import flag_of, lamports_of
from pumpswap.sdk.host_classes.host_result import HostResult
from pumpswap.sdk.host_classes.pool_rows import state_of
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["KellyPositionSizer", "PositionSizing"]


@dataclass(frozen=True)
class PositionSizing(HostResult):
    """Sizes in SOL; 0 when nothing may be bought, and ``reasoning`` says why. ``recommended_size`` is before the caps
    of pool and money, ``final_size`` after all of them. Falsy when there is nothing to buy.
    """

    recommended_size: float
    base_size: float
    signal_multiplier: float
    regime_multiplier: float
    liquidity_constraint: float
    final_size: float
    reasoning: str
    constraints_applied: list[str] = field(default_factory=list)
    kelly_fraction: float = 0.0
    liquidity_constrained: bool = False
    final_lamports: int = 0

    def __bool__(self) -> bool:
        return self.final_lamports > 0


class KellyPositionSizer:
    """Sizes are fractions of the balance under absolute caps: every step but the regime's only lowers them."""

    def __init__(self, config: HostConfig = None) -> None:
        """Raises ConfigError."""
        self.settings = settings_of_config(config)

    def calculate_position_size(
        self, signal: Mapping[str, Any], pool_data: object = None, balance: float | None = None
    ) -> PositionSizing:
        """How much of ``balance`` (SOL) the signal would buy in this pool. Bad input gives 0, never a default size, and
        so does a signal that sells, holds, contradicts its q50 or says that it is not tradeable.
        """
        try:
            lamports = _lamports(balance)
            figures = read_figures(signal, self.settings)
            if why := self._why_not(signal, figures["q50"]):
                return _nothing(why)
        except BadInput as wrong:
            return _nothing(wrong.what)
        state = state_of(pool_data)
        if isinstance(state, str):
            return _nothing(state)
        found = Signal(pool=str(state.address), at_ns=0, side=Side.LONG, score=100.0, source="sizer", **figures)
        quotes = PoolQuotes(state, current_schedule())
        size = size_buy(quotes, self.settings.risk, Funds(lamports, lamports), signal=found)
        return _sizing(size, found)

    def _why_not(self, signal: Mapping[str, Any], q50: float) -> str:
        """Why nothing is bought on it. A row that does not say whether it is tradeable is sized: sizing orders nothing,
        and whoever orders asks for it.
        """
        side = stated_side(signal, self.settings)
        if side not in (None, Side.LONG):
            return f"the signal says {side.value}: it buys nothing"
        if q50 <= 0:
            return f"q50 is {q50:+.4g}: no rise is expected"
        for key in ("tradeable", "economically_significant"):
            if flag_of(signal, key) is False:
                return f"{key} is False"
        return ""

    def validate_signal_data(self, signal: object) -> bool:
        """Whether the signal has what a size is made of."""
        try:
            read_figures(signal, self.settings)
        except BadInput:
            return False
        return True


def _lamports(balance: object) -> int:
    found = lamports_of({"balance": balance}, "balance")
    if found is None:
        raise BadInput("the balance is not known: nothing is bought without one", hint="pass it in SOL")
    return found


def _nothing(why: str) -> PositionSizing:
    return PositionSizing(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, why, [why])


def _sizing(size: Size, signal: Signal) -> PositionSizing:
    steps = {step.rule: step for step in size.steps}
    base = steps["base fraction"].lamports if "base fraction" in steps else 0
    wished = _wished(size.steps)
    before_pool = _before_pool(size.steps)
    after_pool = min((steps[rule].lamports for rule in POOL_STEPS if rule in steps), default=before_pool)
    capped, above = [], base
    for step in size.steps:
        if step.lamports < above:
            capped.append(f"{step.rule}: {step.note}")
        above = step.lamports
    return PositionSizing(
        recommended_size=wished / LAMPORTS_PER_SOL,
        base_size=base / LAMPORTS_PER_SOL,
        signal_multiplier=(0.5 + signal.strength / 2),
        regime_multiplier=signal.size_multiplier,
        liquidity_constraint=after_pool / LAMPORTS_PER_SOL,
        final_size=size.lamports / LAMPORTS_PER_SOL,
        reasoning="; ".join(f"{step.rule}: {step.note} → {step.lamports} lamports" for step in size.steps),
        constraints_applied=capped,
        kelly_fraction=wished / base if base else 0.0,
        liquidity_constrained=after_pool < before_pool,
        final_lamports=size.lamports,
    )


def _wished(steps: tuple[SizingStep, ...]) -> int:
    """What is left before the first cap of money."""
    wished = 0
    for step in steps:
        if step.rule == "maximum fraction":
            break
        wished = step.lamports
    return wished


def _before_pool(steps: tuple[SizingStep, ...]) -> int:
    before = 0
    for step in steps:
        if step.rule in POOL_STEPS:
            break
        before = step.lamports
    return before
