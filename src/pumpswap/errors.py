"""Every exception that pumpswap raises on purpose.

PumpSwapError                    exit 1
├── UsageError                   exit 2    the call itself is wrong: an amount that is no integer, a bad option
│   └── Conflict                           there are two of what was meant, or it is no more what it was: look again
├── NotFound                     exit 3    a file, a pool, an order that is not there
├── ConfigError                  exit 4    settings that cannot be used
│   └── WrongNetwork                       the endpoint serves another chain than the settings say
├── TimedOut                     exit 5    nothing happened in time, and nothing was sent that could still happen
├── NotRunning                   exit 6    a process that this command needs is not there
├── GuardRefused                 exit 7    a transaction beyond the plan of its order: not signed
├── TradeRefused                 exit 8    what the program would refuse; carries its code and name
├── InsufficientFunds            exit 10   the wallet cannot pay for this, fees and rent included
├── ChainError                   exit 11   the network, or what an endpoint answered
│   ├── EndpointDown                       no connection, no answer in time, or a server error
│   ├── RateLimited                        429; carries when the endpoint will listen again
│   ├── StaleNode                          the node is behind a slot that we have seen already
│   ├── NotServed                          the endpoint refuses this method
│   └── NodeRefused                        a JSON-RPC error; carries its code and data
├── DataSourceError              exit 11   a market-data service, or what it answered
│   ├── SourceDown                         no connection, no answer in time, or a server error, after all retries
│   ├── SourceBusy                         429; carries when the service will listen again
│   ├── SourceRefused                      the service refuses this request; carries its status and words
│   └── UnreadableAnswer                   an answer that is not what this version knows
├── ProtocolDrift                exit 12   bytes that this version does not understand
│   ├── MalformedAccount                   wrong discriminator, too short, impossible value
│   └── MalformedEvent                     known discriminator, broken payload
├── KeyLocked                    exit 13   there is no unlocked key for this
│   ├── WrongPassword                      the keystore does not open with this password
│   └── KeystoreDamaged                    the keystore file was changed, cut, or is too widely readable
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
    "ChainError",
    "ConfigError",
    "Conflict",
    "DataSourceError",
    "EndpointDown",
    "GuardRefused",
    "InsufficientFunds",
    "KeyLocked",
    "KeystoreDamaged",
    "LedgerMismatch",
    "MalformedAccount",
    "MalformedEvent",
    "NodeRefused",
    "NotFound",
    "NotRunning",
    "NotServed",
    "ProtocolDrift",
    "PumpSwapError",
    "RateLimited",
    "SourceBusy",
    "SourceDown",
    "SourceRefused",
    "StaleNode",
    "StorageError",
    "TimedOut",
    "TradeRefused",
    "UnreadableAnswer",
    "UsageError",
    "WrongNetwork",
    "WrongPassword",
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


class Conflict(UsageError):
    """What there is now does not allow it: two of what was meant, or one that has changed since it was looked at."""


class NotFound(PumpSwapError):
    """A named thing does not exist."""

    exit_code = 3


class ConfigError(PumpSwapError):
    """A setting is missing, of the wrong type, or out of range. ``problems``: each one, where there are several."""

    exit_code = 4

    def __init__(self, what: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(what, hint=hint)
        self.problems = problems or (what,)


class WrongNetwork(ConfigError):
    """The endpoint's genesis hash is not that of the configured network, or mainnet was not switched on."""


class TimedOut(PumpSwapError):
    """Waited long enough. Never used where something may still happen: that is the outcome ``Unknown``."""

    exit_code = 5


class NotRunning(PumpSwapError):
    """A process that is needed is not running."""

    exit_code = 6


class GuardRefused(PumpSwapError):
    """The guard does not let this transaction be signed."""

    exit_code = 7


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


class InsufficientFunds(PumpSwapError):
    """The wallet holds less than this needs."""

    exit_code = 10


class ChainError(PumpSwapError):
    """The network failed, or an endpoint did. ``what`` names the endpoint by host, never by its whole URL."""

    exit_code = 11


class EndpointDown(ChainError):
    """No connection, no answer in time, a broken answer, or a server error (5xx)."""


class RateLimited(ChainError):
    """The endpoint wants fewer requests."""

    def __init__(self, what: str, *, retry_after_seconds: float | None = None, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class StaleNode(ChainError):
    """The node has not reached the slot that was asked for as a minimum."""


class NotServed(ChainError):
    """The endpoint does not offer this method, or not to us."""


class NodeRefused(ChainError):
    """A JSON-RPC error. For a failed pre-flight ``data`` holds ``err``, ``logs`` and ``unitsConsumed``."""

    def __init__(self, what: str, *, code: int, data: object = None, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.code = code
        self.data = data


class DataSourceError(PumpSwapError):
    """A market-data service failed, or gave an answer that cannot be used. Trading does not depend on these."""

    exit_code = 11


class SourceDown(DataSourceError):
    """No connection, no answer in time, or a server error (5xx); asked as often as the settings say."""


class SourceBusy(DataSourceError):
    """The service wants fewer requests, and longer patience than a request should have."""

    def __init__(self, what: str, *, retry_after_seconds: float | None = None, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class SourceRefused(DataSourceError):
    """The service says that the request is wrong, or that what it asks for is not there (``status`` 404)."""

    def __init__(self, what: str, *, status: int, title: str = "", hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.status = status
        self.title = title


class UnreadableAnswer(DataSourceError):
    """No JSON, cut JSON, or JSON of another shape than this version knows."""


class ProtocolDrift(PumpSwapError):
    """The chain speaks a dialect that this version does not know: stop trading, upgrade."""

    exit_code = 12


class MalformedAccount(ProtocolDrift):
    """Account bytes that cannot be this account."""


class MalformedEvent(ProtocolDrift):
    """Event bytes with a known discriminator and a broken payload."""


class KeyLocked(PumpSwapError):
    """No unlocked key."""

    exit_code = 13


class WrongPassword(KeyLocked):
    """The password does not open the keystore."""


class KeystoreDamaged(KeyLocked):
    """The keystore file cannot be trusted: changed, cut, of an unknown version, or readable by others."""


class BadInput(PumpSwapError):
    """A file or a record that cannot be read as what it should be."""


class AmountOutOfRange(PumpSwapError):
    """An amount that does not fit where it must be held."""


class StorageError(PumpSwapError):
    """The database cannot be used as it is."""


class LedgerMismatch(PumpSwapError):
    """The sum of the ledger differs from the wallet."""
