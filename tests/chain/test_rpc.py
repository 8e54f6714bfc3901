"""RpcNode: every failure of an endpoint is a named error, and no error tells more of an address than its host."""

from __future__ import annotations

import base64
import logging
import traceback
from typing import Any

import pytest
from pydantic import SecretStr
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
)
from pumpswap.amm.pool import POOL_DISCRIMINATOR
from pumpswap.chain.answers import base58_bytes
from pumpswap.chain.node import Commitment, ProgramFilter, SignatureStatus
from pumpswap.chain.rpc import RpcNode
from pumpswap.clock import ManualClock
from pumpswap.errors import (
    ChainError,
    ConfigError,
    EndpointDown,
    NodeRefused,
    NotServed,
    RateLimited,
    StaleNode,
    UsageError,
)
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import fund_tokens, wallet
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.settings import EndpointSettings
from tests.chain.http_endpoint import Reply, ScriptedEndpoint, endpoint
from tests.chain.practice import pools_of_all_kinds, practice_chain, signed

pytestmark = pytest.mark.asyncio

SECRETS = ("secret-token-1234", "another-secret-5678", "api-key", "/v2/")
SOMEBODY = Pubkey.from_bytes(b"somebody who is on no list......")


def rpc(served: ScriptedEndpoint, *, timeout_ms: int = 5_000, at_ns: int = 0) -> RpcNode:
    settings = EndpointSettings.model_validate({"url": served.url, "timeout_ms": timeout_ms})
    return RpcNode(settings, clock=ManualClock(at_ns))


async def failure(reply: Reply, *, timeout_ms: int = 5_000, at_ns: int = 0) -> ChainError:
    """What a question raises when everything is answered by ``reply``; its whole trace is free of secrets."""
    async with endpoint(reply) as served, rpc(served, timeout_ms=timeout_ms, at_ns=at_ns) as node:
        with pytest.raises(ChainError) as caught:
            await node.height()
        shown = "".join(traceback.format_exception(caught.value)) + repr(node) + repr(caught.value) + caught.value.hint
        assert not [secret for secret in SECRETS if secret in shown]
        assert f"127.0.0.1:{served.port}" in caught.value.what
        assert caught.value.hint
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        return caught.value


async def test_p18_a_429_says_when_the_endpoint_will_listen_again() -> None:
    seconds = await failure(Reply(status=429, headers={"Retry-After": "7"}))
    assert isinstance(seconds, RateLimited) and seconds.retry_after_seconds == 7.0
    silent = await failure(Reply(status=429))
    assert isinstance(silent, RateLimited) and silent.retry_after_seconds is None
    at_ns = 784_111_777 * 10**9
    date = await failure(Reply(status=429, headers={"Retry-After": "Sun, 06 Nov 1994 08:49:47 GMT"}), at_ns=at_ns)
    assert isinstance(date, RateLimited) and date.retry_after_seconds == 10.0
    nonsense = await failure(Reply(status=429, headers={"Retry-After": "soon"}))
    assert isinstance(nonsense, RateLimited) and nonsense.retry_after_seconds is None
    in_body = await failure(Reply(error={"code": -32429, "message": "slow down"}))
    assert isinstance(in_body, RateLimited)


async def test_server_errors_resets_and_silence_are_endpoint_down() -> None:
    for reply in (
        Reply(status=500, raw=b"oops"),
        Reply(status=503),
        Reply(status=404, raw=b"not here"),
        Reply(is_reset=True),
        Reply(error={"code": -32603, "message": "Internal error"}),
    ):
        assert type(await failure(reply)) is EndpointDown
    assert type(await failure(Reply(is_hanging=True), timeout_ms=100)) is EndpointDown


async def test_an_endpoint_that_nobody_listens_at_is_down() -> None:
    async with endpoint(Reply()) as served:
        gone = rpc(served)
    async with gone:
        with pytest.raises(EndpointDown):
            await gone.genesis_hash()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b"<html>secret-token-1234</html>"),
        Reply(raw=b"\xff\xfe"),
        Reply(raw=b"[]"),
        Reply(raw=b'{"jsonrpc":"2.0","id":1}'),
        Reply(raw=b'{"jsonrpc":"2.0","id":1,"error":"no code"}'),
        Reply(result=None),
        Reply(result={"absoluteSlot": "many"}),
        Reply(result={"absoluteSlot": 5}),
        Reply(result={"absoluteSlot": 5, "blockHeight": 4}, id=999),
    ],
)
async def test_answers_that_cannot_be_read_are_endpoint_down(reply: Reply) -> None:
    assert type(await failure(reply)) is EndpointDown


async def test_json_rpc_errors_have_their_kinds() -> None:
    refused = await failure(Reply(error={"code": -32602, "message": "Invalid param", "data": {"field": 3}}))
    assert isinstance(refused, NodeRefused) and refused.code == -32602 and refused.data == {"field": 3}
    for code in (-32016, -32014, -32005):
        assert type(await failure(Reply(error={"code": code, "message": "behind"}))) is StaleNode
    for code in (-32601, -32010, -32011):
        assert type(await failure(Reply(error={"code": code, "message": "no"}))) is NotServed
    excluded = {"code": -32000, "message": "Tokenkeg excluded from account secondary indexes"}
    assert type(await failure(Reply(error=excluded))) is NotServed
    for status in (401, 403, 410):
        assert type(await failure(Reply(status=status, raw=b"{}"))) is NotServed
    in_400 = await failure(Reply(status=400, error={"code": -32602, "message": "Invalid params"}))
    assert isinstance(in_400, NodeRefused) and in_400.code == -32602


async def test_a_message_that_echoes_the_address_is_cleaned() -> None:
    url = "http://x/v2/secret-token-1234?api-key=another-secret-5678"
    told = await failure(Reply(error={"code": -1, "message": f"bad\nrequest to {url} (key another-secret-5678)"}))
    assert "bad request to 127.0.0.1" in told.what and "\n" not in told.what


async def test_request_lines_with_the_whole_address_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with endpoint(Reply(result={"absoluteSlot": 5, "blockHeight": 4})) as served, rpc(served) as node:
        await node.height()
    assert not [secret for secret in SECRETS if secret in caplog.text]


async def test_connections_are_kept_alive() -> None:
    async with endpoint(Reply(result={"absoluteSlot": 5, "blockHeight": 4})) as served, rpc(served) as node:
        for _ in range(5):
            assert (await node.height()).slot == 5
        assert served.connections == 1 and len(served.asked) == 5


async def test_nothing_is_retried() -> None:
    async with endpoint(Reply(is_reset=True)) as served, rpc(served) as node:
        with pytest.raises(EndpointDown):
            await node.send(b"\1" + bytes(64) + b"rest")
        assert served.methods() == ["sendTransaction"]


async def test_a_broadcast_is_asked_not_to_be_retried_by_the_node_and_must_return_its_own_signature() -> None:
    raw = signed(LocalChain(seed=1), Keypair.from_seed(b"s" * 32))
    async with endpoint(Reply(result="1" * 64)) as served, rpc(served) as node:
        with pytest.raises(EndpointDown, match="another signature"):
            await node.send(raw, min_context_slot=12)
        method, (encoded, options) = served.asked[0]
    assert method == "sendTransaction" and base64.b64decode(encoded) == raw
    assert options == {
        "encoding": "base64",
        "skipPreflight": True,
        "preflightCommitment": "confirmed",
        "maxRetries": 0,
        "minContextSlot": 12,
    }


async def test_a_failed_preflight_keeps_its_logs() -> None:
    data = {"err": {"InstructionError": [2, {"Custom": 6004}]}, "logs": ["a", "b"], "unitsConsumed": 9}
    refused = await failure(Reply(error={"code": -32002, "message": "Transaction simulation failed", "data": data}))
    assert isinstance(refused, NodeRefused) and refused.code == -32002 and refused.data == data


async def test_more_than_a_node_takes_is_refused_before_it_is_asked() -> None:
    async with endpoint(Reply(result=None)) as served, rpc(served) as node:
        with pytest.raises(UsageError):
            await node.accounts([SOMEBODY] * 101)
        with pytest.raises(UsageError):
            await node.statuses(["1" * 64] * 257)
        with pytest.raises(UsageError):
            await node.send(b"")
        assert served.asked == []


async def test_a_status_without_an_error_field_is_no_success() -> None:
    def answer(value: Any) -> Reply:
        return Reply(result={"context": {"slot": 9}, "value": [value]})

    full = {"slot": 5, "confirmations": None, "err": None, "confirmationStatus": "finalized"}
    async with endpoint(answer(full)) as served, rpc(served) as node:
        assert (await node.statuses(["x"])).statuses == (SignatureStatus(5, None, Commitment.FINALIZED),)
        served.script = lambda method, params: answer({k: v for k, v in full.items() if k != "err"})
        with pytest.raises(EndpointDown):
            await node.statuses(["x"])
        old = {"slot": 5, "confirmations": 3, "err": {"Custom": 1}}
        served.script = lambda method, params: answer(old)
        assert (await node.statuses(["x"])).statuses == (SignatureStatus(5, {"Custom": 1}, Commitment.PROCESSED),)


async def test_a_url_that_is_none_is_a_config_error_without_the_url() -> None:
    for url in ("secret-token-1234", "ftp://secret-token-1234", "http://", "http://h:port/secret-token-1234"):
        with pytest.raises(ConfigError) as caught:
            RpcNode(EndpointSettings.model_construct(url=SecretStr(url)))
        assert "secret-token-1234" not in "".join(traceback.format_exception(caught.value))


async def test_base58_data_keeps_its_leading_zeros() -> None:
    for data in (b"", b"\0", b"\0\0\1", bytes(range(32)), b"\xff" * 32):
        padded = data.rjust(32, b"\0")
        assert base58_bytes(str(Pubkey.from_bytes(padded))) == padded


async def test_a_transaction_without_its_optional_parts_is_read_and_a_foreign_one_is_not() -> None:
    chain = practice_chain()
    payer = wallet(chain, 10**10)
    receipt = chain.submit(signed(chain, payer, _transfer(payer, 5)))
    other = chain.submit(signed(chain, payer, _transfer(payer, 6)))
    landed = chain.transaction(receipt.signature)
    assert landed is not None
    meta = {
        "err": None,
        "fee": landed.fee,
        "preBalances": list(landed.pre_balances),
        "postBalances": list(landed.post_balances),
        "innerInstructions": [
            {"index": 0, "instructions": [{"programIdIndex": 1, "accounts": [0], "data": "12", "stackHeight": None}]}
        ],
    }
    result = {"slot": 77, "transaction": [base64.b64encode(landed.raw).decode(), "base64"], "meta": meta}
    async with endpoint(Reply(result=result)) as served, rpc(served) as node:
        read = await node.transaction(receipt.signature)
        assert read is not None
        assert (read.slot, read.block_time, read.logs, read.compute_units) == (77, None, (), 0)
        inner = read.instructions[1]
        assert (inner.outer, inner.height, inner.data, inner.accounts) == (0, 2, b"\0\1", (landed.keys[0],))
        with pytest.raises(EndpointDown, match="another transaction"):
            await node.transaction(other.signature)
        del meta["err"]
        with pytest.raises(EndpointDown):
            await node.transaction(receipt.signature)
        served.script = lambda method, params: Reply(result=None)
        assert await node.transaction(receipt.signature) is None


def _transfer(payer: Keypair, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=SOMEBODY, lamports=10**6 + lamports))


def _create_account_idempotent(payer: Pubkey, owner: Pubkey, mint: Pubkey) -> Instruction:
    metas = [AccountMeta(payer, True, True), AccountMeta(ata(owner, mint, TOKEN_PROGRAM), False, True)]
    metas += [AccountMeta(key, False, False) for key in (owner, mint, SYSTEM_PROGRAM, TOKEN_PROGRAM)]
    return Instruction(ASSOCIATED_TOKEN_PROGRAM, b"\1", metas)


async def test_over_http_everything_reads_as_in_process() -> None:
    chain = practice_chain()
    pools = pools_of_all_kinds(chain, ["graduate", "permissionless usdc", "mayhem"])
    payer = wallet(chain, 10**10)
    fund_tokens(chain, payer.pubkey(), pools[0].pool.base_mint, TOKEN_PROGRAM, 12_345)
    fund_tokens(chain, payer.pubkey(), pools[1].pool.base_mint, TOKEN_2022_PROGRAM, 678)
    chain.advance(2)
    async with LocalServer(chain, ServerOptions(slot_ms=0)).serve() as urls:
        here, there = LocalNode(chain), RpcNode(EndpointSettings.model_validate({"url": urls.http}))
        async with there:
            raw = signed(chain, payer, _create_account_idempotent(payer.pubkey(), SOMEBODY, WSOL_MINT))
            simulated = await there.simulate(raw, accounts=[payer.pubkey(), SOMEBODY])
            assert simulated == await here.simulate(raw, accounts=[payer.pubkey(), SOMEBODY])
            assert simulated.err is None and simulated.units_consumed > 0
            signature = await there.send(raw)
            failing = signed(chain, payer, _transfer(payer, 10**15))
            failed = await there.send(failing)
            chain.advance(40)

            addresses = [pools[0].address, SOMEBODY, pools[1].pool.base_mint]
            assert await there.accounts(addresses) == await here.accounts(addresses)
            assert (await there.accounts(addresses)).accounts[1] is None
            for commitment in Commitment:
                assert await there.height(commitment) == await here.height(commitment)
                assert await there.latest_blockhash(commitment) == await here.latest_blockhash(commitment)
            assert Hash.from_string(await there.genesis_hash()) == Hash.from_string(chain.genesis_hash)
            known = [signature, failed, "1" * 64]
            statuses = await there.statuses(known, search_history=True)
            assert statuses == await here.statuses(known, search_history=True)
            assert statuses.statuses[0] is not None and statuses.statuses[0].err is None
            assert statuses.statuses[1] is not None and statuses.statuses[1].err is not None

            landed = await there.transaction(signature)
            assert landed == await here.transaction(signature)
            assert landed is not None and landed.raw == raw
            assert {one.height for one in landed.instructions} >= {1, 2}
            assert [(one.mint, one.units) for one in landed.post_tokens] == [(WSOL_MINT, 0)]
            assert await there.transaction(failed) == await here.transaction(failed)

            history = await there.signatures_for(payer.pubkey())
            assert history == await here.signatures_for(payer.pubkey()) and len(history) == 2
            assert await there.signatures_for(payer.pubkey(), before=history[0].signature) == history[1:]
            assert await there.signatures_for(payer.pubkey(), until=history[1].signature) == history[:1]
            assert await there.signatures_for(payer.pubkey(), limit=1) == history[:1]

            is_pool = ProgramFilter(0, POOL_DISCRIMINATOR)
            of_mint = ProgramFilter(43, bytes(pools[2].pool.base_mint))
            every = await there.program_accounts(AMM_PROGRAM, [is_pool])
            assert sorted(one.address for one in every) == sorted(one.address for one in pools)
            assert [one.address for one in await there.program_accounts(AMM_PROGRAM, [is_pool, of_mint])] == [
                pools[2].address
            ]
            held = await there.token_accounts(payer.pubkey())
            assert {one.address: one for one in held} == {
                one.address: one for one in await here.token_accounts(payer.pubkey())
            }
            assert len(held) == 2
            coin = pools[2].pool.base_mint
            largest = await there.largest_holdings(coin)
            assert largest == await here.largest_holdings(coin)
            assert [(one.address, one.units) for one in largest.holdings] == [
                (pools[2].pool.pool_base_token_account, pools[2].base_reserve)
            ]
            with pytest.raises(NodeRefused):
                await there.largest_holdings(pools[2].address)
            assert await there.minimum_rent(165) == await here.minimum_rent(165)
            newest = (await here.latest_blockhash()).blockhash
            assert (
                await there.is_blockhash_valid(Hash.default()) is await here.is_blockhash_valid(Hash.default()) is False
            )
            with pytest.raises(StaleNode):
                await there.is_blockhash_valid(newest, min_context_slot=chain.slot + 1_000)
            assert await there.first_available_block() == await here.first_available_block()
            assert dict(await there.priority_fees([payer.pubkey()])) == dict(await here.priority_fees([payer.pubkey()]))
            assert set(await there.version()) >= {"solana-core"}
            with pytest.raises(StaleNode):
                await there.accounts(addresses, min_context_slot=chain.slot + 1_000)
