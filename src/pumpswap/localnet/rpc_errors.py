"""Refusals of a node, with the codes and words that real clients parse (LOCAL_CHAIN section 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pumpswap.errors import NodeRefused

__all__ = [
    "INTERNAL_ERROR",
    "INVALID_REQUEST",
    "PARSE_ERROR",
    "behind",
    "invalid_params",
    "invalid_request",
    "preflight_failed",
    "signature_failed",
    "unknown_method",
    "version_not_announced",
]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
_PREFLIGHT_FAILED = -32002
_SIGNATURE_FAILED = -32003
_VERSION_NOT_ANNOUNCED = -32015
_CONTEXT_SLOT_NOT_REACHED = -32016

# Texts that are not just the variant's name in words.
_TRANSACTION_TEXTS = {
    "AccountInUse": "Account in use",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "AlreadyProcessed": "This transaction has already been processed",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "SignatureFailure": "Transaction did not pass signature verification",
}
_INSTRUCTION_TEXTS = {
    "ComputationalBudgetExceeded": "Computational budget exceeded",
    "InsufficientFunds": "insufficient funds for instruction",
    "InvalidAccountData": "invalid account data for instruction",
    "InvalidInstructionData": "invalid instruction data",
    "MissingRequiredSignature": "missing required signature for instruction",
    "ProgramFailedToComplete": "Program failed to complete",
}


def invalid_params(what: str) -> NodeRefused:
    """A parameter that is missing or wrong."""
    return NodeRefused(what, code=INVALID_PARAMS)


def invalid_request(what: str) -> NodeRefused:
    """A request that cannot be served as it is."""
    return NodeRefused(what, code=INVALID_REQUEST)


def unknown_method() -> NodeRefused:
    """No such method, or one that is not enabled."""
    return NodeRefused("Method not found", code=METHOD_NOT_FOUND)


def signature_failed() -> NodeRefused:
    """A signature that does not belong to the message."""
    return NodeRefused("Transaction signature verification failure", code=_SIGNATURE_FAILED)


def behind(slot: int) -> NodeRefused:
    """The node has only reached ``slot``."""
    what = "Minimum context slot has not been reached"
    return NodeRefused(what, code=_CONTEXT_SLOT_NOT_REACHED, data={"contextSlot": slot})


def version_not_announced(version: int) -> NodeRefused:
    """The caller did not say that it reads this version of transactions."""
    what = (
        f"Transaction version ({version}) is not supported by the requesting client. Please try the request again with "
        f'the following configuration parameter: "maxSupportedTransactionVersion": {version}'
    )
    return NodeRefused(what, code=_VERSION_NOT_ANNOUNCED)


def preflight_failed(data: Mapping[str, object]) -> NodeRefused:
    """The simulation before sending failed; ``data`` is its result."""
    what = f"Transaction simulation failed: {transaction_error_text(data['err'])}"
    return NodeRefused(what, code=_PREFLIGHT_FAILED, data=data)


def transaction_error_text(err: object) -> str:
    """A transaction error of the JSON form in the words of a node."""
    if isinstance(err, str):
        return _TRANSACTION_TEXTS.get(err) or _words(err)
    if isinstance(err, Mapping) and len(err) == 1:
        ((name, detail),) = err.items()
        if name == "InstructionError" and isinstance(detail, (list, tuple)) and len(detail) == 2:
            return f"Error processing Instruction {detail[0]}: {_instruction_text(detail[1])}"
        return _words(str(name))
    return str(err)


def _instruction_text(err: object) -> str:
    if isinstance(err, Mapping) and isinstance(code := err.get("Custom"), int):
        return f"custom program error: {code:#x}"
    return _INSTRUCTION_TEXTS.get(str(err)) or _words(str(err))


def _words(name: str) -> str:
    """``BlockhashNotFound`` as ``Blockhash not found``."""
    words = re.findall(r"[A-Z][a-z]*|[0-9]+|[a-z]+", name)
    return " ".join(words).capitalize() if words else name
