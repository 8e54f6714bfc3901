"""``pumpswap localnet``: the practice chain. It runs the real program; nothing on it is worth anything."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.formats import time_text
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PUBKEY, SOL, SOURCE, DurationType

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.localnet.process import LocalnetOptions
    from pumpswap.localnet.server import LocalServer, LocalUrls

__all__ = ["airdrop", "localnet", "market", "pull", "rows", "start", "status"]

_HERE = "pumpswap.cli.localnet"
_RUNNING = "a running practice chain"
_file = click.Path(dir_okay=False, path_type=Path)

localnet = LazyGroup(
    "localnet",
    entries={
        "start": Entry(f"{_HERE}:start", "run a practice chain until Ctrl-C"),
        "status": Entry(f"{_HERE}:status", "what a running one is doing"),
        "market": Entry(f"{_HERE}:market", "more pools, with bots that trade on them"),
        "rows": Entry(f"{_HERE}:rows", "a collector's rows of its pools, for a run to score"),
        "airdrop": Entry(f"{_HERE}:airdrop", "practice SOL for a wallet"),
        "pull": Entry(f"{_HERE}:pull", "fetch the real program from any endpoint"),
    },
    help=(
        "A Solana chain on this machine, behind the usual JSON-RPC and websocket, that runs the real PumpSwap program. "
        "Every command and every client works on it as on mainnet, and nothing costs a cent."
    ),
    examples=[
        Example("pumpswap localnet pull --from URL", "once: the program", needs="a mainnet endpoint"),
        Example("pumpswap localnet start --market 3", "a chain with pools and bots", needs="the program"),
        Example("pumpswap localnet airdrop ADDRESS 10", "in another terminal", needs=_RUNNING),
    ],
)


@command(
    "start",
    help=(
        "Run a practice chain until Ctrl-C.\n\n"
        "It needs the real programs: those that 'localnet pull' fetched, a folder of dumps (--programs), or any "
        "endpoint to copy them from (--clone-from)."
    ),
    examples=[
        Example("pumpswap localnet start --market 3", needs="the program"),
        Example("pumpswap localnet start --programs DIR --slot-ms 100", "four times as fast", needs="the program"),
        Example("pumpswap localnet start --clone-from URL --pool POOL", "with a real pool", needs="an endpoint"),
    ],
)
@option("--port", type=click.IntRange(0, 65_534), metavar="N", help="HTTP; the websocket is one above. Default 8899.")
@option("--programs", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Folder with the programs.")
@option("--clone-from", metavar="URL", help="Copy the programs from this endpoint first.")
@option("--pool", "pools", type=PUBKEY, multiple=True, metavar="POOL", help="Also copy this pool; with --clone-from.")
@option("--market", type=click.IntRange(0, 500), default=0, metavar="N", help="Create N pools and let bots trade.")
@option("--slot-ms", type=click.IntRange(10), default=400, show_default=True, metavar="MS", help="Length of a slot.")
@option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which pools and which trades.")
@option("--load-state", type=_file, metavar="FILE", help="Go on from a saved chain.")
@option("--save-state", type=_file, metavar="FILE", help="Save the chain when it ends.")
@option("--test-methods", is_flag=True, help="Allow faults, jumps in time and written accounts by RPC.")
@pass_output
def start(out: Output, /, clone_from: str | None, pools: tuple[Pubkey, ...], **given: Any) -> None:
    from pumpswap.app.practice import DEFAULT_PORT, programs_folder, pull_to_temporary
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import NotFound, UsageError
    from pumpswap.localnet.process import LocalnetOptions

    if pools and clone_from is None:
        raise UsageError("--pool is for --clone-from", hint="without it, use --market")
    if clone_from is not None:
        out.say("Fetching the programs ...")
        given["programs"] = wait_for(pull_to_temporary(clone_from, pools))
    if given["programs"] is None and given["load_state"] is None:
        folder = programs_folder(settings_for(out))
        if not folder.is_dir():
            raise NotFound(
                "the practice chain runs the real program, which is not here yet",
                hint="get it with `pumpswap localnet pull --from URL`, or use --programs DIR or --clone-from URL",
            )
        given["programs"] = folder
    given["port"] = DEFAULT_PORT if given["port"] is None else given["port"]
    wait_for(_serve(out, LocalnetOptions(**given)))


async def _serve(out: Output, options: LocalnetOptions) -> None:
    from pumpswap.localnet.process import run_localnet

    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)

    def ready(urls: Sequence[LocalUrls], server: LocalServer) -> None:
        _tell_ready(out, urls[0], server)

    await run_localnet(options, until, ready)
    out.say("Ended." if options.save_state is None else f"Ended, saved to {options.save_state}.")


def _tell_ready(out: Output, urls: LocalUrls, server: LocalServer) -> None:
    states = [] if server.node.market is None else list(server.node.market.pools)
    if out.json:
        pools = [{"address": str(each.address), "base_mint": str(each.pool.base_mint)} for each in states]
        said = {"http_url": urls.http, "ws_url": urls.ws, "genesis_hash": server.chain.genesis_hash, "pools": pools}
        out.emit("localnet", said)
        return
    out.show(f"Practice chain: {urls.http}  (websocket {urls.ws})")
    for each in states:
        kind = "canonical" if each.pool.is_canonical else "permissionless"
        out.show(f"  {kind:<14} coin {each.pool.base_mint}", keep_lines=True)
    if states:
        coin = states[0].pool.base_mint
        out.say(
            "\nIn another terminal:\n"
            f"  pumpswap pool watch {coin} --url {urls.http}\n"
            f"  pumpswap buy {coin} 0.1 --url {urls.http}\n"
            f"  pumpswap localnet rows --url {urls.http}\n"
            f"  pumpswap run --url {urls.http} --network localnet\n"
        )
    out.say("Ctrl-C ends it.")


_url = option("--url", default="http://127.0.0.1:8899", show_default=True, metavar="URL", help="The practice chain.")


@command(
    "status",
    help="What a running practice chain is doing.\n\nExit code 6: none is running there.",
    examples=[Example("pumpswap localnet status", needs=_RUNNING)],
)
@_url
@pass_output
def status(out: Output, url: str) -> None:
    from pumpswap.app.practice import ask_localnet
    from pumpswap.cli.waiting import wait_for

    found = wait_for(ask_localnet(url, "localnet_status"))
    if out.json:
        said = {
            "slot": found["slot"],
            "block_height": found["blockHeight"],
            "unix_time": found["unixTime"],
            "genesis_hash": found["genesisHash"],
            "slot_ms": found["slotMs"],
            "transactions": found["transactions"],
            "pools": found["pools"],
            "pools_with_bots": found["botPools"],
            "programs": found["programs"],
            "test_methods": found["testMethods"],
        }
        out.emit("localnet_status", said)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    table.add_row("slot", f"{found['slot']:,} (height {found['blockHeight']:,}), every {found['slotMs']} ms")
    table.add_row("its time", time_text(found["unixTime"]))
    table.add_row("transactions", f"{found['transactions']:,}")
    table.add_row("pools", f"{found['pools']:,}, bots trade on {found['botPools']:,}")
    table.add_row("programs", ", ".join(found["programs"]))
    out.show(table)


@command(
    "market",
    help="Create pools on a running practice chain, and let bots trade on them from now on.",
    examples=[Example("pumpswap localnet market 5", needs=_RUNNING)],
)
@click.argument("pools", type=click.IntRange(1, 500), default=3)
@_url
@pass_output
def market(out: Output, pools: int, url: str) -> None:
    from pumpswap.app.practice import ask_localnet
    from pumpswap.cli.waiting import wait_for

    created = wait_for(ask_localnet(url, "localnet_market", pools))
    if out.json:
        listed = [{"address": each["address"], "base_mint": each["baseMint"]} for each in created]
        out.emit("localnet_market", {"pools": listed})
        return
    for each in created:
        out.show(f"coin {each['baseMint']}  pool {each['address']}", keep_lines=True)


@command(
    "rows",
    help=(
        "Write rows of a collector about the pools on which a practice chain's bots trade, until Ctrl-C: what "
        "`pumpswap run` scores. Without DATABASE they go to the books' own database, where run looks for them.\n\n"
        "A practice SOL counts as 150 dollars in them."
    ),
    examples=[
        Example("pumpswap localnet rows", "beside `run --url http://127.0.0.1:8899`", needs=_RUNNING),
        Example("pumpswap localnet rows --once practice.db", "one row of each pool", needs=_RUNNING),
    ],
)
@click.argument("database", type=SOURCE, required=False)
@option("--every", type=DurationType(least=1, example="10s"), default="10s", show_default=True, metavar="TIME",
        help="Between two rows of a pool.")  # fmt: skip
@option("--once", is_flag=True, help="One row of each pool, then end.")
@_url
@pass_output
def rows(out: Output, database: str | None, every: int, once: bool, url: str) -> None:
    from pumpswap.app.practice_rows import write_rows
    from pumpswap.cli.formats import counted
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.waiting import wait_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    target = settings.database_target if database is None else database
    stored = 0

    def told(snapshots: int) -> None:
        nonlocal stored
        if not stored and not once:
            out.say(f"{counted(snapshots, 'row')} every {every} s into {database or 'the books'}. Ctrl-C ends it.")
        stored += snapshots

    with contextlib.suppress(KeyboardInterrupt):  # how it ends
        wait_for(write_rows(settings, url, target, SystemClock(), every_seconds=None if once else every, told=told))
    if out.json:
        out.emit("localnet_rows", {"rows": stored})
    else:
        out.show(f"{counted(stored, 'row')} written.")


@command(
    "airdrop",
    help="Give practice SOL to a wallet. It is worth nothing anywhere else.",
    examples=[Example("pumpswap localnet airdrop ADDRESS 10", needs=_RUNNING)],
)
@click.argument("address", type=PUBKEY)
@click.argument("sol", type=SOL)
@_url
@pass_output
def airdrop(out: Output, address: Pubkey, sol: int, url: str) -> None:
    from pumpswap.app.practice import airdrop as give
    from pumpswap.cli.formats import sol_text
    from pumpswap.cli.waiting import wait_for

    signature = wait_for(give(url, str(address), sol))
    if out.json:
        out.emit("airdrop", {"address": str(address), "lamports": str(sol), "signature": signature})
        return
    out.show(f"{sol_text(sol)} for {address}: {signature}", keep_lines=True)


@command(
    "pull",
    help=(
        "Fetch the programs and settings that a practice chain runs from any endpoint, once.\n\n"
        "They go to the data folder, where 'localnet start' finds them. --pool also fetches a pool as it is now."
    ),
    examples=[
        Example("pumpswap localnet pull --from URL", needs="an endpoint"),
        Example("pumpswap localnet pull --from URL --pool POOL --to DIR", needs="an endpoint"),
    ],
)
@option("--from", "source", required=True, metavar="URL", help="Any endpoint of the chain to copy.")
@option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Another folder.")
@option("--pool", "pools", type=PUBKEY, multiple=True, metavar="POOL", help="Also fetch this pool; repeatable.")
@pass_output
def pull(out: Output, source: str, folder: Path | None, pools: tuple[Pubkey, ...]) -> None:
    from pumpswap.app.practice import programs_folder, pull_programs
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.waiting import wait_for

    target = folder or programs_folder(settings_for(out))
    found = wait_for(pull_programs(source, target, pools))
    if out.json:
        said = {"folder": str(target), "slot": found.slot, "genesis_hash": found.genesis_hash}
        out.emit("localnet_pull", said | {"programs": dict(found.programs)})
        return
    for name, size in found.programs.items():
        out.show(f"{name:<12} {size:>12,} bytes")
    out.show(f"read at slot {found.slot:,}, in {target}")
