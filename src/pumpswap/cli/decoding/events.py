"""Events, in whatever wrapping they come: a transaction, its log lines, or the bytes of single events."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import decode_event, failure_from_logs
from pumpswap.amm.events.decode import event_type
from pumpswap.amm.events.event import Event
from pumpswap.amm.events.logs import Instruction, TransactionEvents, events_from_logs, events_of_transaction
from pumpswap.amm.program_errors import ProgramFailure
from pumpswap.chain.base58 import from_base58
from pumpswap.errors import BadInput, MalformedEvent, ProtocolDrift

__all__ = ["FoundEvent", "Findings", "events_of_bytes", "events_of_content"]

_DATA = "Program data: "
_LOG = re.compile(r"^Program \w{32,44} (invoke \[\d+\]|success|failed: )", re.MULTILINE)
_SHORTEST = 8  # a discriminator


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event and its place: a line (from 1), a log line or an instruction (from 0). ``program`` is None where only
    the bytes are known: they do not say who emitted them.
    """

    event: Event
    program: Pubkey | None
    position: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, and what could not be read. ``problems`` say so in words."""

    source: str
    events: tuple[FoundEvent, ...]
    failed: bool = False
    failure: ProgramFailure | None = None
    truncated: bool = False
    malformed: int = 0
    unknown: int = 0
    unattributed: int = 0
    problems: tuple[str, ...] = ()

    @property
    def is_drift(self) -> bool:
        """Whether something of the program could not be understood."""
        return bool(self.malformed or self.unknown)


def events_of_content(content: bytes) -> Findings:
    """Events in a file: a transaction or a list of log lines as JSON, log lines, or one event per line as base64 or
    hex. Raises BadInput when it is none of these.
    """
    if event_type(content) is not None:
        return events_of_bytes(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return events_of_bytes(content)
    if text.lstrip()[:1] in ("{", "["):
        return _of_json(text)
    if _LOG.search(text):
        return _of_logs([line.strip() for line in text.splitlines()])
    return _of_lines(text.splitlines())


def events_of_bytes(data: bytes) -> Findings:
    """The one event in ``data``. Raises ProtocolDrift when it is not known, MalformedEvent when it is broken."""
    return Findings("bytes", (FoundEvent(_known_event(data), None, 1),))


def _known_event(data: bytes) -> Event:
    if len(data) < _SHORTEST:
        raise BadInput(f"{len(data)} bytes are too few for an event", hint="was it cut? An event has 8 bytes at least")
    event = decode_event(data)
    if event is None:
        hint = "an event of another program, or of a newer one: if it is PumpSwap's, stop trading and upgrade"
        raise ProtocolDrift(f"no event known here starts with {data[:8].hex()}", hint=hint)
    return event


def _of_lines(lines: list[str]) -> Findings:
    """Single events, one a line. The first broken line of a single-line input is an error of its own."""
    written = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not written:
        raise BadInput("there is nothing to decode", hint="one event per line, as base64 or hex, or a transaction")
    events: list[FoundEvent] = []
    problems: list[str] = []
    malformed = unknown = 0
    for number, line in written:
        try:
            events.append(FoundEvent(_known_event(_of_text(line.removeprefix(_DATA), number)), None, number))
        except ProtocolDrift as drift:
            if len(written) == 1:
                raise
            malformed += isinstance(drift, MalformedEvent)
            unknown += not isinstance(drift, MalformedEvent)
            problems.append(f"line {number}: {drift.what}")
    return Findings("lines", tuple(events), malformed=malformed, unknown=unknown, problems=tuple(problems))


def _of_text(text: str, number: int) -> bytes:
    """Bytes of hex or base64; what makes a known event wins, since hex digits are valid base64 too."""
    packed = text.strip().removeprefix("0x")
    readings = []
    for read in (binascii.unhexlify, lambda text: binascii.a2b_base64(text, strict_mode=True)):
        try:
            readings.append(read(packed))
        except ValueError:
            continue
    if not readings:
        raise BadInput(
            f"line {number} is neither base64 nor hex", hint="one event per line, log lines, or a transaction"
        )
    return next((data for data in readings if event_type(data) is not None), readings[0])


def _of_json(text: str) -> Findings:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"this is no JSON: {error}", hint="was it cut?") from None
    if isinstance(document, list):
        return _of_logs(_texts(document, "the list"))
    # {"result": …} is the node's answer, {"result": {"value": {"logs": …}}} a notification or a simulation.
    for name in ("params", "result", "value"):
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            document = document[name]
    if isinstance(document, dict) and isinstance(document.get("logs"), list):
        return _of_logs(_texts(document["logs"], "logs"), failed=document.get("err") is not None)
    meta = document.get("meta") if isinstance(document, dict) else None
    if not isinstance(meta, dict):
        hint = "the answer of getTransaction, an object with logs, or a list of log lines"
        raise BadInput("this JSON is no transaction", hint=hint)
    logs = _texts(meta["logMessages"], "logMessages") if meta.get("logMessages") is not None else None
    inner = meta.get("innerInstructions")
    try:
        instructions = None if inner is None else list(_instructions(inner, _account_keys(document, meta)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        hint = "ask the node with encoding json or jsonParsed and maxSupportedTransactionVersion 0"
        raise BadInput(f"the inner instructions cannot be read: {error!r}", hint=hint) from None
    found = events_of_transaction(logs, instructions)
    return _findings(found, logs or [], failed=meta.get("err") is not None)


def _account_keys(transaction: dict[str, Any], meta: dict[str, Any]) -> list[Pubkey]:
    listed = transaction["transaction"]["message"]["accountKeys"]
    keys = [each["pubkey"] if isinstance(each, dict) else each for each in listed]
    if listed and isinstance(listed[0], str):
        loaded = meta.get("loadedAddresses") or {}
        keys += [*loaded.get("writable", []), *loaded.get("readonly", [])]
    return [Pubkey.from_string(key) for key in keys]


def _instructions(inner: list[dict[str, Any]], keys: list[Pubkey]) -> Iterator[Instruction]:
    for outer in sorted(inner, key=lambda each: int(each["index"])):
        for each in outer["instructions"]:
            if "data" not in each:
                continue  # parsed by the node, so of a program that it knows: not one of ours
            data = from_base58(each["data"])
            if "programId" in each:
                accounts = [Pubkey.from_string(key) for key in each["accounts"]]
                yield Pubkey.from_string(each["programId"]), accounts, data
            else:
                yield keys[each["programIdIndex"]], [keys[at] for at in each["accounts"]], data


def _texts(values: Any, name: str) -> list[str]:
    if isinstance(values, list) and all(isinstance(each, str) for each in values):
        return values
    raise BadInput(f"{name} is not a list of log lines", hint="log lines are texts, in quotes")


def _of_logs(lines: list[str], *, failed: bool = False) -> Findings:
    return _findings(events_from_logs(lines), lines, failed=failed)


def _findings(found: TransactionEvents, logs: Iterable[str], *, failed: bool) -> Findings:
    failed = failed or found.failed
    counted = (
        (found.malformed, "broken events"),
        (found.unknown, "events that this version does not know"),
        (found.unattributed, "data lines whose program nobody can tell"),
    )
    problems = [f"{count} {what}" for count, what in counted if count]
    if found.truncated:
        problems.append("the node cut the logs: events may be missing")
    return Findings(
        found.source.value,
        () if failed else tuple(FoundEvent(each.event, each.program, each.position) for each in found.events),
        failed=failed,
        failure=failure_from_logs(logs),
        truncated=found.truncated,
        malformed=found.malformed,
        unknown=found.unknown,
        unattributed=found.unattributed,
        problems=tuple(problems),
    )
