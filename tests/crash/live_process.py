"""A live engine that trades until it is killed. One JSON object on standard input tells it where.

Run by tests/crash/live_kills.py; not a test itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from solders.keypair import Keypair

from pumpswap.app.run_live import run_live
from pumpswap.app.run_parts import RunOptions
from pumpswap.model import Order, Outcome, Position, RunObserver
from tests.clients.our_sdk import practice_signer
from tests.crash.live_kills import live_settings


class Speaker(RunObserver):
    """Says what becomes of orders."""

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        print(type(outcome).__name__, flush=True)


async def main() -> None:
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    settings = live_settings(told["http_url"], told["ws_url"], Path(told["folder"]))
    signer = practice_signer(Keypair.from_seed(bytes.fromhex(told["wallet"])))
    print("started", flush=True)
    options = RunOptions(observers=(Speaker(),))
    await run_live(settings, signer, options, lambda _: print("open", flush=True))


if __name__ == "__main__":
    asyncio.run(main())
