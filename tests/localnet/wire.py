"""A practice chain that is served in this process, and the two clients that ask it: raw JSON, and a market's swap."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx2
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm import BuyQuote, PoolState, buy_exact_base
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import PoolSpec, create_pool, schedule_of, wallet
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, LocalUrls, ServerOptions
from tests.localnet.practice import program_folder, swap

SOL = 10**9
OLD, NEW = Keypair.from_seed(b"o" * 32), Keypair.from_seed(b"n" * 32)
BASE64 = {"encoding": "base64"}
NOW = {"commitment": "processed"}
SENT_NOW = {**BASE64, "preflightCommitment": "processed"}


class Client:
    """Raw JSON-RPC."""

    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self.http, self.url = http, url

    async def ask(self, method: str, *params: Any) -> Any:
        """The result, or the error object."""
        said = (await self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})).json()
        assert (said["jsonrpc"], said["id"]) == ("2.0", 7)
        return said["result"] if "result" in said else said["error"]

    async def post(self, body: Any) -> httpx2.Response:
        return await self.http.post(self.url, json=body)


def funded_chain() -> LocalChain:
    """The old wallet has five SOL, and that is final."""
    chain = LocalChain(seed=1)
    chain.airdrop(OLD.pubkey(), 5 * SOL)
    chain.advance(40)
    return chain


@contextlib.asynccontextmanager
async def served(
    chain: LocalChain | None = None, **options: Any
) -> AsyncIterator[tuple[LocalServer, Client, LocalUrls]]:
    """A chain that moves only when it is told to."""
    server = LocalServer(chain or funded_chain(), ServerOptions(slot_ms=0, **options))
    async with server.serve() as urls, httpx2.AsyncClient() as http:
        yield server, Client(http, urls.http), urls


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 120))


def payment(chain: LocalChain, lamports: int = SOL, blockhash: Hash | None = None) -> bytes:
    """Old pays new."""
    pay = transfer(TransferParams(from_pubkey=OLD.pubkey(), to_pubkey=NEW.pubkey(), lamports=lamports))
    message = MessageV0.try_compile(OLD.pubkey(), [pay], [], blockhash or chain.blocks.newest.blockhash)
    return bytes(VersionedTransaction(message, [OLD]))


def signature_of(raw: bytes) -> str:
    return str(VersionedTransaction.from_bytes(raw).signatures[0])


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def market_chain() -> tuple[LocalChain, PoolState, Keypair]:
    """The real programs, one pool, one wallet with 100 SOL."""
    chain = LocalChain(seed=3)
    load_programs(chain, program_folder())
    state = create_pool(chain, PoolSpec(), random.Random(3))
    key = wallet(chain, 100 * SOL)
    chain.advance(40)
    return chain, state, key


def buy(chain: LocalChain, state: PoolState, key: Keypair, *, limit: int | None = None) -> tuple[bytes, BuyQuote]:
    """A signed buy of a thousandth of the pool. Without a limit it accepts exactly its quote."""
    quote = buy_exact_base(state, schedule_of(chain), state.base_reserve // 1_000)
    return swap(chain, key, state, quote, quote.limit(0) if limit is None else limit), quote
