"""Events of a transaction, and who really emitted them (PROTOCOL 5.1).

Every event appears twice: as a log line and as a call of the program to itself. Any program may print bytes that look
like an event, so a log line counts only for the program that runs when it is printed; nobody can fake the call, whose
one account signs for the program alone. Logs can also be cut. Prefer the calls.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Sequence
from enum import Enum

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM, PUMP_EVENT_AUTHORITY, PUMP_PROGRAM
from pumpswap.amm.codec import Record
from pumpswap.amm.events.decode import CPI_PREFIX, decode_event, event_type
from pumpswap.amm.events.event import Event
from pumpswap.errors import MalformedEvent, UsageError

__all__ = [
    "EmittedEvent",
    "EventSource",
    "Instruction",
    "TransactionEvents",
    "events_from_inner_instructions",
    "events_from_logs",
    "events_of_transaction",
]

Instruction = tuple[Pubkey, Sequence[Pubkey], bytes]  # program id, accounts, data

_PROGRAMS = {str(AMM_PROGRAM): AMM_PROGRAM, str(PUMP_PROGRAM): PUMP_PROGRAM}
_AUTHORITIES = {AMM_PROGRAM: AMM_EVENT_AUTHORITY, PUMP_PROGRAM: PUMP_EVENT_AUTHORITY}
_DATA = "Program data: "
_ID = "[1-9A-HJ-NP-Za-km-z]{32,44}"
_INVOKE = re.compile(rf"Program ({_ID}) invoke \[([1-9]\d?)\]")
_END = re.compile(rf"Program ({_ID}) (success\Z|failed: )")


class EventSource(Enum):
    """Where events were read."""

    LOGS = "logs"
    INNER_INSTRUCTIONS = "inner instructions"


class EmittedEvent(Record, frozen=True):
    """An event, the program that emitted it, and its place: number of the log line or of the instruction, from 0."""

    event: Event
    program: Pubkey
    position: int


class TransactionEvents(Record, frozen=True):
    """The events of one transaction, and what could not be read: a reader of a stream should count and show it.

    ``failed``: the transaction failed, so what it emitted never happened and ``events`` is empty. Only logs tell, and
    not always: whoever has the transaction's error must look at it first.
    ``truncated``: the logs were cut, events may be missing.
    ``malformed``: known events, or data lines of the two programs, whose bytes are broken.
    ``unknown``: events of the AMM that this version does not know.
    ``unattributed``: data lines, most of them after a cut, whose program nobody can tell.
    """

    events: tuple[EmittedEvent, ...]
    source: EventSource
    failed: bool = False
    truncated: bool = False
    malformed: int = 0
    unknown: int = 0
    unattributed: int = 0


def events_from_logs(lines: Iterable[str]) -> TransactionEvents:
    """Events that the AMM emitted, and migrations that the Pump program emitted, according to log lines.

    Pass the lines as the node sent them: splitting a joined text would let a program forge lines with a line break.
    """
    found = _Findings()
    stack = _CallStack()
    failed = truncated = False
    unattributed = 0
    for number, line in enumerate(lines):
        if line.startswith(_DATA):
            # A cut drops long lines and keeps later short ones: the stack is no longer known behind it.
            running = None if truncated else stack.running
            if running is None:
                unattributed += 1
            elif running in _PROGRAMS:
                found.add_line(_PROGRAMS[running], number, line[len(_DATA) :])
        elif line == "Log truncated":
            truncated = True
        elif line.startswith("Program "):
            stack.follow(line)
            failed = failed or _is_failure(line)
    return TransactionEvents(
        () if failed else tuple(found.events),
        EventSource.LOGS,
        failed=failed,
        truncated=truncated,
        malformed=found.malformed,
        unknown=found.unknown,
        unattributed=unattributed,
    )


def events_from_inner_instructions(instructions: Iterable[Instruction]) -> TransactionEvents:
    """Events among instructions (in order of execution; others may stand between them).

    Counts calls of the AMM to itself with exactly its event authority as account, and likewise the Pump program's
    migrations; anything else is no event, whatever its bytes look like.
    """
    found = _Findings()
    for number, (program, accounts, data) in enumerate(instructions):
        authority = _AUTHORITIES.get(program)
        if authority is not None and data[:8] == CPI_PREFIX and len(accounts) == 1 and accounts[0] == authority:
            found.add(program, number, data)
    return TransactionEvents(
        tuple(found.events), EventSource.INNER_INSTRUCTIONS, malformed=found.malformed, unknown=found.unknown
    )


def events_of_transaction(
    logs: Iterable[str] | None, inner_instructions: Iterable[Instruction] | None
) -> TransactionEvents:
    """Events of a transaction, each once: from the inner instructions when they are given, else from the logs.

    Beside instructions, logs only tell whether the transaction failed. None means "not recorded", an empty list means
    "there were none". Raises UsageError when both are None.
    """
    if inner_instructions is None:
        if logs is None:
            hint = "ask the node for logs, or for inner instructions with maxSupportedTransactionVersion 0"
            raise UsageError("neither logs nor inner instructions of this transaction are given", hint=hint)
        return events_from_logs(logs)
    found = events_from_inner_instructions(inner_instructions)
    if any(_is_failure(line) for line in logs or ()):
        return msgspec.structs.replace(found, events=(), failed=True)
    return found


def _is_failure(line: str) -> bool:
    # No program survives the failure of one that it called, so any failure is the transaction's.
    end = _END.match(line)
    return end is not None and end[2] != "success"


class _CallStack:
    """Which program runs, from the runtime's own log lines (programs cannot print lines of these forms)."""

    def __init__(self) -> None:
        self._programs: list[str | None] = []  # None: running, but its line is missing

    @property
    def running(self) -> str | None:
        return self._programs[-1] if self._programs else None

    def follow(self, line: str) -> None:
        invoke = _INVOKE.fullmatch(line)
        if invoke:
            callers = int(invoke[2]) - 1
            del self._programs[callers:]
            self._programs += [None] * (callers - len(self._programs))
            self._programs.append(invoke[1])
            return
        end = _END.match(line)
        if end and end[1] in self._programs:
            while self._programs.pop() != end[1]:
                pass  # an end whose line is missing


class _Findings:
    """Events so far, in order, and what could not be read."""

    def __init__(self) -> None:
        self.events: list[EmittedEvent] = []
        self.malformed = 0
        self.unknown = 0

    def add_line(self, program: Pubkey, position: int, text: str) -> None:
        try:
            data = binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            self.malformed += 1
            return
        self.add(program, position, data)

    def add(self, program: Pubkey, position: int, data: bytes) -> None:
        kind = event_type(data)
        if kind is None or program != kind.PROGRAM:
            # The Pump program has events of its own, even of the same names; of the AMM we want to know all.
            self.unknown += program == AMM_PROGRAM
            return
        try:
            event = decode_event(data)
        except MalformedEvent:
            self.malformed += 1
            return
        if event is not None:
            self.events.append(EmittedEvent(event, program, position))
