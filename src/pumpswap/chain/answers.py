"""Answers: JSON-RPC results as records. Lenient about what nodes leave out, strict about what money depends on.

Everything here raises KeyError, TypeError, ValueError or IndexError for an answer that is broken; the caller turns that
into EndpointDown. ``err`` must be present where it decides whether a transaction succeeded: its absence is no success.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.chain.node import (
    AccountsAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    HoldingsAt,
    RanInstruction,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenBalance,
    TokenHolding,
)

__all__ = [
    "base58_bytes",
    "keyed_accounts",
    "read_accounts",
    "read_holdings",
    "read_signatures",
    "read_simulation",
    "read_status",
    "read_transaction",
]

_DIGITS = {letter: value for value, letter in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


def base58_bytes(text: str) -> bytes:
    """Bytes of base58 text, as instruction data comes. Raises KeyError for a letter that base58 does not have."""
    number = 0
    for letter in text:
        number = number * 58 + _DIGITS[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def read_accounts(result: Any, addresses: Sequence[Pubkey]) -> AccountsAt:
    """A getMultipleAccounts result."""
    values = result["value"]
    if len(values) != len(addresses):
        raise ValueError(f"{len(values)} accounts for {len(addresses)} addresses")
    found = tuple(_account(address, value) for address, value in zip(addresses, values, strict=True))
    return AccountsAt(_count(result["context"]["slot"]), found)


def keyed_accounts(values: Any) -> tuple[ChainAccount, ...]:
    """Accounts that come with their addresses (getProgramAccounts, getTokenAccountsByOwner)."""
    found = (_account(Pubkey.from_string(one["pubkey"]), one["account"]) for one in values)
    return tuple(account for account in found if account is not None)


def read_holdings(result: Any) -> HoldingsAt:
    """A getTokenLargestAccounts result; nodes list the largest first, indexers not always."""
    held = [TokenHolding(Pubkey.from_string(one["address"]), int(one["amount"])) for one in result["value"]]
    if any(one.units < 0 for one in held):
        raise ValueError("an account with less than nothing")
    held.sort(key=lambda one: -one.units)
    return HoldingsAt(_count(result["context"]["slot"]), tuple(held))


def read_status(value: Any) -> SignatureStatus | None:
    """One entry of getSignatureStatuses."""
    if value is None:
        return None
    told = value.get("confirmationStatus")
    # Old nodes leave it out; there, no count of confirmations means rooted.
    rooted = Commitment.FINALIZED if value["confirmations"] is None else Commitment.PROCESSED
    commitment = Commitment(told) if told is not None else rooted
    return SignatureStatus(_count(value["slot"]), value["err"], commitment)


def read_signatures(values: Any) -> tuple[SignatureInfo, ...]:
    """A getSignaturesForAddress result."""
    return tuple(
        SignatureInfo(_text(one["signature"]), _count(one["slot"]), one["err"], one.get("blockTime")) for one in values
    )


def read_simulation(result: Any, addresses: Sequence[Pubkey]) -> Simulation:
    """A simulateTransaction result with the accounts that were asked for."""
    value = result["value"]
    # A failed simulation may come without accounts.
    after = value.get("accounts") or [None] * len(addresses)
    return Simulation(
        slot=_count(result["context"]["slot"]),
        err=value["err"],
        logs=tuple(value.get("logs") or ()),
        units_consumed=_count(value.get("unitsConsumed") or 0),
        accounts=tuple(_account(address, one) for address, one in zip(addresses, after, strict=True)),
    )


def read_transaction(signature: str, result: Any) -> ConfirmedTransaction | None:
    """A getTransaction result in base64."""
    if result is None:
        return None
    meta, raw = result["meta"], base64.b64decode(result["transaction"][0], validate=True)
    signed = VersionedTransaction.from_bytes(raw)
    if str(signed.signatures[0]) != signature:
        raise ValueError("another transaction than the one that was asked for")
    loaded = meta.get("loadedAddresses") or {}
    keys = [*signed.message.account_keys]
    keys += [Pubkey.from_string(one) for side in ("writable", "readonly") for one in loaded.get(side) or ()]
    pre, post = _counts(meta["preBalances"]), _counts(meta["postBalances"])
    if not len(keys) == len(pre) == len(post):
        raise ValueError(f"{len(keys)} accounts with {len(pre)} and {len(post)} balances")
    return ConfirmedTransaction(
        signature=signature,
        slot=_count(result["slot"]),
        block_time=result.get("blockTime"),
        err=meta["err"],
        fee=_count(meta["fee"]),
        keys=tuple(keys),
        pre_balances=pre,
        post_balances=post,
        pre_tokens=_token_balances(meta.get("preTokenBalances")),
        post_tokens=_token_balances(meta.get("postTokenBalances")),
        instructions=_ran(signed, keys, meta.get("innerInstructions")),
        logs=tuple(meta.get("logMessages") or ()),
        compute_units=_count(meta.get("computeUnitsConsumed") or 0),
        raw=raw,
    )


def _ran(signed: VersionedTransaction, keys: list[Pubkey], inner: Any) -> tuple[RanInstruction, ...]:
    called: dict[int, list[Any]] = {}
    for group in inner or ():
        called.setdefault(group["index"], []).extend(group["instructions"])
    ran: list[RanInstruction] = []
    for number, one in enumerate(signed.message.instructions):
        accounts = tuple(keys[at] for at in one.accounts)
        ran.append(RanInstruction(keys[one.program_id_index], accounts, bytes(one.data), number))
        for deeper in called.pop(number, ()):
            ran.append(
                RanInstruction(
                    program=keys[deeper["programIdIndex"]],
                    accounts=tuple(keys[at] for at in deeper["accounts"]),
                    data=base58_bytes(deeper["data"]),
                    outer=number,
                    height=deeper.get("stackHeight") or 2,
                )
            )
    if called:
        raise ValueError(f"inner instructions of instruction {min(called)}, which does not exist")
    return tuple(ran)


def _token_balances(values: Any) -> tuple[TokenBalance, ...]:
    return tuple(
        TokenBalance(
            index=_count(one["accountIndex"]),
            mint=Pubkey.from_string(one["mint"]),
            owner=Pubkey.from_string(one["owner"]),
            token_program=Pubkey.from_string(one["programId"]),
            units=int(one["uiTokenAmount"]["amount"]),
        )
        for one in values or ()
    )


def _account(address: Pubkey, value: Any) -> ChainAccount | None:
    if value is None:
        return None
    encoded, encoding = value["data"]
    if encoding != "base64":
        raise ValueError(f"account data in {encoding}")
    return ChainAccount(
        address=address,
        owner=Pubkey.from_string(value["owner"]),
        lamports=_count(value["lamports"]),
        data=base64.b64decode(encoded, validate=True),
        executable=bool(value.get("executable", False)),
    )


def _counts(values: Any) -> tuple[int, ...]:
    return tuple(_count(one) for one in values)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a figure that is no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text that is none")
    return value
