"""Accounts as a node writes them: base58, base64, and token accounts and mints in words (jsonParsed)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.base58 import base58
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.rpc_errors import invalid_params, invalid_request
from pumpswap.localnet.rpc_params import Config

__all__ = [
    "AccountForm",
    "TokenAccount",
    "account_json",
    "is_mint",
    "mint_decimals",
    "token_account",
    "ui_amount",
]

TOKEN_ACCOUNT_SIZE = 165
MINT_SIZE = 82
_TOKEN_PROGRAMS = {TOKEN_PROGRAM: "spl-token", TOKEN_2022_PROGRAM: "spl-token-2022"}
_KIND_AT = 165  # Token-2022: behind the base layout of an account, 1 is a mint and 2 an account
_STATES = ("uninitialized", "initialized", "frozen")
_RENT_EPOCH = 2**64 - 1
_MOST_BASE58 = 128
_ENCODINGS = ("binary", "base58", "base64", "jsonParsed")

Decimals = Callable[[Pubkey], int | None]


@dataclass(frozen=True, slots=True)
class AccountForm:
    """How a caller wants accounts: ``part`` cuts the data, ``decimals`` knows mints."""

    encoding: str
    part: slice | None
    decimals: Decimals

    @classmethod
    def of(cls, config: Config, decimals: Decimals, *, default: str = "binary") -> AccountForm:
        """From the options of a call. Without an encoding, nodes still answer in the oldest one."""
        encoding = config.text("encoding", default)
        if encoding not in _ENCODINGS:
            raise invalid_params(f"Invalid params: unsupported encoding `{encoding}`")
        return cls(encoding, config.data_slice(), decimals)


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """The base layout of a token account, the same in both token programs."""

    mint: Pubkey
    owner: Pubkey
    units: int
    delegate: Pubkey | None
    state: str
    native_reserve: int | None
    delegated_units: int
    close_authority: Pubkey | None


def account_json(account: ChainAccount, form: AccountForm) -> dict[str, object]:
    """An account without its address, in the form that the caller wants."""
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": _data_json(account, form),
        "executable": account.executable,
        "rentEpoch": _RENT_EPOCH,
        "space": len(account.data),
    }


def token_account(account: ChainAccount) -> TokenAccount | None:
    """A token account of either program; None for anything else."""
    raw = account.data
    if account.owner not in _TOKEN_PROGRAMS or len(raw) < TOKEN_ACCOUNT_SIZE:
        return None
    if len(raw) > TOKEN_ACCOUNT_SIZE and (account.owner != TOKEN_2022_PROGRAM or raw[_KIND_AT] != 2):
        return None
    state = raw[108]
    if state not in (1, 2):
        return None
    return TokenAccount(
        mint=Pubkey(raw[0:32]),
        owner=Pubkey(raw[32:64]),
        units=_u64(raw, 64),
        delegate=_optional_key(raw, 72),
        state=_STATES[state],
        native_reserve=_u64(raw, 113) if _u32(raw, 109) else None,
        delegated_units=_u64(raw, 121),
        close_authority=_optional_key(raw, 129),
    )


def is_mint(account: ChainAccount) -> bool:
    """Whether this is an initialised mint of either token program."""
    raw = account.data
    if account.owner not in _TOKEN_PROGRAMS or len(raw) < MINT_SIZE or raw[45] != 1:
        return False
    return len(raw) == MINT_SIZE or (account.owner == TOKEN_2022_PROGRAM and len(raw) > _KIND_AT and raw[_KIND_AT] == 1)


def mint_decimals(account: ChainAccount | None) -> int | None:
    """Decimals of a mint; None when this is none."""
    return account.data[44] if account is not None and is_mint(account) else None


def ui_amount(units: int, decimals: int) -> dict[str, object]:
    """An amount of tokens: raw, and as text with its decimals. ``uiAmount`` is a float, as nodes have it."""
    whole, rest = divmod(units, 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(whole)
    return {"amount": str(units), "decimals": decimals, "uiAmount": float(text), "uiAmountString": text}


def _data_json(account: ChainAccount, form: AccountForm) -> object:
    if form.encoding == "jsonParsed":
        parsed = _parsed(account, form.decimals)
        if parsed is not None:
            return {"program": _TOKEN_PROGRAMS[account.owner], "parsed": parsed, "space": len(account.data)}
    data = account.data if form.part is None else account.data[form.part]
    if form.encoding in ("base64", "jsonParsed"):
        return [base64.b64encode(data).decode(), "base64"]
    if len(data) > _MOST_BASE58:
        what = f"Encoded binary (base 58) data should be less than {_MOST_BASE58} bytes, please use Base64 encoding."
        raise invalid_request(what)
    text = base58(data)
    return text if form.encoding == "binary" else [text, "base58"]


def _parsed(account: ChainAccount, decimals: Decimals) -> dict[str, object] | None:
    if is_mint(account):
        return {"type": "mint", "info": _mint_info(account.data)}
    token = token_account(account)
    if token is None:
        return None
    places = decimals(token.mint)
    return None if places is None else {"type": "account", "info": _token_info(token, places)}


def _token_info(token: TokenAccount, decimals: int) -> dict[str, object]:
    info: dict[str, object] = {
        "mint": str(token.mint),
        "owner": str(token.owner),
        "state": token.state,
        "isNative": token.native_reserve is not None,
        "tokenAmount": ui_amount(token.units, decimals),
    }
    if token.delegate is not None:
        info["delegate"] = str(token.delegate)
        info["delegatedAmount"] = ui_amount(token.delegated_units, decimals)
    if token.native_reserve is not None:
        info["rentExemptReserve"] = ui_amount(token.native_reserve, decimals)
    if token.close_authority is not None:
        info["closeAuthority"] = str(token.close_authority)
    return info


def _mint_info(raw: bytes) -> dict[str, object]:
    authority, freeze = _optional_key(raw, 0), _optional_key(raw, 46)
    return {
        "mintAuthority": None if authority is None else str(authority),
        "supply": str(_u64(raw, 36)),
        "decimals": raw[44],
        "isInitialized": raw[45] == 1,
        "freezeAuthority": None if freeze is None else str(freeze),
    }


def _optional_key(raw: bytes, at: int) -> Pubkey | None:
    return Pubkey(raw[at + 4 : at + 36]) if _u32(raw, at) else None


def _u32(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "little")


def _u64(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")
