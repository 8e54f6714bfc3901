"""``python -m pumpswap.localnet``: one practice chain; one line of JSON on stdout says where it listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pumpswap.errors import PumpSwapError
from pumpswap.localnet.process import LocalnetOptions, run_localnet
from pumpswap.localnet.server import LocalServer, LocalUrls

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    options = _options(arguments)
    try:
        asyncio.run(_run(options))
    except PumpSwapError as error:
        sys.stderr.write(f"pumpswap: {error.what}; {error.hint}\n")
        return error.exit_code
    return 0


async def _run(options: LocalnetOptions) -> None:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    await run_localnet(options, until, _tell)


def _tell(urls: Sequence[LocalUrls], server: LocalServer) -> None:
    pools = () if server.node.market is None else server.node.market.pools
    said = {
        "endpoints": [{"http": each.http, "ws": each.ws} for each in urls],
        "genesis_hash": server.chain.genesis_hash,
        "pools": [{"address": str(each.address), "base_mint": str(each.pool.base_mint)} for each in pools],
    }
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _options(arguments: Sequence[str] | None) -> LocalnetOptions:
    parser = argparse.ArgumentParser(prog="python -m pumpswap.localnet", description=__doc__)
    parser.add_argument("--programs", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slot-ms", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--market", type=int, default=0)
    parser.add_argument("--load-state", type=Path)
    parser.add_argument("--save-state", type=Path)
    parser.add_argument("--start-unix", type=int)
    parser.add_argument("--lag", type=int, action="append", default=[], dest="lags")
    parser.add_argument("--test-methods", action="store_true")
    found = vars(parser.parse_args(arguments))
    return LocalnetOptions(**{**found, "lags": tuple(found["lags"])})


if __name__ == "__main__":
    sys.exit(main())
