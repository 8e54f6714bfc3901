"""Account and event bytes: random payloads of the SDK's own layouts, decoded by both sides."""

from __future__ import annotations

import base64
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import (
    FeeConfig,
    GlobalConfig,
    GlobalVolumeAccumulator,
    Pool,
    UserVolumeAccumulator,
    decode_event,
)
from pumpswap.amm.codec import field_names
from tests.conformance.cases import Cases
from tests.conformance.node import Oracle
from tests.conformance.report import Tally

__all__ = ["compare_accounts", "compare_events", "plain", "texts"]

CPI_PREFIX = bytes.fromhex("e445a52e51cb9a1d")
SIZES = {"u8": 1, "u16": 2, "u64": 8, "i64": 8, "u128": 16, "i128": 16}
DECODERS: dict[str, Any] = {
    "Pool": Pool,
    "GlobalConfig": GlobalConfig,
    "UserVolumeAccumulator": UserVolumeAccumulator,
    "GlobalVolumeAccumulator": GlobalVolumeAccumulator,
}
# Lengths an account has had; the SDK pads these two, and reads the others at full length only.
HISTORIC_LENGTHS = {
    "Pool": (211, 243, 244, 245, 261, 270, 271, 287, 300, 301, 333),
    "GlobalConfig": (313, 353, 643, 907, 940, 949, 1000),
}
FEE_CONFIG_LENGTHS = (2512, 4000, 4073, 4096, 4097, 5000)


def plain(value: Any) -> Any:
    """One of our records, keys or numbers as the oracle writes them: every number is a text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, Pubkey)):
        return str(int(value)) if isinstance(value, int) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "__struct_fields__") or hasattr(value, "FIELDS"):
        return {name: plain(getattr(value, name)) for name in field_names(value)}
    return value


def texts(value: Any) -> Any:
    """The oracle's answer with small numbers as texts too."""
    if isinstance(value, dict):
        return {name: texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [texts(one) for one in value]
    return str(value) if type(value) is int else value


class Payloads:
    """Random values of IDL types."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def of(self, kind: Any) -> bytes:
        """Bytes of one field."""
        rng = self._cases.random
        if kind == "bool":
            return bytes([rng.randrange(2)])
        if kind == "pubkey":
            return bytes(32) if self._cases.chance(0.1) else rng.randbytes(32)
        if kind == "string":
            text = rng.choice(["", "buy", "buy_exact_quote_in", "buy_v2", "größer", "x" * rng.randrange(60)]).encode()
            return len(text).to_bytes(4, "little") + text
        if isinstance(kind, dict):
            inner, count = kind["array"]
            return b"".join(self.of(inner) for _ in range(count))
        size = SIZES[kind]
        return bytes(size) if self._cases.chance(0.1) else rng.randbytes(size)

    def record(self, fields: list[list[Any]]) -> bytes:
        """Bytes of a whole record."""
        return b"".join(self.of(kind) for _, kind in fields)

    def fee_config(self) -> bytes:
        """A FeeConfig account with random tiers, garbage behind its last field where the length hides it."""
        rng = self._cases.random
        length = rng.choice(FEE_CONFIG_LENGTHS)
        data = bytes.fromhex("8f3492bbdb7b4c9b") + rng.randbytes(1 + 32 + 24)
        for _ in range(1 if length < 4073 else 2):
            count = rng.randrange(31)
            data += count.to_bytes(4, "little") + rng.randbytes(40 * count)
        data += rng.randbytes(24)  # the exotic fees, or garbage
        return data.ljust(length, b"\0") if self._cases.chance(0.5) else data + rng.randbytes(length - len(data))


def compare_accounts(cases: Cases, oracle: Oracle, tally: Tally, count: int) -> None:
    """``count`` of each account kind, cut to the lengths that have existed."""
    accounts = oracle.ask("layouts")["accounts"]
    payloads = Payloads(cases)
    for _ in range(count):
        for account, ours in DECODERS.items():
            layout = accounts[account]
            data = bytes(layout["discriminator"]) + payloads.record(layout["fields"])
            lengths = HISTORIC_LENGTHS.get(account)
            if lengths:
                data += payloads.record([["is_holder_reward", "bool"]]) + cases.random.randbytes(99)
                data = data[: cases.random.choice(lengths)]
            theirs = _answer(oracle, account, data)
            decoded = ours.decode(data)
            shown = {name: plain(getattr(decoded, name)) for name in theirs}
            tally.compare(f"decode {account}", shown, theirs, data=data.hex())
        data = payloads.fee_config()
        theirs, decoded = _answer(oracle, "FeeConfig", data), FeeConfig.decode(data)
        shown = {name: plain(getattr(decoded, name)) for name in theirs}
        tally.compare("decode FeeConfig", shown, theirs, data=data.hex())


def _answer(oracle: Oracle, account: str, data: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = texts(oracle.ask("decode_account", account=account, data=base64.b64encode(data).decode()))
    return answer


def compare_events(cases: Cases, oracle: Oracle, tally: Tally, count: int) -> None:
    """``count`` rounds through every event that the SDK knows, with and without the self-CPI prefix on our side."""
    events = oracle.ask("layouts")["events"]
    payloads = Payloads(cases)
    for _ in range(max(count // 10, 1)):
        for name, layout in events.items():
            data = bytes(layout["discriminator"]) + payloads.record(layout["fields"])
            theirs = texts(oracle.ask("decode_event", data=base64.b64encode(data).decode()))
            decoded = decode_event(CPI_PREFIX + data if cases.chance(0.5) else data)
            shown = {
                "name": type(decoded).__name__,
                "data": {field: plain(getattr(decoded, field, "missing")) for field in theirs["data"]},
            }
            tally.compare("decode events", shown, theirs, data=data.hex(), event=name)
