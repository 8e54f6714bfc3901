"""Error codes of the programs in a PumpSwap transaction, each with what a trader should do (PROTOCOL section 6).

The same number means different things in different programs (6063 is a solvency error here and an unsupported quote
mint on the curve), so a code is only ever explained together with the program that failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    FEES_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)
from pumpswap.errors import TradeRefused

__all__ = ["ProgramError", "ProgramFailure", "explain", "failure_from_logs", "refusal"]


class ProgramError(NamedTuple):
    """A program's error: its number, its own name, and plain words."""

    code: int
    name: str
    hint: str


class ProgramFailure(NamedTuple):
    """What failed in a transaction: the program and its error (``error`` is None for failures without a code)."""

    program: Pubkey
    error: ProgramError | None
    text: str


_FAMILIES = {
    AMM_PROGRAM: ("amm", "anchor"),
    PUMP_PROGRAM: ("pump", "anchor"),
    FEES_PROGRAM: ("fees", "anchor"),
    TOKEN_PROGRAM: ("token",),
    TOKEN_2022_PROGRAM: ("token",),
    SYSTEM_PROGRAM: ("system",),
    ASSOCIATED_TOKEN_PROGRAM: ("associated_token",),
}
_FAILED = re.compile(r"^Program (\w{32,44}) failed: (.*)$")
_CUSTOM = re.compile(r"custom program error: 0x([0-9a-fA-F]{1,8})\b")


@cache
def _tables() -> dict[str, dict[int, ProgramError]]:
    raw = (resources.files("pumpswap.amm") / "data" / "program_errors.json").read_bytes()
    tables: dict[str, dict[str, tuple[str, str]]] = msgspec.json.decode(raw)
    return {
        family: {int(code): ProgramError(int(code), name, hint) for code, (name, hint) in table.items()}
        for family, table in tables.items()
    }


def explain(program: Pubkey, code: int) -> ProgramError:
    """The error ``code`` of ``program``. A code that is not known here is named so, never guessed."""
    for family in _FAMILIES.get(program, ()):
        found = _tables()[family].get(code)
        if found:
            return found
    return ProgramError(code, "Unknown", f"code {code} of program {program} is not known to this version")


def refusal(code: int, what: str) -> TradeRefused:
    """The AMM's own error ``code`` as an exception, for what we refuse before the program has to."""
    error = explain(AMM_PROGRAM, code)
    return TradeRefused(what, code=code, name=error.name, hint=error.hint)


def failure_from_logs(logs: Iterable[str]) -> ProgramFailure | None:
    """The first program that failed according to a transaction's log lines, or None when none did.

    The innermost program fails first, and its callers repeat its code under their own id: only the first line tells
    whose code it is.
    """
    for line in logs:
        match = _FAILED.match(line)
        if match:
            try:
                program = Pubkey.from_string(match[1])
            except ValueError:
                continue  # no address, so not a line of the runtime
            text = match[2]
            custom = _CUSTOM.search(text)
            return ProgramFailure(program, explain(program, int(custom[1], 16)) if custom else None, text)
    return None
