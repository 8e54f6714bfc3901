"""What strangers give the engine: wishes of strategies and signals of models, checked before anything relies on them.

Types of Python promise nothing at run time, and one wrong field would end the engine far from where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap.model import ExitKind, Intent, Side, Signal, TradeSide
from pumpswap.units import BPS, I64_MAX

__all__ = ["check_signal", "wishes_of"]

_NUMBER = (int, float)
_SIGNAL_TEXTS = ("pool", "source", "name", "regime")
_SIGNAL_NUMBERS = ("score", "strength", "size_multiplier")
_SIGNAL_NUMBERS_OR_NONE = ("q50", "win_probability", "win_loss_ratio", "vol_risk", "feasibility", "base_score")
_WISH_TEXTS = ("pool", "mint", "reason", "strategy", "client_order_id")


def wishes_of(answer: object) -> list[Intent]:
    """What a handler has given back, once it is known to be wishes. Raises TypeError for anything else, ValueError for
    figures that cannot be, and TypeError for a buy with a budget: only a person names one, and passes some of the
    limits by that.
    """
    if answer == ():
        return []
    if not isinstance(answer, Iterable):
        raise TypeError(f"a handler gave {type(answer).__name__}: it gives wishes, or () for none")
    wishes: list[Intent] = []
    for wish in answer:
        if not isinstance(wish, Intent):
            raise TypeError(f"a handler wished {type(wish).__name__}: desk.buy and desk.sell make wishes")
        _check_wish(wish)
        wishes.append(wish)
    return wishes


def check_signal(signal: object) -> None:
    """Raises TypeError or ValueError, naming the field, for what is no signal."""
    if not isinstance(signal, Signal):
        raise TypeError(f"a signal source gave {type(signal).__name__}, not a Signal")
    for name in _SIGNAL_TEXTS:
        _check_text(f"signal.{name}", getattr(signal, name))
    if signal.mint is not None:
        _check_text("signal.mint", signal.mint)
    _check_whole("signal.at_ns", signal.at_ns, I64_MAX)
    if not isinstance(signal.side, Side):
        raise _wrong("signal.side", signal.side, "Side")
    for name in _SIGNAL_NUMBERS:
        _check_number(f"signal.{name}", getattr(signal, name))
    for name in _SIGNAL_NUMBERS_OR_NONE:
        value = getattr(signal, name)
        if value is not None:
            _check_number(f"signal.{name}", value)
    if not isinstance(signal.reasons, tuple):
        raise _wrong("signal.reasons", signal.reasons, "tuple")
    for reason in signal.reasons:
        _check_text("signal.reasons", reason)


def _check_wish(wish: Intent) -> None:
    if wish.quote_lamports is not None:
        raise TypeError("a handler named a budget: desk.buy leaves the size to risk")
    if wish.proposed_ns is not None:
        raise TypeError("a handler wished what was proposed before: only approvals do that")
    if not isinstance(wish.side, TradeSide):
        raise _wrong("side", wish.side, "TradeSide")
    for name in _WISH_TEXTS:
        _check_text(name, getattr(wish, name))
    _check_whole("at_ns", wish.at_ns, I64_MAX)
    if wish.base_units is not None:
        _check_whole("base_units", wish.base_units, I64_MAX)
        if wish.is_exact_buy:
            raise TypeError("a handler named the amount of a buy: desk.buy leaves the size to risk")
    if wish.most_lamports is not None:
        _check_whole("most_lamports", wish.most_lamports, I64_MAX)
    if wish.slippage_bps is not None:
        _check_whole("slippage_bps", wish.slippage_bps, BPS)
    if wish.exit is not None and not isinstance(wish.exit, ExitKind):
        raise _wrong("exit", wish.exit, "ExitKind")
    if wish.signal is not None:
        check_signal(wish.signal)


def _check_text(name: str, value: object) -> None:
    # Whatever it says: names of coins are strangers' words, and must not be able to silence a strategy.
    if not isinstance(value, str):
        raise _wrong(name, value, "str")


def _check_whole(name: str, value: object, most: int) -> None:
    if type(value) is not int:
        raise _wrong(name, value, "int")
    if not 0 <= value <= most:
        raise ValueError(f"{name} is {value}, not within 0 to {most}")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        raise _wrong(name, value, "number")


def _wrong(name: str, value: object, wanted: str) -> TypeError:
    return TypeError(f"{name} is of type {type(value).__name__}, not {wanted}")
