"""Our side of the benchmark: the same pool, the same operations, microseconds per call, best of several batches."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from pumpswap.amm import (
    Existing,
    FeeSchedule,
    Pool,
    PoolState,
    addresses,
    buy_exact_base,
    buy_exact_quote,
    decode_event,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)

BATCHES = 40  # short ones: on a shared machine some of them are undisturbed
BATCH_SECONDS = 0.03


def best(operation: Callable[[], object]) -> float:
    """Microseconds per call: best of several batches after a warm-up, as on the peer's side."""
    count, spent = 1, 0.0
    while spent < BATCH_SECONDS:
        count *= 2
        spent = _timed(operation, count)
    return min(_timed(operation, count) / count for _ in range(BATCHES)) * 1e6


def _timed(operation: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        operation()
    return time.perf_counter() - began


def our_figures(state: PoolState, schedule: FeeSchedule, request: Mapping[str, Any]) -> dict[str, float]:
    """Microseconds per operation, under the peer's names; ``*_warm`` has the address cache of a running system."""
    base, quote = int(request["base"]), int(request["quote"])
    account, event = base64.b64decode(request["pool_account"]), base64.b64decode(request["event"])
    signer = Keypair.from_seed(bytes([7]) * 32)
    limit = buy_exact_base(state, schedule, base).limit(100)

    def build() -> list[Instruction]:
        bought = buy_exact_base(state, schedule, base)
        swap = swap_instruction(
            bought, state, schedule, user=signer.pubkey(), limit=limit, generation=1, track_volume=True
        )
        return [
            set_compute_unit_limit(200_000),
            set_compute_unit_price(100_000),
            *swap_sequence(swap, state, signer.pubkey(), Existing(pool_account_len=301)),
        ]

    def sign(instructions: list[Instruction]) -> bytes:
        message = MessageV0.try_compile(signer.pubkey(), instructions, [], Hash.default())
        return bytes(VersionedTransaction(message, [signer]))

    def cold() -> bytes:
        _forget_addresses()
        return sign(build())

    built = build()
    return {
        "buy_base_input": best(lambda: buy_exact_base(state, schedule, base)),
        "buy_quote_input": best(lambda: buy_exact_quote(state, schedule, quote)),
        "sell_base_input": best(lambda: sell_exact_base(state, schedule, base)),
        "decode_pool": best(lambda: Pool.decode(account)),
        "decode_event": best(lambda: decode_event(base64.b64decode(request["event"]))),
        "decode_event_bytes": best(lambda: decode_event(event)),
        "build_swap": best(build),
        "compile_sign_serialise": best(lambda: sign(built)),
        "build_and_sign_swap": best(cold),
        "build_and_sign_swap_warm": best(lambda: sign(build())),
    }


def _forget_addresses() -> None:
    """The SDK derives every address on every call; so does ours here, to compare the same work."""
    addresses.ata.cache_clear()
    addresses._pda.cache_clear()


def start_up_milliseconds(repeats: int = 10) -> float:
    """Fastest of several ``pumpswap --help`` processes."""
    command = [sys.executable, "-m", "pumpswap", "--help"]
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return min(taken) * 1000
