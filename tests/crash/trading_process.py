"""A process that trades at random until it is killed. One JSON object on standard input tells it where.

Run by tests/crash/kills.py; not a test itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from random import Random

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.errors import ChainError
from pumpswap.sdk import ChainConnection, Trader
from tests.clients.our_sdk import practice_signer, settings_for


async def main() -> None:
    told = json.loads(sys.stdin.readline())
    rng = Random(told["seed"])
    pools = [Pubkey.from_string(pool) for pool in told["pools"]]
    settings = settings_for(told["http_url"], told["ws_url"], Path(told["folder"]))
    print("started", flush=True)
    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, practice_signer(Keypair.from_seed(bytes.fromhex(told["wallet"]))))
        print("open", flush=True)
        while True:
            # Two at a time on different pools: orders that are on their way together.
            chosen = rng.sample(pools, 2)
            await asyncio.gather(*(trade(trader, pool, rng) for pool in chosen))


async def trade(trader: Trader, pool: Pubkey, rng: Random) -> None:
    try:
        state = await trader.connection.pool(pool)
        held = trader.position(state)
        if held is not None and rng.random() < 0.5:
            units = None if rng.random() < 0.5 else max(held.base_units // 3, 1)
            traded = await trader.sell(state, units)
        else:
            traded = await trader.buy(state, rng.randrange(20_000_000, 200_000_000))
        print(type(traded.outcome).__name__ if traded.outcome else "Refused", flush=True)
    except ChainError as error:
        print(f"ChainError {error.what}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
