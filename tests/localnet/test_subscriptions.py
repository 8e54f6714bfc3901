"""Subscriptions over real sockets: what is told at which commitment, and what is not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets
from solana.rpc.commitment import Confirmed, Processed
from solana.rpc.models import DataSliceOpts, MemcmpOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.pubkey import Pubkey
from solders.signature import Signature

from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_PROGRAM, ata
from pumpswap.amm.pool import POOL_DISCRIMINATOR
from pumpswap.chain.base58 import base58
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pools import fund_tokens, pool_state
from pumpswap.localnet.server import LocalServer
from tests.localnet.practice import lamports_of
from tests.localnet.wire import NEW, OLD, SOL, buy, market_chain, payment, run, served, signature_of
from tests.support.material import requires_material

COIN, OTHER = (Pubkey(bytes([number]) * 32) for number in (11, 12))


class Listener:
    """A bare socket, which sees messages as they are sent."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def ask(self, method: str, *params: Any) -> Any:
        """The answer to a call; what was told before it is dropped."""
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
        while "id" not in (said := json.loads(await asyncio.wait_for(self.socket.recv(), 60))):
            pass
        return said["result"] if "result" in said else said["error"]

    async def told(self) -> list[dict[str, Any]]:
        """All that was told until now: it comes before the answer to a call that is asked now."""
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "getHealth"}))
        found = []
        while "id" not in (said := json.loads(await asyncio.wait_for(self.socket.recv(), 60))):
            found.append(said)
        return found

    async def lamports(self) -> list[int]:
        """Of the accounts that were told."""
        return [each["params"]["result"]["value"]["lamports"] for each in await self.told()]


def pay(server: LocalServer, lamports: int) -> str:
    raw = payment(server.chain, lamports)
    assert server.chain.submit(raw).err is None
    return signature_of(raw)


def test_an_account_is_told_at_its_commitment_and_only_when_its_content_changed() -> None:
    async def story() -> None:
        async with (
            served() as (server, _, urls),
            websockets.connect(urls.ws) as first,
            websockets.connect(urls.ws) as second,
        ):
            now, settled = Listener(first), Listener(second)
            key = str(NEW.pubkey())
            await now.ask("accountSubscribe", key, {"encoding": "base64", "commitment": "processed"})
            await settled.ask("accountSubscribe", key, {"encoding": "base64", "commitment": "confirmed"})
            pay(server, SOL)
            pay(server, SOL + 1)
            assert await now.lamports() == [SOL, 2 * SOL + 1]
            assert await settled.lamports() == []
            server.chain.advance()
            assert await settled.lamports() == [2 * SOL + 1]  # once per slot, as it was at its end
            account = server.chain.account(NEW.pubkey())
            assert account is not None
            server.chain.set_account(account)
            server.chain.advance(40)
            assert await now.lamports() == []
            assert await settled.lamports() == []

    run(story())


def test_a_finalized_subscriber_is_told_32_slots_later_with_the_slot_of_the_change() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear = Listener(socket)
            number = await ear.ask("accountSubscribe", str(NEW.pubkey()), {"encoding": "base64"})
            slot = server.chain.slot
            pay(server, SOL)
            server.chain.advance(31)
            assert await ear.told() == []
            server.chain.advance()
            (said,) = await ear.told()
            assert said["method"] == "accountNotification"
            assert said["params"]["subscription"] == number
            assert said["params"]["result"]["context"]["slot"] == slot
            assert said["params"]["result"]["value"]["lamports"] == SOL

    run(story())


def test_a_rollback_takes_back_what_was_processed_and_is_never_confirmed() -> None:
    async def story() -> None:
        async with (
            served() as (server, _, urls),
            websockets.connect(urls.ws) as first,
            websockets.connect(urls.ws) as second,
        ):
            now, settled, chain = Listener(first), Listener(second), server.chain
            key = str(NEW.pubkey())
            pay(server, SOL)
            chain.advance(40)
            for ear, commitment in ((now, "processed"), (settled, "confirmed")):
                options = {"encoding": "base64", "commitment": commitment}
                await ear.ask("accountSubscribe", key, options)
                await ear.ask("logsSubscribe", {"mentions": [key]}, options)
            lost = pay(server, SOL + 7)
            await settled.ask("signatureSubscribe", lost, {"commitment": "confirmed"})
            told = await now.told()
            assert [one["method"] for one in told] == ["logsNotification", "accountNotification"]
            assert chain.roll_back(1) == (lost,)
            (restored,) = await now.told()
            assert restored["params"]["result"]["value"]["lamports"] == SOL == lamports_of(chain, NEW.pubkey())
            chain.advance(40)
            assert [one["method"] for one in await settled.told()] == []
            assert await now.told() == []

    run(story())


def test_program_subscribers_are_told_accounts_that_pass_their_filters() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), SolanaWsClient(urls.ws) as ws:
            chain = server.chain
            for mint in (COIN, OTHER):
                chain.set_account(ChainAccount(mint, TOKEN_PROGRAM, chain.rent(82), token_bytes.mint(10**9, 6)))
            subscribed = await ws.program_subscribe(
                program_id=TOKEN_PROGRAM,
                commitment=Processed,
                encoding="base64",
                filters=[165, MemcmpOpts(offset=0, bytes=str(COIN))],
            )
            fund_tokens(chain, OLD.pubkey(), OTHER, TOKEN_PROGRAM, 5)
            fund_tokens(chain, OLD.pubkey(), COIN, TOKEN_PROGRAM, 6)
            told: Any = await asyncio.wait_for(ws.recv(), 60)
            assert told.subscription == subscribed.subscription_id
            assert told.result.value.pubkey == ata(OLD.pubkey(), COIN, TOKEN_PROGRAM)
            assert int.from_bytes(bytes(told.result.value.account.data)[64:72], "little") == 6

    run(story())


def test_logs_are_of_all_transactions_or_of_those_that_mention_an_address() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear = Listener(socket)
            config = {"commitment": "processed"}
            every = await ear.ask("logsSubscribe", "all", config)
            mine = await ear.ask("logsSubscribe", {"mentions": [str(NEW.pubkey())]}, config)
            signature = pay(server, SOL)
            dropped = server.chain.airdrop(COIN, SOL)
            said = [one["params"] for one in await ear.told()]
            assert [(one["subscription"], one["result"]["value"]["signature"]) for one in said] == [
                (every, signature),
                (mine, signature),
                (every, dropped),
            ]
            for one in said:
                assert one["result"]["value"]["err"] is None
                assert one["result"]["value"]["logs"][-1].endswith("success")

    run(story())


def test_a_signature_is_told_once_at_its_commitment_and_a_failure_with_its_error() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear, chain = Listener(socket), server.chain
            raw = payment(chain, 50 * SOL)  # more than there is
            failing = await ear.ask("signatureSubscribe", signature_of(raw), {"commitment": "processed"})
            later = await ear.ask("signatureSubscribe", signature_of(raw), {"commitment": "confirmed"})
            chain.submit(raw)
            error = {"InstructionError": [0, {"Custom": 1}]}
            (said,) = await ear.told()
            assert (said["params"]["subscription"], said["params"]["result"]["value"]) == (failing, {"err": error})
            chain.advance()
            (said,) = await ear.told()
            assert (said["params"]["subscription"], said["params"]["result"]["value"]) == (later, {"err": error})
            chain.advance(40)
            assert await ear.told() == []
            assert len(server.subscriptions) == 0

    run(story())


def test_slots_are_told_in_order_with_parent_and_root() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear, begin = Listener(socket), server.chain.slot
            await ear.ask("slotSubscribe")
            server.chain.advance(3)
            results = [one["params"]["result"] for one in await ear.told()]
            assert results == [{"slot": at, "parent": at - 1, "root": at - 32} for at in range(begin + 1, begin + 4)]

    run(story())


def test_an_ended_subscription_is_silent_and_only_its_own_socket_may_end_it() -> None:
    async def story() -> None:
        async with (
            served() as (server, _, urls),
            websockets.connect(urls.ws) as first,
            websockets.connect(urls.ws) as second,
        ):
            mine, other = Listener(first), Listener(second)
            number = await mine.ask("slotSubscribe")
            assert (await other.ask("slotUnsubscribe", number))["code"] == -32602
            server.chain.advance()
            assert len(await mine.told()) == 1
            assert await mine.ask("slotUnsubscribe", number) is True
            server.chain.advance()
            assert await mine.told() == []
            assert (await mine.ask("slotUnsubscribe", number))["code"] == -32602

    run(story())


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("accountSubscribe", ["no key"], -32602),
        ("logsSubscribe", [{"mentions": []}], -32602),
        ("logsSubscribe", [{"mentions": [str(COIN), str(OTHER)]}], -32602),
        ("logsSubscribe", ["some"], -32602),
        ("signatureSubscribe", ["short"], -32602),
        ("voteSubscribe", [], -32601),
    ],
)
def test_subscriptions_that_cannot_be_are_refused_and_leave_nothing(method: str, params: list[Any], code: int) -> None:
    async def story() -> None:
        async with served() as (server, client, urls), websockets.connect(urls.ws) as socket:
            assert (await Listener(socket).ask(method, *params))["code"] == code
            assert len(server.subscriptions) == 0
            assert (await client.ask(method, *params))["code"] == -32601  # there is nobody to tell over HTTP

    run(story())


def test_sockets_are_served_on_the_port_of_http_and_on_the_next_one_and_answer_calls() -> None:
    async def story() -> None:
        async with served() as (server, _, urls):
            port = int(urls.http.rpartition(":")[2])
            assert urls.ws == f"ws://127.0.0.1:{port + 1}"
            for address in (urls.ws, f"ws://127.0.0.1:{port}"):
                async with websockets.connect(address) as socket:
                    assert await Listener(socket).ask("getSlot", {"commitment": "processed"}) == server.chain.slot

    run(story())


@requires_material("chain", "programs")
def test_a_swap_is_told_by_the_vault_that_it_moved_and_not_by_a_pool_that_it_left_alone() -> None:
    async def story() -> None:
        chain, state, key = market_chain()
        async with served(chain) as (_, client, urls), SolanaWsClient(urls.ws) as ws:
            pool = state.pool
            vault = await ws.account_subscribe(
                pubkey=pool.pool_base_token_account,
                commitment=Confirmed,
                encoding="base64",
                data_slice=DataSliceOpts(offset=64, length=8),
            )
            pools = await ws.program_subscribe(
                program_id=AMM_PROGRAM,
                commitment=Processed,
                encoding="base64",
                filters=[MemcmpOpts(offset=0, bytes=base58(POOL_DISCRIMINATOR))],
            )
            raw, quote = buy(chain, state, key)
            fate = await ws.signature_subscribe(
                signature=Signature.from_string(signature_of(raw)), commitment=Confirmed
            )
            assert chain.submit(raw).err is None
            chain.advance()
            seen: dict[int, Any] = {}
            while not {vault.subscription_id, fate.subscription_id} <= set(seen):
                told: Any = await asyncio.wait_for(ws.recv(), 60)
                seen[told.subscription] = told.result.value
            reserve = int.from_bytes(bytes(seen[vault.subscription_id].data), "little")
            assert reserve == state.after(quote).base_reserve == pool_state(chain, state).base_reserve
            assert seen[fate.subscription_id].err is None
            # A swap through v1 leaves the pool's own account as it was, so nobody is told of it.
            changed = chain.account_at(state.address, chain.slot) != chain.account_at(state.address, chain.slot - 2)
            assert (pools.subscription_id in seen) is changed
            assert await client.ask("getHealth") == "ok"

    run(story())
