"""Instructions of a message, numbered and resolved, for the guard."""

from __future__ import annotations

from typing import NamedTuple

from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)
from pumpswap.errors import GuardRefused

__all__ = ["Step", "is_front_marker", "refused", "steps_of", "writable_count"]

_NAMES = {
    AMM_PROGRAM: "PumpSwap AMM",
    ASSOCIATED_TOKEN_PROGRAM: "Associated Token",
    COMPUTE_BUDGET_PROGRAM: "Compute Budget",
    SYSTEM_PROGRAM: "System",
    TOKEN_PROGRAM: "Token",
    TOKEN_2022_PROGRAM: "Token-2022",
}
_REPORT = "if pumpswap built this transaction, keep it and report it as a bug"


def refused(reason: str, next_step: str = _REPORT) -> GuardRefused:
    """The refusal of a whole transaction."""
    return GuardRefused(f"not signed: {reason}", hint=f"nothing was signed; {next_step}")


class Step(NamedTuple):
    """One instruction: ``number`` of ``total``, counted from 1."""

    number: int
    total: int
    program: Pubkey
    data: bytes
    accounts: tuple[Pubkey, ...]

    def refusal(self, reason: str) -> GuardRefused:
        """The refusal of this instruction."""
        program = _NAMES.get(self.program, str(self.program))
        return refused(f"instruction {self.number} of {self.total} ({program}) {reason}")

    def must_equal(self, expected: Instruction, reason: str) -> Instruction:
        """``expected`` when this is it, account for account and byte for byte. Raises GuardRefused."""
        accounts = tuple(meta.pubkey for meta in expected.accounts)
        if (self.program, self.data, self.accounts) != (expected.program_id, bytes(expected.data), accounts):
            raise self.refusal(reason)
        return expected


def is_front_marker(key: Pubkey) -> bool:
    """Whether an account is a ``jitodontfront`` marker: it asks block engines not to put anything in front."""
    return str(key).startswith("jitodontfront")


def writable_count(message: MessageV0) -> int:
    """How many accounts, from the first, a message of one signature asks to write to. The network takes some of these
    rights away again (from programs and sysvars); the guard does not count on that.
    """
    return len(message.account_keys) - message.header.num_readonly_unsigned_accounts


def steps_of(message: MessageV0) -> list[Step]:
    """All instructions. A read-only marker at the end of an account list is left out; it gives no rights to anybody.

    Raises GuardRefused for a message whose account numbers lead nowhere, or which lists what nothing uses.
    """
    keys = message.account_keys
    if len(set(keys)) != len(keys):
        raise refused("it lists an account twice")
    instructions = message.instructions
    used: set[int] = {0}
    steps: list[Step] = []
    for number, compiled in enumerate(instructions, 1):
        numbers = [compiled.program_id_index, *bytes(compiled.accounts)]
        if max(numbers) >= len(keys):
            raise refused(
                f"instruction {number} of {len(instructions)} names an account that the message does not list"
            )
        used.update(numbers)
        accounts = [keys[each] for each in numbers[1:]]
        step = Step(number, len(instructions), keys[numbers[0]], bytes(compiled.data), tuple(accounts))
        if accounts and is_front_marker(accounts[-1]):
            if numbers[-1] < writable_count(message):
                raise step.refusal("makes the jitodontfront marker writable")
            step = step._replace(accounts=step.accounts[:-1])
        steps.append(step)
    for number, key in enumerate(keys):
        if number not in used:
            raise refused(f"it lists account {key}, which no instruction uses")
    return steps
