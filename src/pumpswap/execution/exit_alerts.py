"""What people are told about exits: that a pool was robbed, that a sale fails, that nothing can be sold at all."""

from __future__ import annotations

from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exits import DueExit
from pumpswap.model import Alert, AlertLevel, Denied, ExitKind, ExitState, Position, Rejected
from pumpswap.model.plain_text import coin_text, one_line, short_address
from pumpswap.settings import ExitRules

__all__ = [
    "begun_alert",
    "blocked_alert",
    "failed_alert",
    "freed_alert",
    "is_told",
    "is_told_rarely",
    "put_off_alert",
    "refused_alert",
]

_LONGEST_REASON = 300  # of what a program, an endpoint or a strategy has said
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
    text = f"selling all of {_called(position, position.pool)}: {one_line(due.reason, _LONGEST_REASON)}"
    return Alert(at_ns, level, due.kind.value, position.pool, text)


def failed_alert(
    held: Position | None, known: ExitState, outcome: Rejected | Denied, rules: ExitRules, slippage_bps: int
) -> Alert:
    """A sale has failed once more."""
    text = (
        f"{_called(held, known.pool)}: sale failed, {_times(known.failures)}: {_why(outcome)}; "
        f"next try in {rules.retry_seconds} s, accepting {slippage_bps / 100:g} %"
    )
    level = AlertLevel.WARNING if known.failures == 1 else AlertLevel.ERROR
    return Alert(outcome.at_ns, level, "exit failed", known.pool, text)


def put_off_alert(
    held: Position | None, known: ExitState, outcome: Rejected | Denied, seconds: int, slippage_bps: int
) -> Alert:
    """A sale did not get through, for a reason that is not its price."""
    text = (
        f"{_called(held, known.pool)}: sale not done, {_times(known.refusals)}: {_why(outcome)}; "
        f"next try in {seconds} s, still accepting {slippage_bps / 100:g} %"
    )
    level = AlertLevel.WARNING if known.refusals == 1 else AlertLevel.ERROR
    return Alert(outcome.at_ns, level, "exit failed", known.pool, text)


def refused_alert(held: Position, known: ExitState, reason: str, at_ns: int, seconds: int) -> Alert:
    """The gate refuses a sale that an exit wants."""
    why = one_line(reason, _LONGEST_REASON)
    text = f"{_called(held, known.pool)}: sale refused, {_times(known.refusals)}: {why}; next try in {seconds} s"
    return Alert(at_ns, AlertLevel.WARNING, "exit refused", known.pool, text)


def blocked_alert(held: Position, known: ExitState, obstacle: str, at_ns: int, seconds: int) -> Alert:
    """Nothing can be sold, and has not been for long."""
    why = one_line(obstacle, _LONGEST_REASON)
    if known.wanted is None:
        text = f"could not be sold or valued for {seconds} s: {why}; until then no stop-loss can see a loss"
    else:
        text = f"{known.wanted.value} is due and could not be done for {seconds} s: {why}; it goes on when possible"
    return Alert(at_ns, AlertLevel.ERROR, "exit blocked", known.pool, f"{_called(held, known.pool)}: {text}")


def freed_alert(held: Position, known: ExitState, at_ns: int) -> Alert:
    """What was told to be blocked is not any more."""
    seconds = (at_ns - known.blocked_ns) // NS_PER_SECOND
    goes_on = "its exits look after it again" if known.wanted is None else f"{known.wanted.value} goes on"
    text = f"{_called(held, known.pool)}: can be sold and valued again after {seconds} s; {goes_on}"
    return Alert(at_ns, AlertLevel.INFO, "exit blocked", known.pool, text)


def _why(outcome: Rejected | Denied) -> str:
    name = outcome.name if isinstance(outcome, Rejected) else outcome.rule
    return one_line(f"{name}: {outcome.text}", _LONGEST_REASON)


def _times(number: int) -> str:
    return "the first time" if number == 1 else f"{number} times in a row"


def _called(position: Position | None, pool: str) -> str:
    """The coin of a position as alerts say it; without one its pool."""
    return short_address(pool) if position is None else coin_text(position.name, position.mint)
