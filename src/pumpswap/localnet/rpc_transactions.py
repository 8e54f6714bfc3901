"""Transactions as a node writes them: the signed message in four encodings, and what running it changed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.chain.base58 import base58
from pumpswap.chain.node import ConfirmedTransaction, RanInstruction, TokenBalance
from pumpswap.errors import ProtocolDrift
from pumpswap.localnet.encoding import ui_amount
from pumpswap.localnet.rpc_errors import invalid_params, version_not_announced
from pumpswap.localnet.rpc_params import Config
from pumpswap.localnet.rpc_state import return_data

__all__ = ["LandedTransaction", "TransactionForm"]

_ENCODINGS = ("json", "jsonParsed", "base58", "base64")


@dataclass(frozen=True, slots=True)
class TransactionForm:
    """How a caller wants transactions. ``newest_version`` None: no other than legacy ones."""

    encoding: str
    newest_version: int | None

    @classmethod
    def of(cls, config: Config) -> TransactionForm:
        """From the options of a call."""
        encoding = config.text("encoding", "json")
        if encoding not in _ENCODINGS:
            raise invalid_params(f"Invalid params: unsupported encoding `{encoding}`")
        announced = "maxSupportedTransactionVersion" in config
        return cls(encoding, config.integer("maxSupportedTransactionVersion") if announced else None)


class LandedTransaction:
    """A transaction of the chain, to be written in one of its forms."""

    def __init__(self, landed: ConfirmedTransaction, decimals: Callable[[Pubkey], int | None]) -> None:
        self._landed = landed
        self._decimals = decimals
        self._signed = VersionedTransaction.from_bytes(landed.raw)
        message = self._signed.message
        if not isinstance(message, (Message, MessageV0)):
            raise ProtocolDrift(f"{landed.signature} has a version that is not known", hint="upgrade pumpswap")
        self._message: Message | MessageV0 = message

    @cached_property
    def _index(self) -> dict[Pubkey, int]:
        return {key: index for index, key in enumerate(self._landed.keys)}

    def json(self, form: TransactionForm) -> dict[str, object]:
        """The transaction and its meta data. Raises NodeRefused for a version that the caller did not announce."""
        version = 0 if isinstance(self._message, MessageV0) else None
        if version is not None and form.newest_version is None:
            raise version_not_announced(version)
        document: dict[str, object] = {
            "transaction": self._transaction(form.encoding),
            "meta": self.meta(form.encoding),
        }
        if form.newest_version is not None:
            document["version"] = "legacy" if version is None else version
        return document

    def meta(self, encoding: str = "json") -> dict[str, object]:
        """What running it changed."""
        landed = self._landed
        writable, readonly = self._loaded()
        returned = return_data(landed.logs)
        return {
            "err": landed.err,
            "status": {"Ok": None} if landed.err is None else {"Err": landed.err},
            "fee": landed.fee,
            "preBalances": landed.pre_balances,
            "postBalances": landed.post_balances,
            "innerInstructions": self._inner(parsed=encoding == "jsonParsed"),
            "logMessages": landed.logs,
            "preTokenBalances": [self._token_balance(each) for each in landed.pre_tokens],
            "postTokenBalances": [self._token_balance(each) for each in landed.post_tokens],
            "rewards": [],
            "loadedAddresses": {"writable": [*map(str, writable)], "readonly": [*map(str, readonly)]},
            "computeUnitsConsumed": landed.compute_units,
            **({} if returned is None else {"returnData": returned}),
        }

    def _loaded(self) -> tuple[Sequence[Pubkey], Sequence[Pubkey]]:
        message, keys = self._message, self._landed.keys
        static = len(message.account_keys)
        if not isinstance(message, MessageV0):
            return (), ()
        writable = sum(len(each.writable_indexes) for each in message.address_table_lookups)
        return keys[static : static + writable], keys[static + writable :]

    def _transaction(self, encoding: str) -> object:
        if encoding == "base64":
            return [base64.b64encode(self._landed.raw).decode(), "base64"]
        if encoding == "base58":
            return [base58(self._landed.raw), "base58"]
        message = self._parsed_message() if encoding == "jsonParsed" else self._raw_message()
        if isinstance(self._message, MessageV0):
            message["addressTableLookups"] = [
                {
                    "accountKey": str(each.account_key),
                    "writableIndexes": [*each.writable_indexes],
                    "readonlyIndexes": [*each.readonly_indexes],
                }
                for each in self._message.address_table_lookups
            ]
        return {"signatures": [str(each) for each in self._signed.signatures], "message": message}

    def _raw_message(self) -> dict[str, object]:
        message, header = self._message, self._message.header
        return {
            "header": {
                "numRequiredSignatures": header.num_required_signatures,
                "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
                "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            },
            "accountKeys": [str(key) for key in message.account_keys],
            "recentBlockhash": str(message.recent_blockhash),
            "instructions": [
                {
                    "programIdIndex": each.program_id_index,
                    "accounts": [*each.accounts],
                    "data": base58(bytes(each.data)),
                    "stackHeight": 1,
                }
                for each in message.instructions
            ],
        }

    def _parsed_message(self) -> dict[str, object]:
        message, keys = self._message, self._landed.keys
        static, signers = len(message.account_keys), message.header.num_required_signatures
        writable_loaded = set(self._loaded()[0])
        instructions = [
            {
                "programId": str(keys[each.program_id_index]),
                "accounts": [str(keys[index]) for index in each.accounts],
                "data": base58(bytes(each.data)),
                "stackHeight": 1,
            }
            for each in message.instructions
        ]
        listed = [
            {
                "pubkey": str(key),
                "signer": index < signers,
                "writable": key in writable_loaded if index >= static else _is_writable(message, index),
                "source": "transaction" if index < static else "lookupTable",
            }
            for index, key in enumerate(keys)
        ]
        return {
            "accountKeys": listed,
            "recentBlockhash": str(message.recent_blockhash),
            "instructions": instructions,
        }

    def _inner(self, *, parsed: bool) -> list[dict[str, object]]:
        by_outer: dict[int, list[dict[str, object]]] = {}
        for each in self._landed.instructions:
            if each.height > 1:
                by_outer.setdefault(each.outer, []).append(self._inner_json(each, parsed=parsed))
        return [{"index": outer, "instructions": inner} for outer, inner in sorted(by_outer.items())]

    def _inner_json(self, ran: RanInstruction, *, parsed: bool) -> dict[str, object]:
        shared = {"data": base58(ran.data), "stackHeight": ran.height}
        if parsed:
            return {"programId": str(ran.program), "accounts": [*map(str, ran.accounts)], **shared}
        index = self._index
        return {"programIdIndex": index[ran.program], "accounts": [index[key] for key in ran.accounts], **shared}

    def _token_balance(self, balance: TokenBalance) -> dict[str, object]:
        decimals = self._decimals(balance.mint)
        return {
            "accountIndex": balance.index,
            "mint": str(balance.mint),
            "owner": str(balance.owner),
            "programId": str(balance.token_program),
            "uiTokenAmount": ui_amount(balance.units, decimals or 0),
        }


def _is_writable(message: Message | MessageV0, index: int) -> bool:
    """Whether a static key may be written to, by its place in the message."""
    header, signers = message.header, message.header.num_required_signatures
    if index < signers:
        return index < signers - header.num_readonly_signed_accounts
    return index < len(message.account_keys) - header.num_readonly_unsigned_accounts
