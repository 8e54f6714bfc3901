"""What to do about a transaction that failed: build it anew, send the same bytes again, or stop.

The wrong answer costs money. A transaction that failed on the price fails again when it is sent again, and one that was
not delivered must not be built anew while the first may still land. Codes belong to programs (PROTOCOL 6): the log says
whose code it is. What is not known here stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from solders.pubkey import Pubkey

from pumpswap.amm import explain, failure_from_logs
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    FEES_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)
from pumpswap.errors import (
    ChainError,
    NodeRefused,
    PumpSwapError,
    UsageError,
)

__all__ = ["Advice", "Failure", "classify", "classify_error"]


class Advice(Enum):
    """What a failure asks for."""

    REBUILD = "rebuild"  # read the chain again and build another transaction, once this one cannot land any more
    REBROADCAST = "rebroadcast"  # the same bytes may still land: send them again
    STOP = "stop"  # the same again fails again


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure in the program's own words and in plain ones. ``program`` and ``code`` are None where there is none."""

    program: Pubkey | None
    code: int | None
    name: str
    text: str
    advice: Advice

    @property
    def amm_code(self) -> int | None:
        """The AMM's code; None when another program or the runtime failed (numbers repeat between programs)."""
        return self.code if self.program == AMM_PROGRAM else None

    @property
    def is_lack_of_funds(self) -> bool:
        """Whether the wallet could not pay."""
        return (self.program, self.code) in _FUNDS_CODES or (self.program is None and self.name in _FUNDS_NAMES)


_FUNDS_CODES = frozenset({(SYSTEM_PROGRAM, 1), (TOKEN_PROGRAM, 1), (TOKEN_2022_PROGRAM, 1)})
_FUNDS_NAMES = frozenset(
    {"InsufficientFundsForFee", "InsufficientFundsForRent", "InsufficientFunds", "AccountNotFound"}
)
_ANCHOR_PROGRAMS = frozenset({AMM_PROGRAM, PUMP_PROGRAM, FEES_PROGRAM})
# Prices that moved, recipients and layouts that changed, accounts that were built from something old.
_REBUILD_AMM = frozenset(
    {6004, 6040, 6016, 6025}  # price and reserves
    | {6013, 6053, 6058, 6059, 6060, 6061, 6062, 6044}  # recipients and tails
    | {6008, 6009, 6010, 6014, 6015}  # accounts of another state of the pool
    | {6045, 6046, 6047, 6048}  # the creator's sharing configuration
    | {6079, 6080}  # the other generation of instructions knows this coin
)
# 101: the program does not know this generation. 3012: an account is missing and must be created in the same breath.
_REBUILD_ANCHOR = frozenset({101, 2003, 2004, 2006, 2009, 2012, 2014, 2015, 2023, 3005, 3007, 3012})
_REBUILD_NAMES = frozenset(
    {
        "MaxLoadedAccountsDataSizeExceeded",
        "InvalidLoadedAccountsDataSizeLimit",
        "ComputationalBudgetExceeded",
        "ProgramFailedToComplete",
    }
)
_REBROADCAST_NAMES = frozenset(
    {
        "AccountInUse",
        "AlreadyProcessed",
        "BlockhashNotFound",
        "ClusterMaintenance",
        "CommitCancelled",
        "ResanitizationNeeded",
        "WouldExceedAccountDataBlockLimit",
        "WouldExceedAccountDataTotalLimit",
        "WouldExceedMaxAccountCostLimit",
        "WouldExceedMaxBlockCostLimit",
        "WouldExceedMaxVoteCostLimit",
    }
)
_NAMED: Mapping[str, str] = {
    "AccountNotFound": "the wallet has no SOL at all: fund it",
    "AlreadyProcessed": "this transaction is in a block already: find out how it ended",
    "BlockhashNotFound": "the node does not know the block-hash (yet), or it has expired: its own expiry decides",
    "ComputationalBudgetExceeded": "the compute limit was too low: simulate again and leave more margin",
    "InsufficientFundsForFee": "the wallet cannot pay the fee: fund it",
    "InsufficientFundsForRent": "an account would be left with too little SOL for its rent: fund the wallet",
    "MaxLoadedAccountsDataSizeExceeded": "the limit for loaded account data was too low: raise it or leave it out",
    "ProgramFailedToComplete": "the program was cut off, mostly for want of compute units: leave more margin",
}


def classify(err: object, logs: Iterable[str] = ()) -> Failure:
    """A failed transaction or simulation. ``err`` is the node's JSON. Raises UsageError for one that did not fail."""
    if err is None:
        raise UsageError("this transaction did not fail", hint="look at err first")
    name, code = _named(err)
    found = failure_from_logs(logs)
    if found is not None and found.error is not None:
        error = found.error
        advice = _advice_for(found.program, error.code)
        return Failure(found.program, error.code, error.name, error.hint, advice)
    program = found.program if found is not None else None
    if code is not None:
        # The same number means different things in different programs.
        text = explain(program, code).hint if program is not None else f"code {code}; the log does not say whose it is"
        return Failure(program, code, name, text, Advice.STOP)
    text = _NAMED.get(name) or (found.text if found is not None else f"the network refused it: {name}")
    return Failure(program, None, name, text, _advice_for_name(name))


def classify_error(error: PumpSwapError) -> Failure:
    """An error of asking an endpoint. A send that failed may have arrived: nothing is ever rebuilt because of it.

    A refused pre-flight holds the program's failure in ``data``; it is classified as that.
    """
    if isinstance(error, NodeRefused) and isinstance(error.data, Mapping) and error.data.get("err") is not None:
        logs = error.data.get("logs")
        return classify(error.data["err"], [str(line) for line in logs] if isinstance(logs, list) else ())
    if isinstance(error, ChainError) and not isinstance(error, NodeRefused):
        return Failure(None, None, type(error).__name__, error.what, Advice.REBROADCAST)
    code = error.code if isinstance(error, NodeRefused) else None
    return Failure(None, code, type(error).__name__, error.what, Advice.STOP)


def _named(err: object) -> tuple[str, int | None]:
    """Name and custom code of Solana's JSON: ``"Name"``, ``{"Name": …}``, ``{"InstructionError": [at, "Name"]}``."""
    if isinstance(err, str):
        return err, None
    if not isinstance(err, Mapping) or len(err) != 1:
        return "Unknown", None
    ((name, detail),) = err.items()
    if name != "InstructionError":
        return str(name), None
    inner = detail[1] if isinstance(detail, list | tuple) and len(detail) == 2 else None
    if isinstance(inner, Mapping) and isinstance(inner.get("Custom"), int):
        return "Custom", inner["Custom"]
    if isinstance(inner, Mapping) and len(inner) == 1:
        return str(next(iter(inner))), None
    return (inner, None) if isinstance(inner, str) else ("Unknown", None)


def _advice_for(program: Pubkey, code: int) -> Advice:
    if program == AMM_PROGRAM and code in _REBUILD_AMM:
        return Advice.REBUILD
    return Advice.REBUILD if program in _ANCHOR_PROGRAMS and code in _REBUILD_ANCHOR else Advice.STOP


def _advice_for_name(name: str) -> Advice:
    if name in _REBUILD_NAMES:
        return Advice.REBUILD
    return Advice.REBROADCAST if name in _REBROADCAST_NAMES else Advice.STOP
