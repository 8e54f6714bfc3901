"""Token-2022 extensions of a mint: which of them make its tokens something else than they seem (PROTOCOL 1.5)."""

from __future__ import annotations

from collections.abc import Iterator

from pumpswap.errors import MalformedAccount

__all__ = ["mint_extensions", "risky_extensions"]

_MINT_LEN = 82
_KIND_AT = 165
_FIRST_EXTENSION = 166
_MINT_KIND = 1

# Extensions that change nothing about holding, sending or pricing the token.
_HARMLESS = frozenset({
    "confidential-transfer-mint", "confidential-transfer-fee", "metadata-pointer", "token-metadata",
    "group-pointer", "token-group", "group-member-pointer", "token-group-member",
})  # fmt: skip
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
    return tuple(name for name in mint_extensions(mint_data) if name not in _HARMLESS)


def mint_extensions(mint_data: bytes) -> tuple[str, ...]:
    """All extensions of a mint, in account order. Raises MalformedAccount for bytes that are no mint."""
    if len(mint_data) == _MINT_LEN:
        return ()
    if len(mint_data) < _FIRST_EXTENSION or mint_data[_KIND_AT] != _MINT_KIND:
        raise MalformedAccount("these bytes are no mint", hint="read the whole account of the mint's address")
    return tuple(_NAMES.get(kind, f"unknown-{kind}") for kind in _kinds(mint_data))


def _kinds(data: bytes) -> Iterator[int]:
    at = _FIRST_EXTENSION
    while at + 4 <= len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        if kind == 0:
            return  # unused space at the end
        size = int.from_bytes(data[at + 2 : at + 4], "little")
        if at + 4 + size > len(data):
            raise MalformedAccount("an extension of this mint does not fit the account", hint="read the whole account")
        yield kind
        at += 4 + size
