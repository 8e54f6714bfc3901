"""Every exception that pumpswap raises on purpose.

PumpSwapError                    exit 1
├── UsageError                   exit 2    the call itself is wrong: an amount that is no integer, a bad option
├── NotFound                     exit 3    a file, a pool, an order that is not there
├── ConfigError                  exit 4    settings that cannot be used
├── TradeRefused                 exit 8    what the program would refuse; carries its code and name
├── ProtocolDrift                exit 12   bytes that this version does not understand
│   ├── MalformedAccount                   wrong discriminator, too short, impossible value
│   └── MalformedEvent                     known discriminator, broken payload
├── BadInput                     exit 1    a data file that cannot be read as what it should be
├── AmountOutOfRange             exit 1    beyond 64 bits where the chain or the books hold 64
├── StorageError                 exit 1    the database is not what it should be
└── LedgerMismatch               exit 1    the books do not add up: a bug, never a warning

Every error says what is wrong and, in ``hint``, what to do next.
Exit codes are part of the interface: scripts may rely on them.
"""

from __future__ import annotations

__all__ = [
    "AmountOutOfRange",
    "BadInput",
    "ConfigError",
    "LedgerMismatch",
    "MalformedAccount",
    "MalformedEvent",
    "NotFound",
    "ProtocolDrift",
    "PumpSwapError",
    "StorageError",
    "TradeRefused",
    "UsageError",
]


class PumpSwapError(Exception):
    """Root of the tree. ``what`` is one line for people, ``hint`` says what to do next."""

    exit_code = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class UsageError(PumpSwapError):
    """The caller asked for something that has no meaning."""

    exit_code = 2


class NotFound(PumpSwapError):
    """A named thing does not exist."""

    exit_code = 3


class ConfigError(PumpSwapError):
    """A setting is missing, of the wrong type, or out of range."""

    exit_code = 4


class TradeRefused(PumpSwapError):
    """The program would reject this; ``code`` and ``name`` are the program's own (None where it has none)."""

    exit_code = 8

    def __init__(self, what: str, *, code: int | None, name: str, hint: str = "") -> None:
        super().__init__(f"{what} ({code} {name})" if code is not None else what, hint=hint)
        self.code = code
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments need this to cross process boundaries.
        return (_rebuild_refusal, (self.what, self.code, self.name, self.hint))


def _rebuild_refusal(what: str, code: int | None, name: str, hint: str) -> TradeRefused:
    error = TradeRefused("", code=None, name=name, hint=hint)
    error.what, error.code, error.args = what, code, (what,)
    return error


class ProtocolDrift(PumpSwapError):
    """The chain speaks a dialect that this version does not know: stop trading, upgrade."""

    exit_code = 12


class MalformedAccount(ProtocolDrift):
    """Account bytes that cannot be this account."""


class MalformedEvent(ProtocolDrift):
    """Event bytes with a known discriminator and a broken payload."""


class BadInput(PumpSwapError):
    """A file or a record that cannot be read as what it should be."""


class AmountOutOfRange(PumpSwapError):
    """An amount that does not fit where it must be held."""


class StorageError(PumpSwapError):
    """The database cannot be used as it is."""


class LedgerMismatch(PumpSwapError):
    """The sum of the ledger differs from the wallet."""
