"""Token-2022 extensions of a mint: which of them make its tokens something else than they seem (PROTOCOL 1.5)."""

from __future__ import annotations

from collections.abc import Iterator

from solders.pubkey import Pubkey

from pumpswap.errors import MalformedAccount
from pumpswap.model.mint_controls import HARMLESS_EXTENSIONS, MintControls, TransferFee

__all__ = ["mint_controls", "mint_extensions", "risky_extensions"]

_MINT_LEN = 82
_KIND_AT = 165
_FIRST_EXTENSION = 166
_MINT_KIND = 1

_NOBODY = bytes(32)
_FROZEN = 2
_SIZES = {
    "transfer-fee": 108,
    "transfer-hook": 64,
    "permanent-delegate": 32,
    "mint-close-authority": 32,
    "pausable": 33,
    "default-account-state": 1,
}

_NAMES = {
    1: "transfer-fee",
    3: "mint-close-authority",
    4: "confidential-transfer-mint",
    6: "default-account-state",
    9: "non-transferable",
    10: "interest-bearing",
    12: "permanent-delegate",
    14: "transfer-hook",
    16: "confidential-transfer-fee",
    18: "metadata-pointer",
    19: "token-metadata",
    20: "group-pointer",
    21: "token-group",
    22: "group-member-pointer",
    23: "token-group-member",
    24: "confidential-mint-burn",
    25: "scaled-ui-amount",
    26: "pausable",
    28: "permissioned-burn",
}


def risky_extensions(mint_data: bytes) -> tuple[str, ...]:
    """Extensions for which trading refuses a mint: fees or code on transfers, somebody else's hand in the account,
    transfers that can be stopped, figures that are not what they show. One that this version does not know is risky,
    and named by its number. Empty for an SPL Token mint. Raises MalformedAccount for bytes that are no mint.
    """
    return tuple(name for name in mint_extensions(mint_data) if name not in HARMLESS_EXTENSIONS)


def mint_extensions(mint_data: bytes) -> tuple[str, ...]:
    """All extensions of a mint, in account order. Raises MalformedAccount for bytes that are no mint."""
    if len(mint_data) == _MINT_LEN:
        return ()
    if len(mint_data) < _FIRST_EXTENSION or mint_data[_KIND_AT] != _MINT_KIND:
        raise MalformedAccount("these bytes are no mint", hint="read the whole account of the mint's address")
    return tuple(_name(kind) for kind, _ in _entries(mint_data))


def mint_controls(mint_data: bytes) -> MintControls:
    """What the extensions of a mint allow, with their parameters. Raises MalformedAccount as ``mint_extensions``, and
    for an extension that is shorter than its parameters.
    """
    kinds = mint_extensions(mint_data)
    if not kinds:
        return MintControls()
    found = {_name(kind): value for kind, value in _entries(mint_data)}
    for name, least in _SIZES.items():
        if name in found and len(found[name]) < least:
            raise MalformedAccount(
                f"the extension {name} has {len(found[name])} bytes, not {least}", hint="the layout may have changed"
            )
    fee, hook, pause = found.get("transfer-fee"), found.get("transfer-hook"), found.get("pausable")
    return MintControls(
        kinds=kinds,
        transfer_fee=None if fee is None else _transfer_fee(fee),
        hook_program=None if hook is None else _holder(hook, 32),
        hook_authority=None if hook is None else _holder(hook, 0),
        permanent_delegate=_holder(found.get("permanent-delegate", _NOBODY), 0),
        close_authority=_holder(found.get("mint-close-authority", _NOBODY), 0),
        pause_authority=None if pause is None else _holder(pause, 0),
        is_paused=pause is not None and pause[32] != 0,
        is_frozen_by_default=found.get("default-account-state", b"\1")[0] == _FROZEN,
    )


def _transfer_fee(raw: bytes) -> TransferFee:
    """Authority, authority to withdraw, withheld amount, then twice epoch, maximum and rate."""
    older, newer = raw[72:90], raw[90:108]
    return TransferFee(
        older_bps=int.from_bytes(older[16:18], "little"),
        newer_bps=int.from_bytes(newer[16:18], "little"),
        newer_epoch=int.from_bytes(newer[:8], "little"),
        older_max_units=int.from_bytes(older[8:16], "little"),
        newer_max_units=int.from_bytes(newer[8:16], "little"),
        authority=_holder(raw, 0),
    )


def _holder(raw: bytes, at: int) -> str | None:
    """Who has a power; the zero key is nobody."""
    key = raw[at : at + 32]
    return None if key == _NOBODY else str(Pubkey.from_bytes(key))


def _name(kind: int) -> str:
    return _NAMES.get(kind, f"unknown-{kind}")


def _entries(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = _FIRST_EXTENSION
    while at + 4 <= len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        if kind == 0:
            return  # unused space at the end
        size = int.from_bytes(data[at + 2 : at + 4], "little")
        if at + 4 + size > len(data):
            raise MalformedAccount("an extension of this mint does not fit the account", hint="read the whole account")
        yield kind, data[at + 4 : at + 4 + size]
        at += 4 + size
