"""Account bytes, in whatever wrapping they come, to a decoded account."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import (
    BondingCurve,
    FeeConfig,
    GlobalConfig,
    GlobalVolumeAccumulator,
    Mint,
    Pool,
    SharingConfig,
    TokenAccount,
    UserVolumeAccumulator,
)
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    FEES_PROGRAM,
    PUMP_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    pool_address,
)
from pumpswap.amm.codec import Record
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS, POOL_DISCRIMINATOR
from pumpswap.chain.base58 import from_base58
from pumpswap.cli.sources import bytes_of_text, json_object
from pumpswap.errors import BadInput, MalformedAccount

__all__ = ["DecodedAccount", "RawAccount", "account_of", "decode_account"]

_KINDS: dict[bytes, tuple[type[Any], tuple[Pubkey, ...]]] = {
    POOL_DISCRIMINATOR: (Pool, (AMM_PROGRAM,)),
    GlobalConfig.DISCRIMINATOR: (GlobalConfig, (AMM_PROGRAM,)),
    FeeConfig.DISCRIMINATOR: (FeeConfig, (FEES_PROGRAM,)),
    SharingConfig.DISCRIMINATOR: (SharingConfig, (FEES_PROGRAM,)),
    BondingCurve.DISCRIMINATOR: (BondingCurve, (PUMP_PROGRAM,)),
    UserVolumeAccumulator.DISCRIMINATOR: (UserVolumeAccumulator, (AMM_PROGRAM, PUMP_PROGRAM)),
    GlobalVolumeAccumulator.DISCRIMINATOR: (GlobalVolumeAccumulator, (AMM_PROGRAM, PUMP_PROGRAM)),
}
_TOKEN_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
_MINT_LEN, _TOKEN_ACCOUNT_LEN = 82, 165


@dataclass(frozen=True, slots=True)
class RawAccount:
    """Account bytes, and what the wrapping said about them."""

    data: bytes
    address: Pubkey | None = None
    owner: Pubkey | None = None


@dataclass(frozen=True, slots=True)
class DecodedAccount:
    """A decoded account; ``warnings`` are doubts about it that a trader must not overlook."""

    kind: str
    record: Record | Pool
    warnings: tuple[str, ...]


def account_of(content: bytes) -> RawAccount:
    """The account in a file: raw bytes, base64 or hex text, or JSON as ``solana account`` and RPC nodes print it.

    Raises BadInput when it is none of these.
    """
    if content[:8] in _KINDS:
        return RawAccount(content)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        return RawAccount(content)
    if text.startswith("{"):
        return _of_json(json_object(content, "the file"))
    if not text.isprintable() and not set(text) & set("\r\n\t"):
        return RawAccount(content)
    return RawAccount(_of_text(text))


def decode_account(raw: RawAccount) -> DecodedAccount:
    """Raises MalformedAccount for bytes that are no account known here, or a broken one."""
    data = raw.data
    if raw.owner in _TOKEN_PROGRAMS or (raw.owner is None and data[:8] not in _KINDS):
        token = _token_account(data)
        if token is not None:
            return token
    found = _KINDS.get(data[:8])
    if found is None:
        start = data[:8].hex() or "nothing"
        hint = f"pools and {len(_KINDS) - 1} other kinds are known; if a PumpSwap program owns it, upgrade pumpswap"
        raise MalformedAccount(f"{len(data)} bytes that start with {start} are no account known here", hint=hint)
    kind, owners = found
    record = kind.decode(data)
    return DecodedAccount(kind.__name__, record, tuple(_doubts(raw, record, kind.__name__, owners)))


def _doubts(raw: RawAccount, record: Record | Pool, kind: str, owners: tuple[Pubkey, ...]) -> list[str]:
    doubts = []
    if raw.owner is not None and raw.owner not in owners:
        doubts.append(
            f"{raw.owner} owns this account, not {owners[0]}: anybody can write bytes that look like a {kind}"
        )
    if isinstance(record, Pool):
        if len(raw.data) not in KNOWN_POOL_LENGTHS:
            doubts.append(f"a pool of {len(raw.data)} bytes is new to this version: its last fields are not read")
        elif any(record.tail):
            doubts.append(f"the last {len(record.tail)} bytes are not zero: this version cannot read what they say")
        if raw.address not in (None, pool_address(record.index, record.creator, record.base_mint, record.quote_mint)):
            doubts.append(f"{raw.address} is not the address that belongs to these fields")
    return doubts


def _token_account(data: bytes) -> DecodedAccount | None:
    # Token-2022 appends a byte that tells mints from accounts, then extensions.
    if len(data) == _MINT_LEN or (len(data) > _TOKEN_ACCOUNT_LEN and data[_TOKEN_ACCOUNT_LEN] == 1):
        return DecodedAccount("Mint", Mint.decode(data), ())
    if len(data) == _TOKEN_ACCOUNT_LEN or (len(data) > _TOKEN_ACCOUNT_LEN and data[_TOKEN_ACCOUNT_LEN] == 2):
        return DecodedAccount("TokenAccount", TokenAccount.decode(data), ())
    return None


def _of_json(document: dict[str, Any]) -> RawAccount:
    """``solana account --output json[-compact]`` ({pubkey, account}) or an answer of getAccountInfo."""
    address = document.get("pubkey")
    account: Any = document
    for name in ("result", "value", "account"):
        if isinstance(account, dict) and name in account:
            account = account[name]
    if account is None:
        raise BadInput("the node says that there is no such account", hint="check the address and the network")
    data = account.get("data") if isinstance(account, dict) else None
    if isinstance(data, str):
        data = [data, "base58"]  # what nodes sent before encodings had names
    if not (isinstance(data, list) and len(data) == 2 and all(isinstance(each, str) for each in data)):
        hint = "ask for base64: solana account ADDRESS --output json-compact"
        raise BadInput("this JSON holds no account data that can be read", hint=hint)
    return RawAccount(_unpacked(*data), _key(address, "pubkey"), _key(account.get("owner"), "owner"))


def _unpacked(text: str, encoding: str) -> bytes:
    if encoding == "base58":
        return from_base58(text)
    if encoding != "base64":
        raise BadInput(f"account data in {encoding} cannot be read", hint="ask the node for base64")
    return bytes_of_text(text, "base64")


def _key(value: Any, name: str) -> Pubkey | None:
    if value is None:
        return None
    try:
        return Pubkey.from_string(value)
    except (ValueError, TypeError):
        raise BadInput(f"{name} is {value!r}, no address", hint="was the file edited?") from None


def _of_text(text: str) -> bytes:
    """Bytes of hex or base64: hex digits are valid base64 too, so what makes a known account wins."""
    packed = "".join(text.split()).removeprefix("0x")
    readings = []
    for read in (binascii.unhexlify, lambda text: binascii.a2b_base64(text, strict_mode=True)):
        try:
            readings.append(read(packed))
        except ValueError:
            continue
    if not readings:
        raise BadInput(
            "this is neither an account, base64, hex nor JSON", hint=f"was it cut? {len(packed)} characters arrived"
        )
    return next((data for data in readings if data[:8] in _KINDS), readings[0])
