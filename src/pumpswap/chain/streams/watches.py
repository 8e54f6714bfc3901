"""Watch: one subscription: what is asked for, and how its notifications become records.

Frames are read with msgspec's typed decoders: they are several times faster than a client library's own types, and
every notification of the chain passes here.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount, Commitment, ProgramFilter
from pumpswap.chain.streams.records import AccountChanged, LogsSeen, SignatureSeen, SlotSeen

__all__ = ["AccountWatch", "LogsWatch", "ProgramWatch", "SignatureWatch", "SlotWatch", "Watch", "read_notification"]


class AccountWatch(msgspec.Struct, frozen=True):
    """Changes of one account."""

    address: Pubkey


class ProgramWatch(msgspec.Struct, frozen=True):
    """Changes of a program's accounts that pass the filters."""

    program: Pubkey
    filters: tuple[ProgramFilter, ...] = ()


class LogsWatch(msgspec.Struct, frozen=True):
    """Logs of all transactions that mention an address; nodes take one address per subscription."""

    mentions: Pubkey


class SignatureWatch(msgspec.Struct, frozen=True):
    """One transaction, once: the node ends this subscription after it has told."""

    signature: str


class SlotWatch(msgspec.Struct, frozen=True):
    """Every slot the node works on."""


Watch = AccountWatch | ProgramWatch | LogsWatch | SignatureWatch | SlotWatch


def kind_of(watch: Watch) -> str:
    """The name of its methods: ``account`` of ``accountSubscribe``."""
    return _KINDS[type(watch)]


def subscribe_request(watch: Watch, number: int, commitment: Commitment) -> bytes:
    """The JSON-RPC request that starts it."""
    level: dict[str, object] = {"commitment": commitment.value}
    params: list[object]
    match watch:
        case AccountWatch(address=address):
            params = [str(address), {**level, "encoding": "base64"}]
        case ProgramWatch(program=program, filters=filters):
            chosen = [_memcmp(one) for one in filters]
            params = [str(program), {**level, "encoding": "base64", "filters": chosen}]
        case LogsWatch(mentions=mentions):
            params = [{"mentions": [str(mentions)]}, level]
        case SignatureWatch(signature=signature):
            params = [signature, level]
        case SlotWatch():
            params = []
    return request(f"{kind_of(watch)}Subscribe", params, number)


def unsubscribe_request(watch: Watch, subscription: int, number: int) -> bytes:
    """The JSON-RPC request that ends it."""
    return request(f"{kind_of(watch)}Unsubscribe", [subscription], number)


def request(method: str, params: list[object], number: int) -> bytes:
    """A JSON-RPC request."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def read_notification(watch: Watch, result: msgspec.Raw) -> AccountChanged | LogsSeen | SignatureSeen | SlotSeen | None:
    """The record of a notification; None for one that only says that a node has received a transaction.

    Raises msgspec.DecodeError or ValueError for anything that is no such notification.
    """
    match watch:
        case LogsWatch():
            logs = _LOGS.decode(result)
            value = logs.value
            return LogsSeen(logs.context.slot, value.signature, value.err, value.logs or ())
        case AccountWatch(address=address):
            told = _ACCOUNT.decode(result)
            return AccountChanged(told.context.slot, _account(address, told.value))
        case ProgramWatch():
            keyed = _PROGRAM.decode(result)
            return AccountChanged(
                keyed.context.slot, _account(Pubkey.from_string(keyed.value.pubkey), keyed.value.account)
            )
        case SlotWatch():
            return _SLOT.decode(result)
        case SignatureWatch(signature=signature):
            status = _SIGNATURE.decode(result)
            if isinstance(status.value, str):
                return None
            return SignatureSeen(status.context.slot, signature, status.value.get("err"))


_KINDS: Mapping[type[Any], str] = {
    AccountWatch: "account",
    ProgramWatch: "program",
    LogsWatch: "logs",
    SignatureWatch: "signature",
    SlotWatch: "slot",
}


def _memcmp(one: ProgramFilter) -> dict[str, object]:
    text = binascii.b2a_base64(one.data, newline=False).decode()
    return {"memcmp": {"offset": one.offset, "bytes": text, "encoding": "base64"}}


class _Context(msgspec.Struct):
    slot: int


class _LogsValue(msgspec.Struct):
    signature: str
    err: object | None = None
    logs: tuple[str, ...] | None = None


class _Logs(msgspec.Struct):
    context: _Context
    value: _LogsValue


class _AccountValue(msgspec.Struct):
    data: tuple[str, str]
    owner: str
    lamports: int
    executable: bool = False


class _Account(msgspec.Struct):
    context: _Context
    value: _AccountValue


class _KeyedValue(msgspec.Struct):
    pubkey: str
    account: _AccountValue


class _Program(msgspec.Struct):
    context: _Context
    value: _KeyedValue


class _Signature(msgspec.Struct):
    context: _Context
    value: dict[str, object] | str


class _PlainSlot(msgspec.Struct):
    slot: int
    parent: int
    root: int


class _SlotDecoder:
    """Slot notifications carry no tag, unlike our record of them."""

    def __init__(self) -> None:
        self._plain = msgspec.json.Decoder(_PlainSlot)

    def decode(self, result: msgspec.Raw) -> SlotSeen:
        told = self._plain.decode(result)
        return SlotSeen(told.slot, told.parent, told.root)


_LOGS = msgspec.json.Decoder(_Logs)
_ACCOUNT = msgspec.json.Decoder(_Account)
_PROGRAM = msgspec.json.Decoder(_Program)
_SIGNATURE = msgspec.json.Decoder(_Signature)
_SLOT = _SlotDecoder()


def _account(address: Pubkey, value: _AccountValue) -> ChainAccount:
    text, encoding = value.data
    if encoding != "base64":
        raise ValueError(f"account data in {encoding[:20]!r} where base64 was asked for")
    data = binascii.a2b_base64(text, strict_mode=True) if text else b""
    return ChainAccount(address, Pubkey.from_string(value.owner), value.lamports, data, value.executable)
