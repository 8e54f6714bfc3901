"""The official TypeScript SDK with web3.js, as its users run it: a Node process with an address and a wallet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tests.conformance.node import node_workspace, place_scripts

__all__ = ["OfficialRun", "node_script", "trade_with_official_sdk"]

SCRIPT = Path(__file__).parent / "official_trade.mjs"
WITHIN_SECONDS = 240


@dataclass(frozen=True)
class OfficialRun:
    """What the script reports: its trades in order, and the signatures that its log subscription told of."""

    user: str
    trades: tuple[dict[str, Any], ...]
    seen: frozenset[str]
    changes: tuple[int, ...]


def node_script() -> Path:
    """The script beside the installed SDK. Raises NodeUnavailable where Node or the packages cannot be had."""
    return place_scripts(node_workspace(), SCRIPT)[0]


async def trade_with_official_sdk(
    script: Path, http_url: str, pool: Pubkey, wallet: Keypair, trades: Sequence[tuple[str, str]]
) -> OfficialRun:
    """Run (side, amount) one after the other. The key goes through a pipe, never through the arguments."""
    request = {
        "http": http_url,
        "pool": str(pool),
        "secret": list(bytes(wallet)),
        "slippage": 10,
        "trades": [{"side": side, "amount": amount} for side, amount in trades],
    }
    process = await asyncio.create_subprocess_exec(
        "node",
        script.name,
        cwd=script.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(json.dumps(request).encode()), WITHIN_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode(errors="replace")[-3000:]
    answer = json.loads(out)
    return OfficialRun(
        answer["user"],
        tuple(answer["trades"]),
        frozenset(answer["seen"]),
        tuple(int(lamports) for lamports in answer["changes"]),
    )
