"""The practice chain over its sockets: what real clients ask, how they ask it, and the errors that they parse."""

from __future__ import annotations

import asyncio
import base64
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Processed
from solana.rpc.models import TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.hash import Hash
from solders.keypair import Keypair
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.transaction import VersionedTransaction

from pumpswap.errors import ConfigError, NotFound
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.localnet.process import LocalnetOptions, make_chain, start_process
from pumpswap.localnet.server import LocalServer, ServerOptions
from tests.cli.running import answer, environment, parsed, refusal
from tests.localnet.wire import BASE64, NEW, OLD, SOL, Client, payment, run, served, text
from tests.support.material import material, requires_material


def test_the_node_tells_slot_height_and_network() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            chain = server.chain
            assert await client.ask("getHealth") == "ok"
            assert await client.ask("getGenesisHash") == chain.genesis_hash
            assert await client.ask("getSlot", {"commitment": "processed"}) == chain.slot
            assert await client.ask("getSlot", {"commitment": "confirmed"}) == chain.slot - 1
            assert await client.ask("getSlot") == await client.ask("getSlot", {"commitment": "finalized"})
            info = await client.ask("getEpochInfo", {"commitment": "processed"})
            assert (info["absoluteSlot"], info["blockHeight"]) == (chain.slot, chain.block_height)
            assert await client.ask("getBlockHeight", {"commitment": "processed"}) == chain.block_height
            assert await client.ask("getMinimumBalanceForRentExemption", 165) == chain.rent(165)
            assert "solana-core" in await client.ask("getVersion")

    run(story())


def test_a_client_that_dies_in_the_middle_of_a_request_is_no_error_of_the_node(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with served() as (_, client, urls):
            address = httpx2.URL(urls.http)
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            assert await reader.read() == b""
            assert await client.ask("getHealth") == "ok"

    run(story())
    assert [record for record in caplog.records if record.exc_info] == []


def test_errors_have_the_shapes_that_clients_parse() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            assert (await client.ask("getNothing"))["code"] == -32601
            assert (await client.ask("getBalance", "not a key"))["code"] == -32602
            assert (await client.ask("sendTransaction", "AAAA", BASE64))["code"] == -32602
            stale = await client.ask("getSlot", {"minContextSlot": server.chain.slot + 50, "commitment": "processed"})
            assert (stale["code"], stale["data"]) == (-32016, {"contextSlot": server.chain.slot})
            for body in (b"{", b"[]", b"7"):
                said = (await client.http.post(client.url, content=body)).json()
                assert said["error"]["code"] in (-32700, -32600)
            denied = await client.ask("localnet_advance", 1)
            assert denied["code"] == -32601

    run(story())


def test_batches_are_answered_as_lists() -> None:
    async def story() -> None:
        async with served() as (_, client, _urls):
            calls = [
                {"jsonrpc": "2.0", "id": n, "method": m, "params": []} for n, m in enumerate(("getHealth", "nope"))
            ]
            said = (await client.post(calls)).json()
            assert [one["id"] for one in said] == [0, 1]
            assert said[0]["result"] == "ok"
            assert said[1]["error"]["code"] == -32601

    run(story())


def test_a_transaction_goes_through_every_commitment_and_has_everything_in_it() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            chain, raw = server.chain, payment(server.chain)
            sent = {**BASE64, "preflightCommitment": "processed"}
            signature = await client.ask("sendTransaction", text(raw), sent)
            assert signature == str(VersionedTransaction.from_bytes(raw).signatures[0])
            assert await client.ask("sendTransaction", text(raw), sent) == signature  # the same bytes, once
            for slots, expected in ((0, "processed"), (1, "confirmed"), (31, "finalized")):
                chain.advance(slots)
                (status,) = (await client.ask("getSignatureStatuses", [signature]))["value"]
                assert (status["confirmationStatus"], status["err"]) == (expected, None)
            balance = await client.ask("getBalance", str(NEW.pubkey()))
            assert balance["value"] == SOL
            found = await client.ask("getTransaction", signature, {**BASE64, "maxSupportedTransactionVersion": 0})
            meta = found["meta"]
            assert base64.b64decode(found["transaction"][0]) == raw
            assert (meta["fee"], meta["err"], found["version"]) == (5_000, None, 0)
            moved = [after - before for before, after in zip(meta["preBalances"], meta["postBalances"], strict=True)]
            assert moved[:2] == [-SOL - 5_000, SOL]
            assert meta["computeUnitsConsumed"] > 0
            undeclared = await client.ask("getTransaction", signature, BASE64)
            assert undeclared["code"] == -32015
            history = await client.ask("getSignaturesForAddress", str(NEW.pubkey()))
            assert [line["signature"] for line in history] == [signature]

    run(story())


def test_preflight_refuses_what_would_fail_and_names_why() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            chain = server.chain
            options = {**BASE64, "preflightCommitment": "processed"}
            refused = await client.ask("sendTransaction", text(payment(chain, 50 * SOL)), options)
            assert (refused["code"], refused["message"].startswith("Transaction simulation failed")) == (-32002, True)
            assert refused["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
            assert refused["data"]["logs"]
            unknown = await client.ask("sendTransaction", text(payment(chain, blockhash=Hash(b"\x09" * 32))), options)
            assert (unknown["code"], unknown["data"]["err"]) == (-32002, "BlockhashNotFound")
            raw = payment(chain)
            chain.advance(151)
            expired = await client.ask("sendTransaction", text(raw), options)
            assert expired["data"]["err"] == "BlockhashNotFound"
            skipped = await client.ask("sendTransaction", text(raw), {**BASE64, "skipPreflight": True})
            assert isinstance(skipped, str)
            assert (await client.ask("getSignatureStatuses", [skipped]))["value"] == [None]

    run(story())


def test_simulation_changes_nothing_and_tells_accounts() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            options = {
                **BASE64,
                "replaceRecentBlockhash": True,
                "sigVerify": False,
                "commitment": "processed",
                "accounts": {"encoding": "base64", "addresses": [str(NEW.pubkey())]},
            }
            said = (await client.ask("simulateTransaction", text(payment(server.chain)), options))["value"]
            assert (said["err"], said["accounts"][0]["lamports"]) == (None, SOL)
            assert (await client.ask("getBalance", str(NEW.pubkey()), {"commitment": "processed"}))["value"] == 0

    run(story())


def test_accounts_come_in_the_encodings_that_are_asked_for() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            key = str(OLD.pubkey())
            both = await client.ask("getMultipleAccounts", [key, str(Keypair().pubkey())], BASE64)
            assert both["value"][1] is None
            assert both["value"][0]["data"] == ["", "base64"]
            (plain,) = (await client.ask("getMultipleAccounts", [key], {"encoding": "base58"}))["value"]
            assert plain["data"] == ["", "base58"]
            assert both["context"]["slot"] <= server.chain.slot

    run(story())


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.RATE_LIMITED, 429), (FaultKind.SERVER_ERROR, 503)])
def test_faults_reach_the_client_as_a_real_node_would_fail(kind: FaultKind, status: int) -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            server.faults.add(Fault(kind, amount=3, times=1, methods=frozenset({"getSlot"})))
            call = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []}
            failed = await client.post(call)
            assert failed.status_code == status
            if status == 429:
                assert failed.headers["retry-after"] == "3"
            assert (await client.post(call)).status_code == 200
            server.faults.add(Fault(FaultKind.RESET, times=1))
            with pytest.raises(httpx2.TransportError):
                await client.post(call)

    run(story())


# ---------------------------------------------------------------------------------------------- subscriptions


def test_all_subscriptions_tell_solana_pys_client_what_happened() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), AsyncClient(urls.http) as http:
            chain = server.chain
            async with SolanaWsClient(urls.ws) as ws:
                account = await ws.account_subscribe(pubkey=NEW.pubkey(), commitment=Processed)
                logs = await ws.logs_subscribe(
                    filter_=RpcTransactionLogsFilterMentions(NEW.pubkey()), commitment=Processed
                )
                slot = await ws.slot_subscribe()
                raw = payment(chain)
                signature = VersionedTransaction.from_bytes(raw).signatures[0]
                fate = await ws.signature_subscribe(signature=signature, commitment=Confirmed)
                await http.send_raw_transaction(raw, TxOpts(skip_preflight=True))
                chain.advance()
                seen: dict[int, Any] = {}
                wanted = {one.subscription_id for one in (account, logs, fate, slot)}
                while not wanted <= set(seen):
                    told = await asyncio.wait_for(ws.recv(), 60)
                    seen[told.subscription] = told
                assert seen[account.subscription_id].result.value.lamports == SOL
                assert seen[logs.subscription_id].result.value.signature == signature
                assert seen[fate.subscription_id].result.value.err is None
                assert seen[slot.subscription_id].result.slot == chain.slot
                # One that comes after the fact fires too; one that was ended does not.
                late = await ws.signature_subscribe(signature=signature, commitment=Confirmed)
                while True:
                    told = await asyncio.wait_for(ws.recv(), 60)
                    if told.subscription == late.subscription_id:
                        break
                await ws.unsubscribe(account)
                await http.send_raw_transaction(payment(chain, 2 * SOL), TxOpts(skip_preflight=True))
                chain.advance(2)
                after = [await asyncio.wait_for(ws.recv(), 60) for _ in range(3)]
                assert account.subscription_id not in {told.subscription for told in after}

    run(story())


def test_a_closed_socket_takes_its_subscriptions_along() -> None:
    async def story() -> None:
        async with served() as (server, _, urls):
            async with SolanaWsClient(urls.ws) as ws:
                await ws.account_subscribe(pubkey=NEW.pubkey())
                await ws.slot_subscribe()
            for _ in range(50):
                await asyncio.sleep(0.01)
                if not server._sockets:
                    break
            assert not server._sockets
            server.chain.advance()  # nobody is told, nothing fails

    run(story())


# ---------------------------------------------------------------------------------------------- one chain, more servers


def test_a_lagging_endpoint_answers_as_of_then_and_a_restarted_one_has_forgotten() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            chain = server.chain
            raw = payment(chain)
            signature = await client.ask("sendTransaction", text(raw), {**BASE64, "preflightCommitment": "processed"})
            chain.advance(5)
            behind = LocalServer(chain, ServerOptions(slot_ms=0, lag_slots=20, name="behind"))
            async with behind.serve() as urls:
                old = Client(client.http, urls.http)
                assert await old.ask("getSlot", {"commitment": "processed"}) == chain.slot - 20
                known = await old.ask("getSignatureStatuses", [signature], {"searchTransactionHistory": True})
                assert known["value"] == [None]
                assert (await old.ask("getBalance", str(NEW.pubkey()), {"commitment": "processed"}))["value"] == 0
            server.node.restart()
            chain.advance()
            again = await client.ask("getSignatureStatuses", [signature], {"searchTransactionHistory": True})
            assert again["value"] == [None]
            assert await client.ask("getFirstAvailableBlock") > chain.slot - 5

    run(story())


# ---------------------------------------------------------------------------------------------- processes, command line


def test_without_programs_there_is_a_remedy_and_a_taken_port_is_named(tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path))
    assert "localnet pull" in refusal(3, "localnet", "start", *data)["hint"]
    assert refusal(6, "localnet", "status", "--url", "http://127.0.0.1:9")["code"] == "not_running"
    assert "--clone-from" in refusal(2, "localnet", "start", "--pool", str(NEW.pubkey()), *data)["what"]
    with pytest.raises(NotFound):
        make_chain(LocalnetOptions(programs=tmp_path))
    with pytest.raises(NotFound, match="no folder with it is named"):
        make_chain(LocalnetOptions())

    async def story() -> None:
        chain = LocalChain()
        async with LocalServer(chain, ServerOptions(slot_ms=0)).serve() as urls:
            port = int(urls.http.rpartition(":")[2])
            with pytest.raises(ConfigError, match="in use"):
                async with LocalServer(chain, ServerOptions(port=port, slot_ms=0)).serve():
                    raise AssertionError("two servers on one port")

    run(story())


@requires_material("chain", "programs")
def test_a_process_saves_its_chain_when_it_is_ended_and_another_goes_on_from_there(tmp_path: Path) -> None:
    saved = tmp_path / "state.chain"
    options = LocalnetOptions(programs=material("chain"), market=1, slot_ms=20, save_state=saved)
    with start_process(options) as first:
        answer("localnet", "airdrop", str(NEW.pubkey()), "3", "--url", first.http_url)
        before = answer("localnet", "status", "--url", first.http_url)
    assert saved.exists()
    with start_process(LocalnetOptions(load_state=saved, slot_ms=20)) as second:
        after = answer("localnet", "status", "--url", second.http_url)
        assert after["genesis_hash"] == before["genesis_hash"]
        assert after["slot"] >= before["slot"]
        assert after["transactions"] >= before["transactions"]
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "getBalance",
            "params": [str(NEW.pubkey()), {"commitment": "processed"}],
        }
        assert httpx2.post(second.http_url, json=call).json()["result"]["value"] == 3 * SOL


@requires_material("chain", "programs")
def test_the_command_line_starts_it_pulls_from_it_and_starts_from_what_it_pulled(tmp_path: Path) -> None:
    folder = material("chain")
    assert folder is not None
    start = [sys.executable, "-m", "pumpswap", "--json", "localnet", "start", "--port", "0", "--market", "1"]
    process = subprocess.Popen(
        [*start, "--programs", str(folder)], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        told = parsed("".join(lines))
        url, pool = told["http_url"], told["pools"][0]["address"]
        deadline = time.monotonic() + 60
        while answer("localnet", "status", "--url", url)["transactions"] < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        copied = tmp_path / "copy"
        pulled = answer("localnet", "pull", "--from", url, "--to", str(copied), "--pool", pool)
        assert pulled["genesis_hash"] == told["genesis_hash"]
        assert set(pulled["programs"]) == {"pump_amm", "pump_fees", "pump"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
    assert process.returncode == 0
    with start_process(LocalnetOptions(programs=copied, slot_ms=50)) as again:
        shown = answer("pool", "show", pool, "--url", again.http_url)
        assert shown["address"] == pool
        assert answer("protocol", "check", "--url", again.http_url)["known"] is True
