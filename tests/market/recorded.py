"""Recorded mainnet transactions as our own records."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.chain.node import ConfirmedTransaction, RanInstruction


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def key(text: str) -> Pubkey:
    return Pubkey.from_bytes(bytes.fromhex(text[4:])) if text.startswith("hex:") else Pubkey.from_string(text)


def transaction_of(told: dict[str, Any]) -> ConfirmedTransaction:
    """What of a recorded file swaps are read from; instructions without bytes are left out."""
    instructions = tuple(
        RanInstruction(
            program=key(one["program"]),
            accounts=tuple(key(account) for account in one["accounts"] or ()),
            data=base64.b64decode(one["data_b64"]),
            outer=one["path"][0],
            height=len(one["path"]),
        )
        for one in told["instructions"]
        if one["data_b64"] is not None and one["path"] is not None
    )
    return ConfirmedTransaction(
        signature=told["signature"],
        slot=told["slot"],
        block_time=told["block_time"],
        err=told["err"],
        fee=told["fee"] or 0,
        keys=(),
        pre_balances=(),
        post_balances=(),
        pre_tokens=(),
        post_tokens=(),
        instructions=instructions,
        logs=tuple(told["logs"] or ()),
        compute_units=told["compute_units"] or 0,
    )
