"""Parameter types: what people write on a command line, parsed exactly or refused with a hint."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

import click

from pumpswap.cli.failures import BadValue
from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import UsageError
from pumpswap.units import BPS as WHOLE
from pumpswap.units import LAMPORTS_PER_SOL, U64_MAX, to_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

__all__ = [
    "AMOUNT",
    "BPS",
    "DATE",
    "DECIMALS",
    "DURATION",
    "NAME",
    "NumberRange",
    "PATH",
    "POSITION",
    "PORT",
    "PUBKEY",
    "RUN",
    "SIGNED_AMOUNT",
    "SOL",
    "SOURCE",
    "UNITS",
    "UTC_TIME",
    "AmountType",
    "DurationType",
]

_T = TypeVar("_T")

_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_LONGEST_DURATION = 20
_LONGEST_NAME = 63  # what is longer is never repeated: a seed in hex has 64 characters, a private key 87 or 88


class _Type(click.ParamType, Generic[_T]):  # type: ignore[type-arg]  # click 8.1 has no type argument
    """A type that parses text once; values that are parsed already pass through, as click asks."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.parse(value) if isinstance(value, str) else value

    def parse(self, text: str) -> _T:
        raise NotImplementedError


class AmountType(_Type[Decimal]):
    """A display amount (``0.25``), exact. How many decimals it may have is known when the token is."""

    name = "amount"

    def __init__(self, *, signed: bool = False) -> None:
        self._signed = signed

    def parse(self, text: str) -> Decimal:
        try:
            amount = Decimal(text)
        except InvalidOperation:
            _refuse(f"{text!r} is not a number", hint="write it in plain digits, for example 0.25")
        # The bounds come first: 1e999999 is a number, and nobody's amount.
        if not amount.is_finite() or amount.adjusted() > 40 or amount.as_tuple().exponent < -40:  # type: ignore[operator]
            _refuse(f"{text} is no amount", hint="write it in plain digits, for example 0.25")
        if amount < 0 and not self._signed:
            _refuse(f"{text} is negative", hint="amounts are positive; buying and selling are options of their own")
        return amount


class _SolType(_Type[int]):
    """SOL as people write it; lamports inside."""

    name = "sol"

    def parse(self, text: str) -> int:
        amount = AMOUNT.parse(text)
        if amount == 0:
            _refuse("0 SOL is nothing to trade", hint="the smallest amount is 0.000000001 SOL, one lamport")
        if amount * LAMPORTS_PER_SOL > U64_MAX:
            _refuse(f"{text} SOL is more than there is", hint="did you mean lamports? There are options for raw units")
        try:
            return to_units(amount, 9)
        except UsageError as error:
            _refuse(error.what, hint=error.hint)


class _UnitsType(_Type[int]):
    """A raw amount, as on chain."""

    name = "units"

    def parse(self, text: str) -> int:
        if not text.isascii() or not text.isdigit():
            _refuse(f"{text!r} is no amount of raw units", hint="a positive integer, for example 1000000000 lamports")
        units = int(text) if len(text) < 40 else U64_MAX + 1
        if not 0 < units <= U64_MAX:
            _refuse(f"{text} raw units do not exist", hint="a raw amount is between 1 and 2^64 - 1")
        return units


class _BoundedType(_Type[int]):
    """An integer of a range, with words of its own."""

    def __init__(self, name: str, most: int, hint: str) -> None:
        self.name = name
        self._most = most
        self._hint = hint

    def parse(self, text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text[:20]) > self._most:
            _refuse(f"{text!r} is not an integer from 0 to {self._most}", hint=self._hint)
        return int(text)


class _PositionType(_Type[str]):
    """What a position is called: its pool, its mint, or the name of the coin."""

    name = "position"

    def parse(self, text: str) -> str:
        if len(text) > _LONGEST_NAME:
            _refuse("that is longer than any pool, mint or name", hint="`pumpswap positions list --all` has them")
        return text


class NumberRange(click.FloatRange):
    """A number within bounds. Comparisons with NaN are all false, so click's own range lets it pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if found != found:
            _refuse("nan is no number", hint="write a number in plain digits")
        return found


class _PubkeyType(_Type["Pubkey"]):
    """An address."""

    name = "address"

    def parse(self, text: str) -> Pubkey:
        from solders.pubkey import Pubkey

        try:
            return Pubkey.from_string(text)
        except ValueError:
            if len(text) > _LONGEST_NAME:
                _refuse("that is no Solana address", hint="it is too long for one; was it a private key? Nobody saw it")
            _refuse(f"{text!r} is no Solana address", hint="an address is 32 to 44 base58 characters; was it cut?")


class _PathType(_Type[Path]):
    """A file or a folder. A name as long as a key is refused unseen: no error shall repeat it."""

    name = "path"

    def parse(self, text: str) -> Path:
        return Path(_short(text))


class _DateType(_Type[date]):
    """A day of a calendar."""

    name = "date"

    def parse(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            told = repr(text) if len(text) <= _LONGEST_NAME else "that"
            _refuse(f"{told} is no date", hint="write it as 2026-11-25")


class _NameType(_Type[str]):
    """What something is called. A name as long as a key is refused unseen."""

    name = "name"

    def parse(self, text: str) -> str:
        if len(text) > _LONGEST_NAME:
            _refuse("that name is too long", hint="63 characters at most; was it a private key? Nobody saw it")
        return text


class _SourceType(_Type[str]):
    """A path, or the URL of a database."""

    name = "path or url"

    def parse(self, text: str) -> str:
        return text if "://" in text else _short(text)


class _TimeType(_Type[int]):
    """A date or a time, UTC unless it names a zone; Unix seconds inside."""

    name = "date"

    def parse(self, text: str) -> int:
        try:
            return parse_utc(text) // NS_PER_SECOND
        except ValueError:
            _refuse(f"{text!r} is no date", hint="for example 2025-10-03 or 2025-10-03T12:30, in UTC")


class DurationType(_Type[int]):
    """A span of time with its unit (``90s``, ``5m``, ``5 min``); seconds inside, from ``least`` to ``most``."""

    name = "duration"

    def __init__(self, *, least: int = 0, most: int | None = None, example: str = "90s, 30m, 12h, 7d") -> None:
        self._least, self._most = least, most
        self._hint = f"a number and s, m, h or d, for example {example}"

    def parse(self, text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,9}) ?(s|m|min|h|d)", text.strip())
        seconds = int(found[1]) * _UNITS[found[2]] if found else None
        if seconds is None or seconds < self._least or (self._most is not None and seconds > self._most):
            shown = repr(text) if len(text) <= _LONGEST_DURATION else "that"
            _refuse(f"{shown} is no span of time", hint=self._hint)
        return seconds


def _short(path: str) -> str:
    if any(len(part) > _LONGEST_NAME for part in Path(path).parts):
        _refuse("a name in that path is too long", hint="63 characters at most; was it a private key? Nobody saw it")
    return path


def _refuse(message: str, *, hint: str) -> NoReturn:
    raise BadValue(message, hint=hint)


AMOUNT = AmountType()
SIGNED_AMOUNT = AmountType(signed=True)
SOL = _SolType()
UNITS = _UnitsType()
BPS = _BoundedType("bps", WHOLE, "basis points: 100 is one percent")
DECIMALS = _BoundedType("decimals", 18, "what the mint says, for example 6")
DATE = _DateType()
NAME = _NameType()
PATH = _PathType()
POSITION = _PositionType()
PUBKEY = _PubkeyType()
PORT = _BoundedType("port", 65_535, "0 takes a free one")
RUN = _BoundedType("run", 2**63 - 1, "`pumpswap runs list` lists the numbers")
SOURCE = _SourceType()
UTC_TIME = _TimeType()
DURATION = DurationType()
