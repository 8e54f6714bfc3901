"""What people are told about exits: that a pool was robbed, that a sale fails, that nothing can be sold at all."""

from __future__ import annotations

from pumpswap.execution.exits import DueExit
from pumpswap.model import Alert, AlertLevel, Denied, ExitKind, ExitState, Position, Rejected
from pumpswap.settings import ExitRules

__all__ = [
    "begun_alert",
    "blocked_alert",
    "failed_alert",
    "is_told",
    "is_told_rarely",
    "put_off_alert",
    "refused_alert",
]

_TOLD_WHEN_BEGUN = {ExitKind.RUG: AlertLevel.CRITICAL, ExitKind.LIQUIDITY_FLIGHT: AlertLevel.WARNING}


def is_told(times: int) -> bool:
    """The first time, then every third."""
    return times == 1 or times % 3 == 0


def is_told_rarely(times: int) -> bool:
    """The first time, then every twentieth: about every ten minutes."""
    return times == 1 or times % 20 == 0


def begun_alert(due: DueExit, position: Position, at_ns: int) -> Alert | None:
    """An exit has begun; None for those that are business as usual."""
    level = _TOLD_WHEN_BEGUN.get(due.kind)
    if level is None:
        return None
    return Alert(at_ns, level, due.kind.value, position.pool, f"selling all of {_called(position)}: {due.reason}")


def failed_alert(known: ExitState, outcome: Rejected | Denied, rules: ExitRules, slippage_bps: int) -> Alert:
    """A sale has failed once more."""
    why = outcome.name if isinstance(outcome, Rejected) else outcome.rule
    text = (
        f"sale failed, {_times(known.failures)}: {why}: {outcome.text}; "
        f"next try in {rules.retry_seconds} s, accepting {slippage_bps / 100:g} %"
    )
    level = AlertLevel.WARNING if known.failures == 1 else AlertLevel.ERROR
    return Alert(outcome.at_ns, level, "exit failed", known.pool, text)


def put_off_alert(known: ExitState, outcome: Rejected | Denied, seconds: int, slippage_bps: int) -> Alert:
    """A sale did not get through, for a reason that is not its price."""
    why = outcome.name if isinstance(outcome, Rejected) else outcome.rule
    text = (
        f"sale not done, {_times(known.refusals)}: {why}: {outcome.text}; "
        f"next try in {seconds} s, still accepting {slippage_bps / 100:g} %"
    )
    level = AlertLevel.WARNING if known.refusals == 1 else AlertLevel.ERROR
    return Alert(outcome.at_ns, level, "exit failed", known.pool, text)


def refused_alert(known: ExitState, reason: str, at_ns: int, seconds: int) -> Alert:
    """The gate refuses a sale that an exit wants."""
    text = f"sale refused, {_times(known.refusals)}: {reason}; next try in {seconds} s"
    return Alert(at_ns, AlertLevel.WARNING, "exit refused", known.pool, text)


def blocked_alert(known: ExitState, obstacle: str, at_ns: int, seconds: int) -> Alert:
    """Nothing can be sold, and has not been for long."""
    if known.wanted is None:
        text = f"could not be sold or valued for {seconds} s: {obstacle}; until then no stop-loss can see a loss"
    else:
        text = (
            f"{known.wanted.value} is due and could not be done for {seconds} s: {obstacle}; it goes on when possible"
        )
    return Alert(at_ns, AlertLevel.ERROR, "exit blocked", known.pool, text)


def _times(number: int) -> str:
    return "the first time" if number == 1 else f"{number} times in a row"


def _called(position: Position) -> str:
    return position.name or position.mint
