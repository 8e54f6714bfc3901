"""Faults as a client meets them: answers that never come, answers that lie, notifications that are lost or doubled."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
import websockets

from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.server import LocalServer, ServerOptions
from tests.localnet.practice import lamports_of
from tests.localnet.test_subscriptions import Listener
from tests.localnet.wire import (
    BASE64,
    NEW,
    NOW,
    SENT_NOW,
    SOL,
    Client,
    funded_chain,
    payment,
    run,
    served,
    signature_of,
    text,
)  # fmt: skip

UNCHECKED = {**BASE64, "skipPreflight": True}
SEND = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction"}


async def unanswered(client: Client, raw: bytes) -> None:
    """Send, and give up waiting: the wait itself is no part of what is tested."""
    with pytest.raises(httpx2.TimeoutException):
        await client.http.post(client.url, json={**SEND, "params": [text(raw), UNCHECKED]}, timeout=0.2)


@pytest.mark.parametrize("is_executed", [False, True])
def test_p03_a_send_without_an_answer_may_have_landed_and_a_second_one_never_pays_twice(is_executed: bool) -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            server.faults.drop_send(after_execution=is_executed)
            raw = payment(server.chain)
            await unanswered(client, raw)
            assert lamports_of(server.chain, NEW.pubkey()) == (SOL if is_executed else 0)
            assert await client.ask("sendTransaction", text(raw), UNCHECKED) == signature_of(raw)
            assert lamports_of(server.chain, NEW.pubkey()) == SOL

    run(story())


def test_p02_an_error_may_hide_a_success_and_an_ok_may_hide_nothing_at_all() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            server.faults.add(Fault(FaultKind.FALSE_ERROR, times=1), Fault(FaultKind.FALSE_OK, times=1))
            first, second = payment(server.chain, SOL), payment(server.chain, SOL + 1)
            assert (await client.ask("sendTransaction", text(first), UNCHECKED))["code"] == -32603
            assert await client.ask("sendTransaction", text(second), UNCHECKED) == signature_of(second)
            statuses = (await client.ask("getSignatureStatuses", [signature_of(first), signature_of(second)]))["value"]
            assert statuses[0]["err"] is None
            assert statuses[1] is None
            assert lamports_of(server.chain, NEW.pubkey()) == SOL

    run(story())


def test_a_slow_answer_comes_late_but_its_work_is_done_at_once() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            server.faults.add(Fault(FaultKind.SLOW, amount=60_000, times=1), Fault(FaultKind.SLOW, amount=1, times=1))
            raw = payment(server.chain)
            await unanswered(client, raw)
            assert lamports_of(server.chain, NEW.pubkey()) == SOL
            assert await client.ask("getHealth") == "ok"  # the second: late, and right

    run(story())


@pytest.mark.parametrize(("amount", "lands"), [(-1, True), (0, True), (1, False)])
def test_a_delayed_send_lands_up_to_its_expiry_height(amount: int, lands: bool) -> None:
    async def story() -> None:
        async with served(test_methods=True) as (server, client, _):
            server.faults.add(Fault(FaultKind.DELAY_TO_EXPIRY, amount=amount, times=1))
            raw, height = payment(server.chain), server.chain.block_height
            assert await client.ask("sendTransaction", text(raw), UNCHECKED) == signature_of(raw)
            await client.ask("localnet_advance", 148)
            assert lamports_of(server.chain, NEW.pubkey()) == 0
            assert (await client.ask("localnet_advance", 4))["blockHeight"] == height + 152
            (status,) = (await client.ask("getSignatureStatuses", [signature_of(raw)]))["value"]
            assert (status is not None) is lands
            assert lamports_of(server.chain, NEW.pubkey()) == (SOL if lands else 0)

    run(story())


def test_a_liar_claims_outcomes_and_heights_that_are_none() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            signature = signature_of(payment(server.chain))
            server.faults.add(
                Fault(FaultKind.CLAIM_LANDED, times=1),
                Fault(FaultKind.CLAIM_FAILED, times=1),
                Fault(FaultKind.CLAIM_HEIGHT, amount=1_000, times=1),
            )
            landed, failed, honest = [
                (await client.ask("getSignatureStatuses", [signature]))["value"][0] for _ in range(3)
            ]
            assert (landed["err"], landed["confirmationStatus"]) == (None, "finalized")
            assert failed["err"] == {"InstructionError": [0, {"Custom": 6004}]}
            assert honest is None
            heights = [await client.ask("getBlockHeight", NOW) for _ in range(2)]
            assert heights == [server.chain.block_height + 1_000, server.chain.block_height]

    run(story())


def test_a_stale_answer_is_old_and_a_restart_forgets() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            raw = payment(server.chain)
            assert await client.ask("sendTransaction", text(raw), SENT_NOW) == signature_of(raw)
            server.chain.advance(3)
            server.faults.add(Fault(FaultKind.STALE, amount=5, times=1))
            old = await client.ask("getBalance", str(NEW.pubkey()), NOW)
            assert (old["value"], old["context"]["slot"]) == (0, server.chain.slot - 5)
            assert (await client.ask("getBalance", str(NEW.pubkey()), NOW))["value"] == SOL
            server.faults.add(Fault(FaultKind.RESTART, times=1))
            with pytest.raises(httpx2.TransportError):
                await client.ask("getHealth")
            assert (await client.ask("getSignatureStatuses", [signature_of(raw)]))["value"] == [None]
            assert (await client.ask("getBalance", str(NEW.pubkey()), NOW))["value"] == SOL  # accounts stay

    run(story())


def test_a_fault_hits_its_own_endpoint_only() -> None:
    async def story() -> None:
        plan = FaultPlan([Fault(FaultKind.SERVER_ERROR, target="second")])
        chain = funded_chain()
        first, second = (
            LocalServer(chain, ServerOptions(slot_ms=0, name=name), faults=plan) for name in ("first", "second")
        )
        call = {"jsonrpc": "2.0", "id": 1, "method": "getHealth"}
        async with first.serve() as one, second.serve() as two, httpx2.AsyncClient() as http:
            assert (await http.post(one.http, json=call)).status_code == 200
            assert (await http.post(two.http, json=call)).status_code == 503

    run(story())


def numbers(told: list[dict[str, Any]]) -> list[int]:
    return [one["params"]["result"]["slot"] for one in told]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.DROP_NOTIFICATION, [1, 3, 4]),
        (FaultKind.DUPLICATE_NOTIFICATION, [1, 2, 2, 3, 4]),
        (FaultKind.REORDER_NOTIFICATION, [1, 3, 2, 4]),
    ],
)
def test_notifications_are_lost_doubled_or_swapped(kind: FaultKind, expected: list[int]) -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear, begin = Listener(socket), server.chain.slot
            await ear.ask("slotSubscribe")
            server.faults.add(Fault(kind, first_slot=begin + 2, last_slot=begin + 2))
            server.chain.advance(4)
            assert [slot - begin for slot in numbers(await ear.told())] == expected

    run(story())


def test_what_is_held_back_comes_even_when_nothing_follows_it() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            ear = Listener(socket)
            await ear.ask("accountSubscribe", str(NEW.pubkey()), {"encoding": "base64", "commitment": "processed"})
            server.faults.add(Fault(FaultKind.REORDER_NOTIFICATION, times=1))
            assert server.chain.submit(payment(server.chain)).err is None
            assert await ear.told() == []
            server.chain.advance(2)
            assert await ear.lamports() == [SOL]

    run(story())


@pytest.mark.parametrize("method", ["socket", "notify"])
def test_a_socket_that_is_closed_says_so_and_may_come_back(method: str) -> None:
    async def story() -> None:
        async with served() as (server, _, urls):
            async with websockets.connect(urls.ws) as socket:
                await Listener(socket).ask("slotSubscribe")
                server.faults.add(Fault(FaultKind.CLOSE_SOCKET, methods=frozenset({method}), times=1))
                server.chain.advance()
                await asyncio.wait_for(socket.wait_closed(), 60)
                assert socket.close_code == 1012
            async with websockets.connect(urls.ws) as socket:
                ear = Listener(socket)
                await ear.ask("slotSubscribe")
                server.chain.advance()
                assert numbers(await ear.told()) == [server.chain.slot]

    run(story())


def test_calls_on_a_socket_suffer_too() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), websockets.connect(urls.ws) as socket:
            server.faults.add(Fault(FaultKind.RATE_LIMITED, times=1), Fault(FaultKind.RESET, times=1))
            assert (await Listener(socket).ask("getHealth"))["code"] == 429
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getHealth"}))
            with pytest.raises(websockets.ConnectionClosedError):
                await asyncio.wait_for(socket.recv(), 60)

    run(story())


async def outcomes(seed: int) -> tuple[list[str], list[Any]]:
    """Thirty slots with a payment in each, over an endpoint that fails by a plan of this seed."""
    chain = funded_chain()
    plan = FaultPlan.drawn(
        seed,
        first_slot=chain.slot,
        slots=30,
        kinds=[FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR, FaultKind.RESET, FaultKind.FALSE_OK, FaultKind.STALE],
    )
    server = LocalServer(chain, ServerOptions(slot_ms=0), faults=plan)
    seen = []
    async with server.serve() as urls, httpx2.AsyncClient() as http:
        for number in range(30):
            raw = payment(chain, SOL // 40 + number)
            try:
                answer = await http.post(urls.http, json={**SEND, "params": [text(raw), UNCHECKED]})
                seen.append(f"{answer.status_code} {chain.transaction(signature_of(raw)) is not None}")
            except httpx2.TransportError:
                seen.append("reset")
            chain.advance()
    return seen, [*plan.fired]


def test_a_schedule_of_faults_is_replayed_from_its_seed() -> None:
    async def story() -> None:
        first, again, other = await outcomes(4), await outcomes(4), await outcomes(5)
        assert first == again
        assert first[1]
        assert first[0] != other[0]

    run(story())


def test_faults_are_set_cleared_and_recorded_by_calls_that_never_suffer_themselves() -> None:
    async def story() -> None:
        async with served(test_methods=True) as (server, client, _):
            fault = {"kind": "server_error", "amount": 0}
            assert await client.ask("localnet_fault", fault) is None
            assert (await client.post({"jsonrpc": "2.0", "id": 1, "method": "getHealth"})).status_code == 503
            fired = await client.ask("localnet_firedFaults")
            assert fired == [
                {"slot": server.chain.slot, "method": "getHealth", "signature": "", "kind": "server_error"}
            ]
            assert await client.ask("localnet_clearFaults") is None
            assert await client.ask("getHealth") == "ok"
            assert "server_error" in (await client.ask("localnet_fault", {"kind": "bad luck"}))["message"]

    run(story())


def test_the_hand_that_steers_moves_time_accounts_and_lag() -> None:
    async def story() -> None:
        async with served(test_methods=True) as (server, client, _):
            chain, height = server.chain, server.chain.block_height
            assert await client.ask("localnet_skip", 3) == {"slot": chain.slot, "blockHeight": chain.block_height}
            assert chain.block_height <= height + 1
            key = str(NEW.pubkey())
            account = {"address": key, "owner": key, "lamports": SOL, "data": ["AQI=", "base64"]}
            assert await client.ask("localnet_setAccount", account) is None
            said = (await client.ask("getAccountInfo", str(NEW.pubkey()), {**BASE64, **NOW}))["value"]
            assert (said["lamports"], said["data"], said["owner"]) == (SOL, ["AQI=", "base64"], str(NEW.pubkey()))
            assert await client.ask("localnet_lag", 7) is None
            assert await client.ask("getSlot", NOW) == chain.slot - 7
            assert (await client.ask("localnet_lag", 241))["code"] == -32602
            await client.ask("localnet_lag", 0)
            raw = payment(chain)
            await client.ask("sendTransaction", text(raw), UNCHECKED)
            assert await client.ask("localnet_rollBack", 1) == [signature_of(raw)]
            assert (await client.ask("getSignatureStatuses", [signature_of(raw)]))["value"] == [None]
            assert (await client.ask("localnet_advance", 10_001))["code"] == -32602

    run(story())
